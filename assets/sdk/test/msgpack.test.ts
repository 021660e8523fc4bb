// The reader and writer of MessagePack, held against `@msgpack/msgpack`, a plain reference.

import * as reference from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";

import { decode, encode } from "../src/msgpack.js";
import { randomNumbers } from "./support.js";

const RUNS = 300;

/** A generator of values that MessagePack has, nested and of different sizes. */
function randomValues(seed: number): () => unknown {
  const random = randomNumbers(seed);
  const below = (end: number): number => Math.floor(random() * end);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  // Sizes and integers cluster around the bounds between the types.
  const near = (bounds: readonly number[]): number => Math.max(0, oneOf(bounds) + below(5) - 2);
  const text = (): string =>
    oneOf(["a", "é", "€", "😀", "\0"]).repeat(near([0, 8, 32])) + "b".repeat(near([0, 32, 256]));
  const integer = (): number =>
    near([0, 32, 128, 256, 2 ** 15, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 40]) * oneOf([1, -1]) + 0;
  const float = (): number => oneOf([0.5, -0.1, 1e300, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 64), 2 ** -1074]);
  const binary = (): Uint8Array => new Uint8Array(near([0, 5, 256])).fill(below(256));
  const leaves = [() => null, () => oneOf([true, false]), integer, integer, float, text, binary];
  const value = (depth: number): unknown => {
    if (depth > 4 || random() < 0.4) return oneOf(leaves)();
    const length = near(depth < 2 ? [0, 5, 16] : [0, 2]);
    if (random() < 0.5) return Array.from({ length }, () => value(depth + 1));
    return Object.fromEntries(Array.from({ length }, (_, k) => [`${k}${oneOf(["", "a", "é"])}`, value(depth + 1)]));
  };
  return () => value(0);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** The result of a function, or the word that it throws an `Error`. */
function outcome(run: () => unknown): { value: unknown } | "an error" {
  try {
    return { value: run() };
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return "an error";
  }
}

describe("random values", () => {
  test("have the bytes of the reference, and are read back", () => {
    const value = randomValues(1);
    for (let k = 0; k < RUNS; k++) {
      const given = value();
      const bytes = encode(given);
      expect(hex(bytes)).toBe(hex(reference.encode(given)));
      expect(decode(bytes)).toEqual(given);
    }
  });

  test.each([0, 15, 16, 31, 32, 255, 256, 65_535, 65_536, 70_000])(
    "of the size %i have the bytes of the reference",
    (n) => {
      const list = Array.from({ length: n }, (_, k) => k & 1);
      for (const given of [
        "a".repeat(n),
        new Uint8Array(n),
        list,
        Object.fromEntries(list.map((one, k) => [k, one])),
      ]) {
        const bytes = encode(given);
        expect(Buffer.compare(bytes, reference.encode(given))).toBe(0);
        expect(decode(bytes)).toEqual(given);
      }
    },
  );

  test("are read from any part of a buffer, and from floats of 32 bits", () => {
    const value = randomValues(2);
    for (let k = 0; k < RUNS / 10; k++) {
      const given = value();
      const bytes = reference.encode(given, { forceFloat32: true });
      const inside = Buffer.concat([Buffer.from([0xc1]), bytes, Buffer.from([0xc1])]).subarray(1, -1);
      const expected = reference.decode(bytes);
      expect(decode(inside)).toEqual(expected);
      expect(decode(Uint8Array.from(bytes).buffer)).toEqual(expected);
    }
  });

  test("are errors when they are cut off or too long", () => {
    const value = randomValues(3);
    const random = randomNumbers(4);
    for (let k = 0; k < RUNS; k++) {
      const bytes = encode(value());
      expect(() => decode(bytes.subarray(0, Math.floor(random() * bytes.length)))).toThrow(RangeError);
      if (k % 10 === 0) expect(() => decode(Uint8Array.from([...bytes, 0]))).toThrow("1 bytes follow the value");
    }
  });

  test("with wrong bytes are an error or what the reference reads", () => {
    const value = randomValues(5);
    const random = randomNumbers(6);
    let read = 0;
    for (let k = 0; k < 2 * RUNS; k++) {
      const bytes = encode(value());
      for (let flips = 0; flips < 3; flips++) bytes[Math.floor(random() ** 2 * bytes.length)] = 256 * random();
      const result = outcome(() => decode(bytes));
      if (result === "an error") continue;
      read += 1;
      expect(result).toEqual(outcome(() => reference.decode(bytes)));
    }
    expect(read).toBeGreaterThan(RUNS / 10);
  });
});

