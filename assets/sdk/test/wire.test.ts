// Golden frames. The Rust tests read `assets/wire` as well, which shows that both sides agree about the same bytes.
// `test/wire` holds frames that were written by hand from docs/PROTOCOL.md.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, test } from "vitest";

import { FrameError } from "../src/errors.js";
import { decodeEvents, decodeFrame } from "../src/frame.js";
import { inflated, isDeflated } from "../src/inbox.js";
import { encodeInput } from "../src/input.js";
import type { Applied } from "../src/mirror.js";
import { Mirror } from "../src/mirror.js";
import { encode } from "../src/msgpack.js";
import { loadPacked } from "../src/packed_later.js";
import type { Schema } from "../src/schema.js";
import { Schemas } from "../src/schema.js";
import { stateOf } from "./support.js";

beforeAll(loadPacked);

interface Golden {
  schema: Schema;
  /** Applied in order to one mirror. A frame that is not `ok` leaves it unchanged. */
  frames?: {
    hex: string;
    note: string;
    ok: boolean;
    /** The components whose checksum differs. Default: none. */
    desync?: number[];
    /** The seat's avatar after the frame. */
    avatar?: number | null;
    state?: { tick: number; entities: Record<string, Record<string, number[]>> };
  }[];
  events?: { hex: string; value: { tick: number; events: { name: string; value: unknown }[] } }[];
  inputs?: { input: unknown; ack: number; seq: number; tick: number; behind?: number; hex: string }[];
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function filesIn(folder: string): string[] {
  const path = fileURLToPath(new URL(folder, import.meta.url));
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(".json"))
    .map((name) => `${path}/${name}`);
}

async function applied(mirror: Mirror, bytes: Uint8Array, schemas: Schemas): Promise<Applied | undefined> {
  try {
    return mirror.apply(decodeFrame(isDeflated(bytes) ? await inflated(bytes) : bytes, schemas));
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError);
    return undefined;
  }
}

/** A value as JSON has it, where bytes are hexadecimal. */
function withHex(value: unknown): unknown {
  if (value instanceof Uint8Array) return { hex: hexOf(value) };
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withHex(field)]));
}

function check(file: string): void {
  const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;
  const schemas = new Schemas(golden.schema);
  test("its frames give the same state", async () => {
    const mirror = new Mirror(schemas);
    for (const { hex, note, ok, desync, avatar, state } of golden.frames ?? []) {
      const before = { tick: mirror.tick, entities: stateOf(mirror) };
      const result = await applied(mirror, bytesOf(hex), schemas);
      expect(result !== undefined, `${note}: taken`).toBe(ok);
      if (result)
        expect(
          result.mismatches.map(({ component }) => component),
          `${note}: checksums`,
        ).toEqual(desync ?? []);
      const after = { tick: mirror.tick, entities: stateOf(mirror) };
      expect(after, note).toEqual(ok ? (state ?? after) : before);
      if (avatar !== undefined) expect(mirror.avatar ?? null, `${note}: avatar`).toBe(avatar);
    }
  });
  test("its events give the same values", () => {
    for (const { hex, value } of golden.events ?? []) {
      const { tick, events } = decodeEvents(bytesOf(hex), schemas);
      expect({ tick, events: events.map(({ name, value }) => ({ name, value: withHex(value) })) }).toEqual(value);
    }
  });
  test("its inputs give the same bytes", () => {
    for (const { input, ack, seq, tick, behind, hex } of golden.inputs ?? []) {
      const row = schemas.input.write(input, schemas.input.blank());
      expect(hexOf(encodeInput(ack, { seq, tick, row, behind }))).toBe(hex);
    }
  });
}

for (const file of filesIn("wire")) describe(`own ${basename(file)}`, () => check(file));

const shared = filesIn("../../wire");
for (const file of shared) describe(basename(file), () => check(file));

describe("assets/wire", () => {
  test("has golden frames", () => expect(shared).not.toEqual([]));
});

describe("events", () => {
  const fields: Schema["events"][number]["fields"] = [
    { name: "by", type: "int" },
    { name: "word", type: "text", max: 8 },
    { name: "line", type: "bytes", max: 8 },
  ];
  const said = { id: 3, name: "Said", shape: "struct" as const, fields };
  const input = { name: "Pad", shape: "unit" as const, fields: [] };
  const schemas = new Schemas({ game: "talk", protocol: 1, hz: 10, components: [], events: [said], input });
  const decoded = (...values: unknown[]) => decodeEvents(encode([7, [3, ...values]]), schemas);

  test("carry texts and bytes", () => {
    const value = { by: 1, word: "cat", line: Uint8Array.of(1, 2) };
    expect(decoded(1, "cat", Uint8Array.of(1, 2))).toEqual({ tick: 7, events: [{ name: "Said", value }] });
  });
  test.each([
    ["a text that is a number", [1, 2, Uint8Array.of()]],
    ["a text that is bytes", [1, Uint8Array.of(), Uint8Array.of()]],
    ["bytes that are a text", [1, "cat", "dog"]],
    ["bytes that are an array", [1, "cat", []]],
    ["a number that is a text", ["1", "cat", Uint8Array.of()]],
    ["a field too few", [1, "cat"]],
    ["a field too many", [1, "cat", Uint8Array.of(), 0]],
  ])("with %s are refused", (_, values) => {
    expect(() => decoded(...values)).toThrow(FrameError);
  });
  test("that the schema does not have may have any fields", () => {
    expect(decodeEvents(encode([7, [9, "x", null, [1]]]), schemas)).toEqual({ tick: 7, events: [] });
  });
});
