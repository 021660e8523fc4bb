import { describe, expect, test } from "vitest";

import { FrameError } from "../src/errors.js";
import { bitsOf, decodeFrame, idsOf } from "../src/frame.js";
import type { Entity } from "../src/mirror.js";
import { feed, frame, schema, schemas, stateOf } from "./support.js";

const SEAT_POS = 0b11;
/** Entities 0 and 1 with Seat and Pos. */
const START = [0, 10, 0, 0, 0, [-1, SEAT_POS, [-2], 1, 4, 6, 2, -8, 0]];
const STATE = { 0: { 0: [1], 1: [4, 6] }, 1: { 0: [2], 1: [-8, 0] } };

const ids = (entities: Iterable<Entity> | undefined): number[] => [...(entities ?? [])].map((entity) => entity.id);

test("a list of ids has runs and single ids", () => {
  expect(idsOf([-100])).toEqual(Array.from({ length: 100 }, (_, id) => id));
  expect(idsOf([3, 0, 1])).toEqual([3, 4, 6]);
  expect(idsOf([3, -2, 1])).toEqual([3, 4, 5, 7]);
});

test("masks have 53 bits", () => {
  expect(bitsOf(0)).toEqual([]);
  expect(bitsOf(2 ** 52 + 2 ** 32 + 1)).toEqual([0, 32, 52]);
});

describe("a frame on the starting state", () => {
  const cases: [name: string, parts: unknown[], expected: object][] = [
    ["nothing", [1, 11, 1, 0, 0], STATE],
    ["spawns", [1, 11, 1, 0, 0, [-1, 0b110, [4], 2, 2, 100]], { ...STATE, 4: { 1: [2, 2], 2: [100] } }],
    ["spawns with component 52", [1, 11, 1, 0, 0, [-1, 2 ** 52, [4], 1, 0, 7]], { ...STATE, 4: { 52: [1, 0, 7] } }],
    ["spawns an entity that is there", [1, 11, 1, 0, 0, [-1, 0b100, [0], 9]], { ...STATE, 0: { ...STATE[0], 2: [9] } }],
    ["spawns with no component", [1, 11, 1, 0, 0, [-1, 0, [7]]], { ...STATE, 7: {} }],
    ["despawns", [1, 11, 1, 0, 0, [-3, [1]]], { 0: STATE[0] }],
    ["despawns the unknown", [1, 11, 1, 0, 0, [-3, [9]]], STATE],
    ["removes a component", [1, 11, 1, 0, 0, [-2, 1, [-2]]], { 0: { 0: [1] }, 1: { 0: [2] } }],
    ["removes what is not there", [1, 11, 1, 0, 0, [-2, 2, [0]], [-2, 1, [8]]], STATE],
    [
      "adds a difference",
      [1, 11, 1, 0, 0, [1, 0b10, [-2], [5, -1]]],
      { 0: { 0: [1], 1: [4, 11] }, 1: { 0: [2], 1: [-8, -1] } },
    ],
    [
      "sets in a merged diff",
      [2, 15, 5, 0, 0, [1, 0b10, [-2], [5, -1]]],
      { 0: { 0: [1], 1: [4, 5] }, 1: { 0: [2], 1: [-8, -1] } },
    ],
    ["changes both columns", [1, 11, 1, 0, 0, [1, 0b11, [1], [1], [2]]], { 0: STATE[0], 1: { 0: [2], 1: [-7, 2] } }],
    ["inserts into an entity", [1, 11, 1, 0, 0, [2, 1, [0], [50]]], { ...STATE, 0: { ...STATE[0], 2: [50] } }],
    ["inserts a component of no columns", [1, 11, 1, 0, 0, [4, 0, [0]]], { ...STATE, 0: { ...STATE[0], 4: [] } }],
    ["inserts zeros", [1, 11, 1, 0, 0, [1, 0, [5]]], { ...STATE, 5: { 1: [0, 0] } }],
    ["ignores unknown sections", [1, 11, 1, 0, 0, [-9, "new"], [-5], [-3, [1]]], { 0: STATE[0] }],
    ["reuses an id at once", [1, 11, 1, 0, 0, [-3, [0]], [-1, 1, [0], 3]], { 0: { 0: [3] }, 1: STATE[1] }],
    ["replaces everything", [0, 40, 0, 0, 0, [-1, 1, [1], 2], [2, 1, [3], [1]]], { 1: { 0: [2] }, 3: { 2: [1] } }],
  ];
  test.each(cases)("%s", (_, parts, expected) => {
    const { mirror, take } = feed();
    take(...START);
    expect(take(...parts)).toBeDefined();
    expect(stateOf(mirror)).toEqual(expected);
    expect(mirror.tick).toBe(parts[1]);
  });
});

