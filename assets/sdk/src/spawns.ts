// The entities that the player's avatar spawns, such as shots: foreseen by the prediction, drawn at once, and handed over to those
// that the server tells of. Pure: the time is an argument.

import type { Codec } from "./schema.js";

/** A program's rule for the entities that avatars spawn. */
export interface SpawnRule {
  /** The names of the components that all of them have: `Seat`, and the one that tells how they fly. */
  readonly components: readonly [seat: string, component: string];
  /** The names of the avatar's components from which `spawn` foresees. */
  readonly from: readonly string[];
  /** The values of the component of the entities that the avatar spawns in a tick, from its state after that tick. */
  spawn(me: Record<string, unknown>, tick: number): readonly unknown[];
  /** The tick in which an entity was spawned. */
  born(value: unknown): number;
  /** How many entities were foreseen. */
  count: number;
}

/** An entity as it should be drawn. */
export interface Drawn {
  /** Negative for those that were foreseen, also after the server has told of them. */
  id: number;
  seat: number;
  /** Whether it is drawn ahead of the server. */
  own: boolean;
  value: unknown;
  /** The moment at which it should be drawn, in ticks. */
  tick: number;
  /** 1, and less while an entity fades that the server has not spawned. */
  alpha: number;
}

/** An entity that the server has told of, or that was foreseen. */
export interface Found {
  /** The server's id. */
  id?: number;
  born: number;
  /** The columns, not rounded if it was foreseen. */
  row: readonly number[];
  /** Whether its tick is not over yet, and the player may still change it. */
  isNext?: boolean;
}

/** After this time, half of a difference is left, in milliseconds. */
const HALF_LIFE = 60;
/** How long it takes to fade, in milliseconds. */
const FADE = 120;
/** By how many seconds the server may spawn an entity earlier or later than foreseen, because an input came late. */
const APART_S = 0.4;
/** By which part an entity flies faster or slower to get to where the server has it. */
const HASTE = 0.5;

/** The known entities of a seat. */
export interface Known {
  /** The tick of the server's newest state. */
  base: number;
  /** Those of that state, by ascending id. */
  told: readonly Found[];
  /** Those of the ticks after it, in order. */
  foreseen: readonly Found[];
  /** The newest tick that was looked at. */
  newest: number;
}

interface Entry {
  readonly id: number;
  /** When it was foreseen, in milliseconds. */
  readonly at: number;
  /** The id of the server's entity. */
  entity: number | undefined;
  born: number;
  row: readonly number[];
  isNext: boolean;
  /** The difference that is still drawn: of the columns, and of the moment in ticks. */
  off: { columns: readonly number[]; ticks: number; at: number };
  /** When it began to fade. */
  faded: number | undefined;
}

/** The entities of one seat that are drawn ahead of the server. */
export class OwnSpawns {
  readonly #codec: Codec;
  readonly #hz: number;
  readonly #apart: number;
  readonly #newId: () => number;
  #entries: Entry[] = [];
  #newest = 0;
  /** The server's entities that were told of last. */
  #told = new Set<number>();
  /** The server's entities that are drawn here, with the tick in which each was gone. */
  readonly #taken = new Map<number, number>();

  constructor(codec: Codec, hz: number, newId: () => number) {
    this.#codec = codec;
    this.#hz = hz;
    this.#apart = Math.ceil(APART_S * hz);
    this.#newId = newId;
  }

  /** Whether one of the server's entities is drawn here. `moment` is the tick in which others are drawn. */
  has(id: number, moment: number): boolean {
    const gone = this.#taken.get(id);
    if (gone !== undefined && gone < moment) this.#taken.delete(id);
    return gone !== undefined;
  }

  /** Compares what is drawn with what is known now. */
  update(now: number, { base, told, foreseen, newest }: Known): void {
    this.#release(told, base);
    const free = new Set(this.#entries.filter(({ entity }) => entity === undefined));
    const fresh = told.filter(({ id }) => id !== undefined && !this.#told.has(id));
    this.#told = new Set(told.flatMap(({ id }) => id ?? []));
    const moved: Found[] = [];
    for (const found of [...fresh, ...foreseen]) {
      if (!this.#match(found, 0, free, now)) moved.push(found);
    }
    for (const found of moved) {
      // An entity that is spawned in a tick that was never looked at before is new.
      if (found.born <= this.#newest && this.#match(found, this.#apart, free, now)) continue;
      // An entity that was not foreseen is drawn when the server tells of it, as entities of others are.
      if (found.id === undefined) this.#add(found, now);
    }
    this.#newest = newest;
    for (const entry of free) entry.faded ??= now;
    this.#entries = this.#entries.filter((entry) => !free.has(entry) || !(entry.isNext || faded(entry, now) >= 1));
  }

  /** The entities at the local time, in ticks. Those of which the server has said nothing for `patience` milliseconds fade. */
  drawn(now: number, local: number, patience: number): Omit<Drawn, "seat">[] {
    return this.#entries.flatMap((entry) => {
      if (entry.entity === undefined && now - entry.at > patience) entry.faded ??= now;
      const { row, ticks } = this.#shown(entry, now);
      const alpha = 1 - faded(entry, now);
      if (alpha <= 0) return [];
      return [{ id: entry.id, own: true, value: this.#codec.read(row), tick: local + ticks, alpha }];
    });
  }

  /** Forgets what the server has despawned. */
  #release(told: readonly Found[], tick: number): void {
    const held = new Set(told.map(({ id }) => id));
    this.#entries = this.#entries.filter(({ entity }) => {
      if (entity === undefined || held.has(entity)) return true;
      this.#taken.set(entity, tick);
      return false;
    });
  }

  /** Lets the first of the `free` entries go on as what was found, if there is one within so many ticks: they keep their order. */
  #match(found: Found, apart: number, free: Set<Entry>, now: number): boolean {
    for (const entry of free) {
      if (Math.abs(entry.born - found.born) > apart) continue;
      free.delete(entry);
      this.#change(entry, found, now);
      return true;
    }
    return false;
  }

  /** The drawn entity goes on from where it is. */
  #change(entry: Entry, { id, born, row, isNext = false }: Found, now: number): void {
    if (entry.row !== row && !entry.isNext) {
      const shown = this.#shown(entry, now);
      const ticks = shown.ticks + born - entry.born;
      entry.off = { columns: this.#codec.way(row, shown.row), ticks, at: now };
    }
    // Nothing is heard of what fades although it is foreseen as before.
    if (id !== undefined || entry.row !== row) entry.faded = undefined;
    Object.assign(entry, { entity: id, born, row, isNext });
    if (id !== undefined) this.#taken.set(id, Infinity);
  }

  /** The columns that are drawn now, and by how many ticks the entity is drawn too far ahead. */
  #shown({ row, off }: Entry, now: number): { row: number[]; ticks: number } {
    const shown = [...row];
    this.#codec.shift(shown, off.columns, 2 ** ((off.at - now) / HALF_LIFE));
    const left = Math.max(0, Math.abs(off.ticks) - ((now - off.at) * this.#hz * HASTE) / 1000);
    return { row: shown, ticks: Math.sign(off.ticks) * left };
  }

  #add({ born, row, isNext = false }: Found, now: number): void {
    const off = { columns: [], ticks: 0, at: now };
    this.#entries.push({ id: this.#newId(), at: now, entity: undefined, born, row, isNext, off, faded: undefined });
  }
}

/** The part of an entity that has faded. */
function faded({ faded }: Entry, now: number): number {
  return faded === undefined ? 0 : (now - faded) / FADE;
}
