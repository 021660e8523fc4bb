// Reads the golden frames in `assets/wire` with the decoder beside this file. Rust writes them, and the SDK reads them, too.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Mirror, readEvents, writeInput } from "./decoder.mjs";
import { asset, main, say } from "./support.mjs";

main(() => {
  const folder = asset("wire");
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  assert.ok(files.length > 0);
  for (const name of files) check(name, JSON.parse(readFileSync(join(folder, name), "utf8")));
});

function check(name, { schema, frames, events, inputs }) {
  const mirror = new Mirror(schema);
  // The protocol does not say what a client does with invalid frames.
  const valid = frames.filter(({ ok, desync }) => ok && !desync);
  for (const { hex, note, avatar, state } of valid) {
    mirror.take(bytes(hex));
    if (state) assert.deepEqual({ tick: mirror.tick, entities: plain(mirror) }, state, note);
    if (avatar !== undefined) assert.equal(mirror.avatar, avatar, note);
  }
  for (const { hex, value } of events) {
    const { tick } = value;
    assert.deepEqual(
      readEvents(schema, bytes(hex)).map(json),
      value.events.map((event) => ({ tick, ...event })),
    );
  }
  for (const { hex, input, ...header } of inputs)
    assert.deepEqual(writeInput(schema, { ...header, ...input }), bytes(hex));
  say(`${name}: ${valid.length} frames, ${events.length} events, ${inputs.length} inputs`);
}

function plain(mirror) {
  return Object.fromEntries([...mirror.entities].map(([id, rows]) => [id, Object.fromEntries(rows)]));
}

/** A value as JSON has it, where bytes are hexadecimal. */
function json(value) {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, json(part)]));
}

function bytes(hex) {
  return Buffer.from(hex, "hex");
}
