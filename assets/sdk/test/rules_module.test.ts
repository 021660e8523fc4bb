// Prediction with a module: one that keeps to the table of exports in rustdoc of `tickcast::predict::module`, written in TypeScript.

import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import type { ToldEntity } from "../src/forecast.js";
import { loadPredict } from "../src/predict_later.js";
import { Rollback } from "../src/rollback.js";
import type { RulesExports } from "../src/rules_module.js";
import { RulesModule } from "../src/rules_module.js";
import { Schemas } from "../src/schema.js";
import { Match, SPEED, schema, step } from "./walking.js";

const schemas = new Schemas(schema);
const FRAME = 1000 / 60;
/** Position, aim and health: their ids, columns, and whether the rules write them. */
const NAMED = [1, 2, 1, 2, 1, 1, 3, 1, 0];
const UNITS: Record<number, number> = { 1: 1 / 32, 2: (2 * Math.PI) / 1024 };

const { Memory } = WebAssembly;

function fake(change: Partial<RulesExports> = {}): RulesExports {
  const rules = new Rollback(schemas, ["Pos", "Aim", "Hp"], step as never, {});
  const memory = new Memory({ initial: 1 });
  const doubles = (count: number): Float64Array => new Float64Array(memory.buffer, 0, count);
  const write = (values: readonly number[]): number => {
    exports.tc_buffer(values.length);
    doubles(values.length).set(values);
    return values.length;
  };
  const rows = (state: ReturnType<Rollback["at"]>): number[] =>
    [...(state ?? [])].flatMap(([id, all]) =>
      [1, 2].flatMap((component) => [id, component, ...(all[component] ?? []).map((v) => v * (UNITS[component] ?? 1))]),
    );
  const exports: RulesExports = {
    memory,
    tc_abi: () => 1,
    tc_buffer: () => 0,
    tc_open: (_seat, _teams, bytes) =>
      new TextDecoder().decode(new Uint8Array(memory.buffer, 0, bytes)) === "{}" ? 1 : 0,
    tc_describe: () => write([30, 3, 0, ...NAMED]) && 3,
    tc_reset: () => rules.reset(false),
    tc_input: (seq, tick, columns) => rules.input(seq, tick, [...doubles(columns)]),
    tc_load(tick, taken, avatar, count) {
      const all: number[][] = [];
      const values = [...doubles(count)];
      for (let k = 0; k < values.length; ) {
        const component = values[k + 1] ?? 0;
        const width = schemas.components[component]?.columns ?? 0;
        all[component] = values.slice(k + 2, k + 2 + width);
        k += 2 + width;
      }
      const loaded = rules.load({ tick, taken, margin: 0, avatar }, [{ id: avatar, rows: all }]);
      return loaded.replayed | (loaded.isCorrected ? 1 << 16 : 0);
    },
    tc_advance(tick) {
      rules.advance(tick);
      return rules.tick;
    },
    tc_read: (tick) => write(rows(rules.at(tick))),
    tc_peek: (columns) => write(rows(rules.peek([...doubles(columns)]))),
    ...change,
  };
  return exports;
}

/** The same exports, whose memory grows in every call, so that an older view of it is detached. `calls` is what was called. */
function growing(exports: RulesExports, calls: unknown[][] = []): RulesExports {
  const call = (name: string, run: (...args: number[]) => unknown, args: number[]): unknown => {
    calls.push([name, ...args]);
    const result = run(...args);
    (exports.memory as WebAssembly.Memory).grow(0);
    return result;
  };
  const wrapped = Object.entries(exports).map(([name, run]) => [name, (...args: number[]) => call(name, run, args)]);
  return { ...Object.fromEntries(wrapped), memory: exports.memory };
}

// The room predicts at once.
beforeAll(async () => void (await loadPredict()));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function predicted(change: Partial<RulesExports> = {}): Promise<Match> {
  vi.stubGlobal("WebAssembly", { instantiate: async () => ({ instance: { exports: growing(fake(change)) } }) });
  const match = new Match({ rtt: 100 });
  await match.play(0.5);
  await match.room.predictWith(new Uint8Array());
  match.room.input({ dir: "None" });
  await match.play(0.5);
  return match;
}

const x = ({ room }: Match): number => room.me("Pos")?.Pos.at.x as number;

describe("the rules as a module", () => {
  test("move the avatar in the picture after the key, and need no correction", async () => {
    const match = await predicted();
    const before = x(match);
    match.room.input({ dir: "E" });
    await vi.advanceTimersByTimeAsync(FRAME);
    expect(x(match)).toBeGreaterThan(before + (0.8 * SPEED) / 60);
    await match.play(1);
    match.room.input({ dir: "None", aim: 1 });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 4);
    expect(match.room.me("Aim")?.Aim).toBeCloseTo(match.me.Aim, 2);
    expect(match.room.stats.prediction).toMatchObject({ source: "module", corrections: 0, replayed: 0 });
  });

  test("take the server's state where it differs", async () => {
    const match = await predicted();
    match.me.Pos.at.x += 1;
    await match.play(1);
    expect(x(match)).toBeCloseTo(11, 2);
    expect(match.room.stats.prediction?.corrections).toBe(1);
  });

  test("start anew after a lost connection", async () => {
    const match = await predicted();
    match.room.input({ dir: "E" });
    await match.play(0.5);
    match.disconnect();
    await match.play(1);
    match.reconnect();
    await match.play(1);
    match.room.input({ dir: "None" });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
  });

  test("that trap are told of once, and play goes on", async () => {
    let isBroken = false;
    // After a trap, nothing of a module can be used.
    const trap = (): number => {
      if (isBroken) throw new RangeError("unreachable");
      return 0;
    };
    const match = await predicted({ tc_load: trap, tc_input: trap, tc_reset: trap, tc_advance: trap, tc_read: trap });
    isBroken = true;
    const faults: unknown[] = [];
    match.room.onFault((error) => faults.push(error.message));
    match.room.input({ dir: "E" });
    await match.play(2);
    expect(faults).toEqual(["a step failed: unreachable"]);
    expect(x(match)).toBeGreaterThan(15);
  });

  test.each([
    [{ tc_abi: () => 2 }, "the module has version 2 instead of 1"],
    [{ tc_open: () => 0 }, "the module does not know this configuration"],
  ])("of another kind are refused", async (change, message) => {
    await expect(predicted(change)).rejects.toThrow(message);
  });
});

