// Which part of a frame takes how many bytes. Pure. It only measures: the SDK reads the frame itself.

import type { Schemas } from "../schema.js";

/** Bytes by what they are for: the name of a component, or a name in lower case. */
export type Sizes = Map<string, number>;

/** The heads of sections other than changes, as MessagePack writes them: −1 to −5 in one byte. */
const HEADS: Record<number, string> = {
  255: "spawns",
  254: "removals",
  253: "despawns",
  252: "checksums",
  251: "avatar",
};
/** kind, tick, age, ack, margin */
const BEFORE_SECTIONS = 5;
/** A section has arrays of numbers. */
const DEEPEST = 3;

/** Adds the sizes of a frame's parts. */
export function addFrame(sizes: Sizes, bytes: Uint8Array, schemas: Schemas): void {
  // A compressed snapshot is one binary.
  if (isBinary(bytes[0] ?? 0)) add(sizes, "snapshots", bytes.length);
  else addSections(sizes, bytes, schemas);
}

function addSections(sizes: Sizes, bytes: Uint8Array, schemas: Schemas): void {
  let { at, count } = arrayAt(bytes, 0);
  for (let n = 0; n < BEFORE_SECTIONS; n++) at = after(bytes, at);
  add(sizes, "heads", Math.min(at, bytes.length));
  for (let n = BEFORE_SECTIONS; n < count && at < bytes.length; n++) {
    const head = bytes[arrayAt(bytes, at).at] ?? 0;
    const end = Math.min(after(bytes, at), bytes.length);
    add(sizes, HEADS[head] ?? schemas.components[head]?.name ?? "other", end - at);
    at = end;
  }
}

/** Adds bytes under a name. */
export function add(sizes: Sizes, name: string, bytes: number): void {
  sizes.set(name, (sizes.get(name) ?? 0) + bytes);
}

/** The array at an offset: where its first element is, and how many it has. No elements, if it is no array. */
function arrayAt(bytes: Uint8Array, at: number): { at: number; count: number } {
  const first = bytes[at] ?? 0;
  if (first >> 4 === 0x9) return { at: at + 1, count: first & 0xf };
  if (first === 0xdc) return { at: at + 3, count: big(bytes, at + 1, 2) };
  if (first === 0xdd) return { at: at + 5, count: big(bytes, at + 1, 4) };
  return { at, count: 0 };
}

/** The bytes of numbers after their first one, by type from 0xca to 0xd3. */
const NUMBERS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

/** Where the value at an offset ends. Frames have integers, arrays and binaries; anything else ends the frame. */
function after(bytes: Uint8Array, at: number, depth = 0): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80 || first >= 0xe0) return at + 1;
  if (first >= 0xca && first <= 0xd3) return at + 1 + (NUMBERS[first - 0xca] ?? 0);
  if (isBinary(first)) {
    const width = 1 << (first - 0xc4);
    return at + 1 + width + big(bytes, at + 1, width);
  }
  const array = arrayAt(bytes, at);
  if (array.at === at || depth > DEEPEST) return bytes.length;
  for (let n = 0; n < array.count && array.at < bytes.length; n++) array.at = after(bytes, array.at, depth + 1);
  return array.at;
}

function isBinary(first: number): boolean {
  return first >= 0xc4 && first <= 0xc6;
}

function big(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let k = 0; k < width; k++) value = value * 256 + (bytes[at + k] ?? 0);
  return value;
}