test("an angle wraps in both directions", () => {
  const { mirror, take } = feed();
  take(0, 1, 0, 0, 0, [-1, 0b1000, [-2], 250, 3]);
  take(1, 2, 1, 0, 0, [3, 1, [-2], [10, -5]]);
  expect(stateOf(mirror)).toEqual({ 0: { 3: [4] }, 1: { 3: [254] } });
});

test("a diff that starts from another tick does nothing", () => {
  const { mirror, take } = feed();
  expect(take(1, 1, 1, 0, 0, [-1, 1, [0], 1])).toBeUndefined();
  take(...START);
  for (const parts of [
    [1, 12, 1, 0, 0, [-3, [0]]],
    [2, 20, 9, 0, 0, [-3, [0]]],
  ])
    expect(take(...parts)).toBeUndefined();
  expect(stateOf(mirror)).toEqual(STATE);
  expect(mirror.tick).toBe(10);
});

describe("an invalid frame is refused and changes nothing:", () => {
  const cases: [name: string, parts: unknown[]][] = [
    ["an unknown kind", [3, 11, 1, 0, 0]],
    ["a short head", [1, 11, 1, 0]],
    ["a float tick", [1, 11.5, 1, 0, 0]],
    ["a snapshot with an age", [0, 11, 1, 0, 0]],
    ["an age before time began", [1, 11, 12, 0, 0]],
    ["a section that is not an array", [1, 11, 1, 0, 0, [-3, [0]], 5]],
    ["an empty section", [1, 11, 1, 0, 0, [-3, [0]], []]],
    ["a despawn in a snapshot", [0, 11, 0, 0, 0, [-3, [0]]]],
    ["a removal in a snapshot", [0, 11, 0, 0, 0, [-2, 1, [0]]]],
    ["a short spawn", [1, 11, 1, 0, 0, [-3, [0]], [-1, SEAT_POS, [5], 1, 2]]],
    ["a long spawn", [1, 11, 1, 0, 0, [-1, SEAT_POS, [5], 1, 2, 3, 4]]],
    ["a spawn with an unknown component", [1, 11, 1, 0, 0, [-1, 2 ** 40, [5], 1]]],
    ["a string among values", [1, 11, 1, 0, 0, [-1, SEAT_POS, [5], 1, "2", 3]]],
    ["a float among values", [1, 11, 1, 0, 0, [1, 1, [0], [0.5]]]],
    ["too few columns", [1, 11, 1, 0, 0, [-3, [1]], [1, 0b11, [0], [1]]]],
    ["a column that the component has not", [1, 11, 1, 0, 0, [1, 0b100, [0], [1]]]],
    ["a column of another length", [1, 11, 1, 0, 0, [1, 1, [-2], [1]]]],
    ["a negative mask", [1, 11, 1, 0, 0, [1, -1, [0], [1]]]],
    ["ids that are not an array", [1, 11, 1, 0, 0, [-3, 0]]],
    ["more entities than can be", [1, 11, 1, 0, 0, [-3, [-4_000_000_000]]]],
    ["a checksum before the end", [1, 11, 1, 0, 0, [-4, 0, 1], [-3, [0]]]],
    ["a component that the schema has not", [1, 11, 1, 0, 0, [51, 1, [0], [1]]]],
    ["a section that does not begin with an integer", [1, 11, 1, 0, 0, ["x"]]],
    ["an ack of more than 16 bits", [1, 11, 1, 65536, 0]],
    ["a margin that is too small", [1, 11, 1, 0, -33]],
    ["half a checksum", [1, 11, 1, 0, 0, [-4, 0]]],
  ];
  test.each(cases)("%s", (_, parts) => {
    const { mirror, take } = feed();
    take(...START);
    expect(() => take(...parts)).toThrow(FrameError);
    expect(stateOf(mirror)).toEqual(STATE);
    expect(mirror.tick).toBe(10);
  });

  test("bytes that are not one MessagePack array", () => {
    const whole = frame(...START);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeFrame(whole.subarray(0, length), schemas)).toThrow(FrameError);
    }
    expect(() => decodeFrame(new Uint8Array([...whole, 0]), schemas)).toThrow(FrameError);
    expect(() => decodeFrame(new Uint8Array([0xc1]), schemas)).toThrow(FrameError);
    expect(() => decodeFrame(new Uint8Array(5_000).fill(0x91), schemas)).toThrow(FrameError);
  });
});