describe("the server's own module", () => {
  /** A server that has version `v` of the module. */
  const serve = (v: string): ((url: string) => Promise<Response>) =>
    vi.fn(async (url: string) =>
      url === `http://walk.test/below/rules/walk.wasm?v=${v}`
        ? new Response(new Uint8Array([7]))
        : new Response("this server has another version of the rules\n", { status: 404 }),
    );

  async function play(v: string, rules?: string): Promise<Match> {
    vi.spyOn(WebAssembly, "instantiate").mockResolvedValue({ instance: { exports: fake() } } as never);
    vi.stubGlobal("fetch", serve(v));
    const match = new Match({ rtt: 100 }, rules);
    await match.play(0.5);
    return match;
  }

  test("is loaded from its address, while the match goes on", async () => {
    const match = await play("abc", "abc");
    await match.room.predictWith();
    await match.play(0.5);
    const before = x(match);
    match.room.input({ dir: "E" });
    await vi.advanceTimersByTimeAsync(FRAME);
    expect(x(match)).toBeGreaterThan(before);
    expect(WebAssembly.instantiate).toHaveBeenCalledWith(new Uint8Array([7]).buffer, {});
  });

  test("of another version is refused with the reason, and play goes on", async () => {
    const match = await play("new", "old");
    await expect(match.room.predictWith()).rejects.toThrow("404: this server has another version of the rules");
    match.room.input({ dir: "E" });
    await match.play(1);
    expect(x(match)).toBeGreaterThan(12);
  });

  test("that does not exist is not asked for", async () => {
    const match = await play("abc");
    await expect(match.room.predictWith()).rejects.toThrow("the server has no module for the rules of walk");
    expect(fetch).not.toHaveBeenCalled();
  });

  test("that comes after the end of the match is not used", async () => {
    const match = await play("abc", "abc");
    const loading = match.room.predictWith();
    match.channel.receive("over", { reason: "finished", message: "", winners: [] });
    (await loading)();
    expect(match.room.stats.prediction).toBeUndefined();
  });
});

describe("a module by itself", () => {
  const match = { seat: 2, teams: 0, config: {} };
  const EAST = [1, 0, 0];
  const told = (tick: number, taken = 0): [Parameters<RulesModule["load"]>[0], readonly ToldEntity[]] => [
    { tick, taken, margin: 1, avatar: 5 },
    [{ id: 5, rows: [[2], [320, 320], [0], [100]] }],
  ];
  const x = (rules: RulesModule, tick: number): number => (rules.at(tick)?.get(5)?.[1]?.[0] ?? NaN) / 32;

  test("is told the lower half of the number of the newest input that was taken", () => {
    const calls: unknown[][] = [];
    const rules = new RulesModule(growing(fake(), calls), schemas, match);
    rules.load(...told(100, 70_000));
    expect(calls.find(([name]) => name === "tc_load")).toEqual(["tc_load", 100, 4_464, 5, 4 + 3 + 3]);
  });

  test.each([
    { keepsInputs: false, walked: 0 },
    { keepsInputs: true, walked: 3 },
  ])(
    "starts anew, and has walked $walked of 3 ticks then if keepsInputs is $keepsInputs",
    ({ keepsInputs, walked }) => {
      const calls: unknown[][] = [];
      const rules = new RulesModule(growing(fake(), calls), schemas, match);
      rules.load(...told(100));
      rules.input(1, 101, EAST);
      rules.advance(105);
      rules.reset(keepsInputs);
      calls.length = 0;
      rules.advance(106);
      expect([rules.tick, rules.at(105), calls]).toEqual([0, undefined, []]);
      rules.load(...told(120, 1));
      rules.advance(123);
      expect(x(rules, 123)).toBeCloseTo(10 + (walked * SPEED) / 30);
      // An input that was forgotten stays so.
      rules.reset(false);
      rules.reset(true);
      rules.load(...told(130));
      rules.advance(133);
      expect(x(rules, 133)).toBe(10);
    },
  );

  test.each([
    [0, { isCorrected: false, isSnapped: false, replayed: 0 }],
    [3 + (1 << 16), { isCorrected: true, isSnapped: false, replayed: 3 }],
    [3 + (1 << 16) + (1 << 17), { isCorrected: true, isSnapped: true, replayed: 3 }],
  ])("says by %i what it made of a state", (flags, loaded) => {
    const rules = new RulesModule(growing(fake({ tc_load: () => flags })), schemas, match);
    expect(rules.load(...told(100))).toEqual(loaded);
  });
});
