// Measures modules that clients load: their size, how long they take to start, a step, and a correction of 8 ticks.
//
//   cargo build -p arena-module -p coins-module -p race-module --target wasm32-unknown-unknown --profile module
//   node benches/modules.mjs target/wasm32-unknown-unknown/module/*_module.wasm
//
// It fails if a module imports anything, does not predict, or is larger than it may be.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";

/** The most bytes of a module after gzip. */
const MOST = { "arena_module.wasm": 130_000, "coins_module.wasm": 105_000, "race_module.wasm": 95_000 };
const NO_AVATAR = 0xffff_ffff;
const CORRECTED = 1 << 16;

for (const file of process.argv.slice(2)) {
  const bytes = readFileSync(file);
  const size = gzipSync(bytes, { level: 9 }).length;
  const module = new WebAssembly.Module(bytes);
  assert.deepEqual(WebAssembly.Module.imports(module), [], "a module imports nothing");
  const began = performance.now();
  const instance = await WebAssembly.instantiate(module, {});
  const predictor = open(instance.exports);
  const start = performance.now() - began;
  play(predictor);
  const step = measure(20_000, (n) => predictor.steps(n));
  const correction = measure(5_000, (n) => predictor.corrections(n, 8));
  console.log(
    `${basename(file)}: ${bytes.length} bytes, ${size} after gzip; start ${start.toFixed(1)} ms; ` +
      `step ${step} us; 8 ticks back and forth ${correction} us`,
  );
  const most = MOST[basename(file)];
  if (most) assert.ok(size <= most, `${size} bytes after gzip are more than ${most}`);
}

/** Opens a module for seat 1 with the default configuration, and an avatar whose columns are all 100. */
function open(tc) {
  const doubles = (count) => {
    // The call may let the memory grow, which replaces its buffer.
    const at = tc.tc_buffer(count);
    return new Float64Array(tc.memory.buffer, at, count);
  };
  assert.equal(tc.tc_abi(), 1);
  assert.equal(tc.tc_open(1, 0, 0), 1);
  const count = tc.tc_describe();
  const described = [...doubles(3 + 3 * count)];
  const [, width] = described;
  const components = Array.from({ length: count }, (_, k) => described.slice(3 + 3 * k, 6 + 3 * k));
  const rows = (shift) =>
    components.flatMap(([id, columns]) => [0, id, ...Array.from({ length: columns }, () => (id === 0 ? 1 : 100 + shift))]);
  const load = (tick, ack, shift) => {
    const row = rows(shift);
    doubles(row.length).set(row);
    return tc.tc_load(tick, ack, 0, row.length);
  };
  let [now, seq] = [10, 0];
  const input = (first) => {
    doubles(width).set([first, ...Array.from({ length: width - 1 }, () => 0)]);
    tc.tc_input(++seq, now + 1, width);
  };
  const steps = (n) => {
    for (let k = 0; k < n; k++) {
      // A prediction ends two seconds after the newest state: after 40 ticks of the slowest game.
      if (k % 30 === 0) load(now, seq & 0xffff, 0);
      tc.tc_advance(++now);
    }
  };
  return {
    tc,
    now: () => now,
    read: () => [...doubles(tc.tc_read(now))],
    load: (shift) => load(now, seq & 0xffff, shift),
    input,
    steps,
    corrections: (n, ticks) => {
      load(now, seq & 0xffff, 0);
      now += ticks;
      tc.tc_advance(now);
      for (let k = 0; k < n; k++) {
        now++;
        tc.tc_advance(now);
        const result = load(now - ticks, seq & 0xffff, k % 2 === 0 ? 5 : 0);
        if ((result & (CORRECTED - 1)) !== ticks) throw new Error(`${result} is no correction of ${ticks} ticks`);
      }
    },
  };
}

/** Walks east for a while, and sees that a state without an avatar leaves nothing to draw. */
function play(predictor) {
  predictor.load(0);
  const [, , from] = predictor.read();
  predictor.input(1);
  predictor.steps(10);
  const [id, component, x] = predictor.read();
  assert.deepEqual([id, component], [0, 1]);
  assert.ok(x > from + 0.5, `the avatar is at ${x}, and was at ${from}`);
  predictor.steps(1);
  predictor.tc.tc_advance(predictor.now() + 1);
  predictor.tc.tc_load(predictor.now() + 1, 0, NO_AVATAR, 0);
  assert.equal(predictor.tc.tc_read(predictor.now() + 1), 0);
  predictor.steps(2);
}

/** The microseconds of CPU time of one of `n` operations: the median of nine runs. Other programs do not count. */
function measure(n, run) {
  run(n);
  const times = Array.from({ length: 9 }, () => {
    const began = process.cpuUsage();
    run(n);
    return process.cpuUsage(began).user / n;
  });
  return times.sort((a, b) => a - b)[4].toFixed(2);
}
