// The inputs that were sent, by the tick in which they act. Pure.

import type { Codec } from "./schema.js";

interface Entry {
  seq: number;
  /** The tick for which it was sent. */
  tick: number;
  /** The tick in which it acts, as far as frames have told. */
  act: number;
  row: readonly number[];
}

/** More inputs than the server lets wait are not needed to know what it does. */
const MOST = 256;

/** Knows which input acts in a tick. The newest one holds, and its one-shots act in one tick only. */
export class InputLog {
  readonly #oneShots: readonly number[];
  readonly #blank: readonly number[];
  /** In force before the first entry. */
  #held: readonly number[];
  #entries: Entry[] = [];

  constructor(codec: Codec) {
    this.#oneShots = codec.oneShots();
    this.#blank = codec.blank();
    this.#held = this.#blank;
  }

  /** Forgets all inputs: the server lets a seat whose connection is lost rest. */
  reset(): void {
    this.#held = this.#blank;
    this.#entries = [];
  }

  /** Adds an input that was sent for `tick`. */
  add(seq: number, tick: number, row: readonly number[]): void {
    const act = Math.max(tick, this.#entries.at(-1)?.act ?? 0);
    this.#entries.push({ seq, tick, act, row: [...row] });
    if (this.#entries.length > MOST) this.#drop();
  }

  /**
   * Takes what a frame of `tick` tells: the server has taken all inputs up to `seq`, and the last of them came `margin` ticks
   * before its own tick. Inputs that came late are moved to the tick in which they acted.
   */
  taken(seq: number, margin: number, tick: number): void {
    let latest = tick;
    for (let k = this.#entries.length - 1; k >= 0; k--) {
      const entry = this.#entries[k];
      if (!entry || entry.seq > seq) continue;
      const came = entry.seq === seq && margin < 0 ? entry.tick - margin : entry.act;
      // A later input never acts before an earlier one.
      latest = entry.act = Math.min(Math.max(came, entry.act), latest);
    }
    for (const entry of this.#entries) if (entry.seq > seq) entry.act = Math.max(entry.act, tick + 1);
  }

  /** The columns of the input that acts in a tick, one-shots included. */
  at(tick: number): number[] {
    let newest = this.#held;
    const shots: number[] = [];
    for (const { act, row } of this.#entries) {
      if (act > tick) break;
      newest = row;
      // Inputs that act in the same tick share their one-shots.
      if (act === tick) for (const k of this.#oneShots) shots[k] = shots[k] || (row[k] ?? 0);
    }
    const row = [...newest];
    for (const k of this.#oneShots) row[k] = shots[k] ?? 0;
    return row;
  }

  /** Forgets what is needed only for ticks up to this one. */
  forget(tick: number): void {
    while ((this.#entries[0]?.act ?? Infinity) <= tick) this.#drop();
  }

  /** Lets nothing hold that acted before: a new avatar gets only inputs that come later. */
  release(): void {
    this.#held = this.#blank;
  }

  #drop(): void {
    this.#held = this.#entries.shift()?.row ?? this.#held;
  }
}