describe("the changes of a frame", () => {
  test("are listed by entity and component", () => {
    const { take } = feed();
    const first = take(...START);
    expect(ids(first?.spawned)).toEqual([0, 1]);
    expect(ids(first?.changed[1])).toEqual([0, 1]);
    const second = take(1, 11, 1, 0, 0, [-3, [0]], [-2, 0, [1]], [-1, 1, [0], 7], [1, 1, [1], [1]]);
    expect(ids(second?.despawned)).toEqual([0]);
    expect(ids(second?.spawned)).toEqual([0]);
    expect(ids(second?.stripped[0])).toEqual([1]);
    expect(ids(second?.changed[1])).toEqual([1]);
    expect(second?.despawned[0]?.rows[1]).toEqual([4, 6]);
  });

  test("omit what came and went within the frame", () => {
    const { take } = feed();
    take(...START);
    const applied = take(1, 11, 1, 0, 0, [-1, 1, [5], 1], [0, 1, [1], [1]], [-3, [1, 3]], [-2, 1, [0]], [1, 0, [0]]);
    expect(ids(applied?.spawned)).toEqual([]);
    expect(ids(applied?.despawned)).toEqual([1]);
    expect(ids(applied?.changed[0])).toEqual([]);
    expect(ids(applied?.stripped[1])).toEqual([]);
    expect(ids(applied?.changed[1])).toEqual([0]);
  });

  test("are the differences, for a snapshot", () => {
    const { mirror, take } = feed();
    take(...START);
    const stays = mirror.entities.get(1);
    const applied = take(0, 20, 0, 0, 0, [-1, SEAT_POS, [1, 0], 2, -8, 1, 3, 0, 0]);
    expect(mirror.entities.get(1)).toBe(stays);
    expect(ids(applied?.spawned)).toEqual([2]);
    expect(ids(applied?.despawned)).toEqual([0]);
    expect(ids(applied?.changed[0])).toEqual([2]);
    expect(ids(applied?.changed[1])).toEqual([1, 2]);
  });
});

describe("a snapshot after a long absence", () => {
  /** Returns the changes of a snapshot of entity 1 that comes this many ticks after the last frame. */
  const absent = (ticks: number) => {
    const { mirror, take } = feed();
    take(...START);
    const old = mirror.entities.get(1);
    const applied = take(0, 10 + ticks, 0, 0, 0, [-1, SEAT_POS, [1], 2, -8, 1]);
    return { same: mirror.entities.get(1) === old, old, applied };
  };

  test("keeps the entities while freed ids rest", () => {
    const { same, applied } = absent(10 * schema.hz);
    expect([same, ids(applied?.spawned), ids(applied?.despawned)]).toEqual([true, [], [0]]);
  });

  test("despawns all entities and spawns those it has", () => {
    const { same, old, applied } = absent(10 * schema.hz + 1);
    expect([same, ids(applied?.spawned), ids(applied?.despawned)]).toEqual([false, [1], [0, 1]]);
    expect(applied?.despawned).toContain(old);
    expect(ids(applied?.changed[1])).toEqual([1]);
  });
});

describe("the checksum", () => {
  test("is FNV-1a over id and columns, summed", () => {
    const { mirror, take } = feed();
    take(...START);
    const term = (...words: number[]): number => {
      let h = 2166136261n;
      for (const word of words) h = ((h ^ BigInt.asUintN(32, BigInt(word))) * 16777619n) % 2n ** 32n;
      return Number(h);
    };
    expect(mirror.checksum(1)).toBe((term(0, 4, 6) + term(1, -8, 0)) % 2 ** 32);
    expect(mirror.checksum(2)).toBe(0);
  });

  test("is compared after the frame", () => {
    const { mirror, take } = feed();
    take(...START);
    const sum = mirror.checksum(0);
    expect(take(1, 11, 1, 0, 0, [-4, 0, sum], [-4, 2, 0])?.mismatches).toEqual([]);
    expect(take(1, 12, 1, 0, 0, [-3, [0]], [-4, 0, sum])?.mismatches).toEqual([
      { component: 0, expected: sum, got: mirror.checksum(0) },
    ]);
  });
});

test("an entity has its values by name, updated by each change", () => {
  const { mirror, take } = feed();
  take(0, 1, 0, 0, 0, [-1, 2 ** 52 + 0b11110, [0], 3, -4, 80, 64, 1, 1, 25]);
  const entity = mirror.entities.get(0) as unknown as Record<string, unknown>;
  expect(entity.Pos).toEqual({ at: { x: 1.5, y: -2 } });
  expect(entity.Hp).toBe(80);
  expect(entity.Aim).toBeCloseTo(Math.PI / 2);
  expect(entity.Burning).toBe(true);
  expect(entity.Mood).toEqual({ kind: "wild", awake: true, size: 2.5 });
  expect(entity.Seat).toBeUndefined();
  expect(entity.Pos).toBe(entity.Pos);
  take(1, 2, 1, 0, 0, [2, 1, [0], [-30]], [-2, 4, [0]]);
  expect(entity.Hp).toBe(50);
  expect(entity.Burning).toBeUndefined();
});
