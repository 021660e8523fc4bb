// One direction of a line, as TCP shows it: in order, and late. Pure: the time and the randomness are arguments.

import type { Conditions } from "./conditions.js";

/**
 * How long a lost segment takes longer, in round trips. The receiver of a stream tells at once that later segments have come, and
 * after a quarter of a round trip the sender repeats the missing one (RFC 8985).
 */
const RETRANSMISSION = 1.25;
/** Each further loss of one segment doubles its delay. A line that never delivers would be none. */
const MOST_LOSSES = 6;

/** Says when what is sent over a line arrives. Each message is one segment. */
export class Line {
  readonly #random: () => number;
  #conditions: Conditions;
  #began: number;
  #newest = -Infinity;

  /** `random` returns numbers from 0 to 1, without 1. Blackouts count from `now`, in milliseconds. */
  constructor(conditions: Conditions, random: () => number, now: number) {
    this.#conditions = conditions;
    this.#random = random;
    this.#began = now;
  }

  /** Changes the conditions for what is sent from now on. It still arrives after what was sent before. */
  change(conditions: Conditions, now: number): void {
    this.#conditions = conditions;
    this.#began = now;
  }

  /** When a message arrives that is sent now, in milliseconds: never before an earlier one, which a lost segment may hold up. */
  arrives(now: number): number {
    const { round_trip_ms, jitter_ms, loss } = this.#conditions;
    let at = this.#lit(now) + (round_trip_ms + jitter_ms * (2 * this.#random() - 1)) / 2;
    let stall = RETRANSMISSION * round_trip_ms;
    for (let lost = 0; lost < MOST_LOSSES && this.#random() < loss; lost++) {
      at += stall;
      stall *= 2;
    }
    return (this.#newest = Math.max(this.#newest, this.#lit(at), now));
  }

  /** A moment, or the end of the blackout in which it lies. */
  #lit(at: number): number {
    const { blackout } = this.#conditions;
    if (!blackout) return at;
    const [every, length] = [blackout.every_s * 1000, blackout.for_s * 1000];
    // The first begins after half of its period, as in the load test: a match begins with a line.
    const into = (at - this.#began + every / 2) % every;
    return into < length ? at + length - into : at;
  }
}

/** A reproducible sequence of numbers from 0 to 1, without 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
