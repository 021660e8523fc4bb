// Decodes frames and game events. A frame is validated completely before it is used, so that the mirror applies all of
// it or nothing. Nothing here depends on the state of the mirror.

import { integer, natural, within } from "./checks.js";
import { FrameError, messageOf } from "./errors.js";
import { decode } from "./msgpack.js";
import { unpack } from "./packed_later.js";
import type { Schemas, Slot } from "./schema.js";

export const SNAPSHOT = 0;
export const DIFF = 1;
export const MERGED = 2;

export type Section =
  | { is: "despawn"; ids: number[] }
  | { is: "strip"; component: number; ids: number[] }
  /** `values` holds the rows of all entities from index `first` on. */
  | { is: "spawn"; components: number[]; ids: number[]; values: readonly number[]; first: number }
  | { is: "change"; component: number; columns: number[]; ids: number[]; values: readonly (readonly number[])[] };

export interface Checksum {
  component: number;
  sum: number;
}

export interface Frame {
  kind: 0 | 1 | 2;
  tick: number;
  /** The tick that a diff applies to. For a snapshot, its own tick. */
  base: number;
  ack: number;
  margin: number;
  /** The seat's avatar; `null` if it has none any more, `undefined` if it is the same as before. */
  avatar: number | null | undefined;
  sections: Section[];
  checksums: Checksum[];
}

export interface GameEvent {
  name: string;
  value: unknown;
}

export interface GameEvents {
  tick: number;
  events: GameEvent[];
}

/** Far more entities than a room has. A frame with more is invalid. */
const MAX_ENTITIES = 1 << 20;
const U32 = 0xffff_ffff;

/** Decodes the decompressed bytes of an event `s`. Throws a `FrameError` that says what is wrong with them. */
export function decodeFrame(bytes: Uint8Array, schemas: Schemas): Frame {
  const all = decodeArray(bytes);
  const kind = natural(all[0], "kind", MERGED) as Frame["kind"];
  const tick = natural(all[1], "tick", U32);
  // A snapshot needs no older state.
  const age = natural(all[2], "age", kind === SNAPSHOT ? 0 : tick);
  const frame: Frame = {
    kind,
    tick,
    base: tick - age,
    ack: natural(all[3], "ack", 0xffff),
    margin: within(all[4], "margin", -32, 127),
    avatar: kind === SNAPSHOT ? null : undefined,
    sections: [],
    checksums: [],
  };
  for (let k = 5; k < all.length; k++) readSection(array(all[k], "section"), frame, schemas);
  return frame;
}

/** Decodes the game events of an event `e`. Throws a `FrameError`. */
export function decodeEvents(bytes: Uint8Array, schemas: Schemas): GameEvents {
  const all = decodeArray(bytes);
  const tick = natural(all[0], "tick");
  const events: GameEvent[] = [];
  for (let k = 1; k < all.length; k++) {
    const [id, ...row] = array(all[k], "event");
    const codec = schemas.events[natural(id, "id")];
    // An event that the schema does not have is meant for a newer program.
    if (!codec) continue;
    lengthIs(row, codec.columns, `event ${codec.name}`);
    for (const slot of codec.slots) checkField(slot, row);
    events.push({ name: codec.name, value: codec.read(row as number[]) });
  }
  return { tick, events };
}

/** The indices of the set bits of a mask of up to 53 bits, ascending. */
export function bitsOf(mask: number): number[] {
  const bits: number[] = [];
  for (let rest = mask, bit = 0; rest > 0; rest = Math.floor(rest / 2), bit++) {
    if (rest % 2 === 1) bits.push(bit);
  }
  return bits;
}

/** Decodes a list of ascending ids: gaps and runs, as the protocol describes. */
export function idsOf(walk: readonly unknown[]): number[] {
  const ids: number[] = [];
  let next = 0;
  for (const step of walk) {
    const value = integer(step, "id");
    const end = value < 0 ? next - value : next + value + 1;
    natural(end - 1, "id", U32);
    natural(ids.length - Math.min(value, 0), "number of entities", MAX_ENTITIES);
    for (let id = value < 0 ? next : end - 1; id < end; id++) ids.push(id);
    next = end;
  }
  return ids;
}

