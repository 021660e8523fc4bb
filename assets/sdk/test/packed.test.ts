import { describe, expect, test } from "vitest";

import { unpackColumn, unpackIds } from "../src/packed.js";

/** Bits in the order of the stream, lowest bit of each number first. */
const stream = (bits: string): number[] =>
  (bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt([...byte.padEnd(8, "0")].reverse().join(""), 2));
const number = (value: number, bits: number): string => [...value.toString(2).padStart(bits, "0")].reverse().join("");

/** The encoding of docs/PROTOCOL.md, as text. */
function rice(value: number, parameter: number): string {
  const zeros = Math.floor(value / 2 ** parameter);
  if (zeros >= 16) return "0".repeat(16) + number(value, 32);
  return `${"0".repeat(zeros)}1${parameter > 0 ? number(value % 2 ** parameter, parameter) : ""}`;
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const list = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe("packed ids", () => {
  test.each([0, 1, 5, 30])("are gaps with the parameter %i", (parameter) => {
    const ids = [0, 1, 3, 4, 20, 21, 1000, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff];
    const gaps = ids.map((id, n) => id - (ids[n - 1] ?? -1) - 1);
    expect(unpackIds(list(parameter, ...stream(gaps.map((gap) => rice(gap, parameter)).join(""))))).toEqual(ids);
  });

  test.each([
    ["nothing", []],
    ["another form", [31, 1]],
    ["a code that is cut off", [8, 1]],
    ["a byte too many", [0, 1, 0]],
    ["an id beyond 32 bits", [0, 0, 0, 255, 255, 255, 255, 1]],
  ])("are refused: %s", (_, bytes) => expect(() => unpackIds(list(...bytes))).toThrow(RangeError));
});

describe("a packed column", () => {
  const values = [0, -1, 5, -16, 16, 100_000, -(2 ** 31), 2 ** 31 - 1];

  test.each([0, 4, 30])("is in Rice codes with the parameter %i", (parameter) => {
    const codes = values.map((value) => rice(zigzag(value), parameter)).join("");
    expect(unpackColumn(list(parameter, ...stream(codes)), values.length)).toEqual(values);
  });

  test("matches the example of the protocol", () => {
    expect(unpackColumn(list(0x1f, 5, 6, 0xe4, 0xe2, 0x3f), 8)).toEqual([-3, -2, 3, 0, -3, 3, 3, 3]);
  });

  test("covers the smallest and the largest span", () => {
    expect(unpackColumn(list(31, 1, 1, 0b101), 3)).toEqual([0, -1, 0]);
    // With 2^31 values, each takes 31 bits.
    const codes = number(0, 31) + number(2 ** 31 - 1, 31);
    const least = [0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(unpackColumn(list(31, ...least, 0xff, 0xff, 0xff, 0xff, 7, ...stream(codes)), 2)).toEqual([-(2 ** 31), -1]);
  });

  test.each([
    ["nothing", [], 0],
    ["another form", [32, 1], 1],
    ["a value too many", [0, 3], 1],
    ["a value too few", [7, 1], 2],
    ["a byte too many", [0, 1, 0], 1],
    ["values of no bits", [31, 0, 0], 1_000_000],
    ["a span beyond 31 bits", [31, 0, 0x80, 0x80, 0x80, 0x80, 8, 0, 0, 0, 0, 0], 1],
    ["an endless number", [31, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 0], 1],
  ])("is refused: %s", (_, bytes, count) => expect(() => unpackColumn(list(...bytes), count)).toThrow(RangeError));
});

test("any bytes are either a list or refused", () => {
  let seed = 1;
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 16;
  for (const _ of range(5_000)) {
    const bytes = list(next() % 34, ...range(next() % 20).map(() => next() % 256));
    for (const unpack of [unpackIds, (packed: Uint8Array) => unpackColumn(packed, next() % 50)]) {
      try {
        const values = unpack(bytes);
        expect(values.length).toBeLessThanOrEqual(8 * bytes.length);
        expect(values.every(Number.isSafeInteger)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  }
});