describe("integers", () => {
  test.each([0n, 1n, -1n, 2n ** 53n - 1n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])(
    "of 64 bits are read: %d",
    (n) => {
      expect(decode(reference.encode(n, { useBigInt64: true }))).toBe(Number(n));
    },
  );

  test("are read from the widest of their types", () => {
    for (const [bytes, value] of [
      ["cf 00 00 00 00 00 00 00 05", 5],
      ["d3 ff ff ff ff ff ff ff fb", -5],
      ["d2 00 00 00 05", 5],
      ["ce 00 00 00 05", 5],
    ] as const)
      expect(decode(bytesOf(bytes))).toBe(value);
  });

  test("beyond 53 bits are written as floats", () => expect(hex(encode(2 ** 53))).toBe("cb4340000000000000"));
});

describe("hostile bytes are refused, at once and with a reason", () => {
  test.each([
    ["an array without its elements", "dd ff ff ff ff", "bounds"],
    ["a map without its fields", "df 80 00 00 00 01 01", "bounds"],
    ["a text without its bytes", "db ff ff ff ff 61", "4294967295 bytes are not there"],
    ["a short text without its bytes", "a5 61", "5 bytes are not there"],
    ["a binary without its bytes", "c6 ff ff ff ff 00", "4294967295 bytes are not there"],
    ["no bytes", "", "bounds"],
    ["the unused type", "c1", "0xc1 is an extension or unknown"],
    ["an extension", "d4 00 01", "0xd4 is an extension"],
    ["an extension that is cut off", "d4 00", "bounds"],
    ["a long extension", "c7 01 05 00", "0xc7 is an extension"],
    ["a timestamp", "d6 ff 00 00 00 00", "0xd6 is an extension"],
    ["the largest extension", "d8 00", "0xd8 is an extension"],
    ["a text that is no UTF-8", "a2 c3 28", "not valid"],
    ["a key that is no text", "81 c0 01", "null is no key of an object"],
    ["a key that would change the prototype", "81 a9 5f5f70726f746f5f5f 80", "__proto__ is no key of an object"],
  ])("%s", (_, bytes, reason) => expect(() => decode(bytesOf(bytes))).toThrow(reason));

  test("more than 100 levels", () => {
    const nested = (levels: number): Uint8Array => bytesOf(`${"91".repeat(levels)}c0`);
    expect(JSON.stringify(decode(nested(100)))).toBe(`${"[".repeat(100)}null${"]".repeat(100)}`);
    expect(() => decode(nested(101))).toThrow("more than 100 levels");
    expect(() => decode(bytesOf(`${"81a161".repeat(1_000)}c0`))).toThrow("more than 100 levels");
  });
});

describe("what JavaScript has and MessagePack has not", () => {
  test("is written as in JSON", () => {
    const value = { a: undefined, b: () => 1, c: [undefined, new Date(0)], d: { toJSON: () => ({ e: 1 }) } };
    expect(decode(encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
    expect(decode(encode(undefined))).toBe(null);
  });

  test("is refused", () => {
    for (const value of [1n, Symbol("s"), [() => 1]]) expect(() => encode(value)).toThrow(TypeError);
    const circle: unknown[] = [];
    circle.push({ circle });
    expect(() => encode(circle)).toThrow("more than 100 levels");
  });
});

test("a binary is a copy with memory of its own", () => {
  const bytes = Buffer.from("92 c4 02 07 08 c0".replaceAll(" ", ""), "hex");
  const [binary] = decode(bytes) as [Uint8Array];
  bytes.fill(0);
  expect(binary).toEqual(Uint8Array.of(7, 8));
  expect(binary.buffer.byteLength).toBe(2);
  expect(hex(encode([Uint8Array.of(1, 2).buffer, Uint8Array.of(0, 1, 2).subarray(1)]))).toBe("92c4020102c4020102");
});

test("a text keeps its byte order mark, and half of a character becomes the replacement character", () => {
  expect(decode(encode(`\ufeff${"a".repeat(300)}`))).toBe(`\ufeff${"a".repeat(300)}`);
  expect(decode(encode("\ud83d"))).toBe("\ufffd");
});