function readSection(section: readonly unknown[], frame: Frame, schemas: Schemas): void {
  const head = integer(section[0], "section");
  if (head === -4) {
    frame.checksums.push(...readChecksums(section, schemas));
    return;
  }
  if (head === -5) {
    within(section.length, "length of avatar", 1, 2);
    frame.avatar = section.length === 1 ? null : natural(section[1], "avatar", U32);
    return;
  }
  // A section of a later protocol is ignored.
  if (head < -5) return;
  if (frame.checksums.length > 0) throw new FrameError("the checksums are not the last section");
  if (head === -1) {
    frame.sections.push(readSpawn(section, schemas));
  } else if (head === -2 || head === -3) {
    if (frame.kind === SNAPSHOT) throw new FrameError("a snapshot removes an entity or a component");
    frame.sections.push(head === -3 ? readDespawn(section) : readStrip(section, schemas));
  } else {
    frame.sections.push(readChange(section, head, schemas));
  }
}

function readDespawn(section: readonly unknown[]): Section {
  lengthIs(section, 2, "despawn");
  return { is: "despawn", ids: readIds(section[1]) };
}

function readStrip(section: readonly unknown[], schemas: Schemas): Section {
  lengthIs(section, 3, "component removal");
  const component = natural(section[1], "component");
  known(component, schemas);
  return { is: "strip", component, ids: readIds(section[2]) };
}

function readSpawn(section: readonly unknown[], schemas: Schemas): Section {
  const components = bitsOf(natural(section[1], "mask"));
  const ids = readIds(section[2]);
  let width = 0;
  for (const component of components) width += known(component, schemas).columns;
  lengthIs(section, 3 + width * ids.length, "spawn");
  return { is: "spawn", components, ids, values: integers(section, 3), first: 3 };
}

function readChange(section: readonly unknown[], component: number, schemas: Schemas): Section {
  const columns = bitsOf(natural(section[1], "columns"));
  const ids = readIds(section[2]);
  const codec = known(component, schemas);
  natural(columns.at(-1) ?? 0, `column of ${codec.name}`, Math.max(codec.columns, 1) - 1);
  lengthIs(section, 3 + columns.length, `change of ${codec.name}`);
  const values: (readonly number[])[] = [];
  for (let k = 3; k < section.length; k++) {
    values.push(readColumn(section[k], ids.length, codec.name));
  }
  return { is: "change", component, columns, ids, values };
}

function readIds(list: unknown): number[] {
  return list instanceof Uint8Array ? unpack((code) => code.unpackIds(list)) : idsOf(array(list, "ids"));
}

function readColumn(list: unknown, length: number, component: string): readonly number[] {
  if (list instanceof Uint8Array) return unpack((code) => code.unpackColumn(list, length));
  const column = integers(array(list, "column"));
  lengthIs(column, length, `column of ${component}`);
  return column;
}

function readChecksums(section: readonly unknown[], schemas: Schemas): Checksum[] {
  const checksums: Checksum[] = [];
  for (let k = 1; k < section.length; k += 2) {
    const component = natural(section[k], "component");
    known(component, schemas);
    checksums.push({ component, sum: natural(section[k + 1], "checksum", U32) });
  }
  return checksums;
}

function decodeArray(bytes: Uint8Array): readonly unknown[] {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (error) {
    throw new FrameError(`not one MessagePack value: ${messageOf(error)}`);
  }
  return array(value, "frame");
}

function known(component: number, schemas: Schemas) {
  const codec = schemas.components[component];
  if (!codec) throw new FrameError(`the schema has no component ${component}`);
  return codec;
}

function lengthIs(array: readonly unknown[], length: number, what: string): void {
  if (array.length !== length) throw new FrameError(`${what} has length ${array.length} instead of ${length}`);
}

function array(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new FrameError(`${what} is not an array`);
  return value;
}

/** Verifies that a field of an event has values of its type. */
function checkField({ field: { name, type }, at, end }: Slot, row: readonly unknown[]): void {
  if (type !== "text" && type !== "bytes") integers(row.slice(at, end));
  else if (type === "text" ? typeof row[at] !== "string" : !(row[at] instanceof Uint8Array))
    throw new FrameError(`${name} is not ${type}`);
}

/** Returns the same array, and verifies that it has only integers from index `first` on. */
function integers(values: readonly unknown[], first = 0): readonly number[] {
  for (let k = first; k < values.length; k++) integer(values[k], "column");
  return values as readonly number[];
}
