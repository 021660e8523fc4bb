// Looks for another way to the server while the line is silent. Loaded when a seat has been taken.
//
// TCP repeats what was lost after a time that doubles with each try, so a line that was dead for two seconds may stay silent for one or
// two more, and a longer tunnel for many. A fresh connection is there after three round trips.

import type { SeatChannel } from "./channel.js";

/** How often the scout looks, in milliseconds. */
const LOOK_MS = 50;
/**
 * No silence that is shorter is suspicious, however fast frames came before: where everybody stands still, the server sends one each
 * second.
 */
const LEAST_MS = 1_250;
/** A silence is suspicious that is so many times as long as the longest that is usual. */
const LONGER = 1.5;
/** A longer one is suspicious on any line. */
const MOST_MS = 2_500;
/** How fast a long gap between two frames is forgotten, by frame. */
const FORGETS = 0.99;
/** An attempt has the time of two round trips to connect, and half of one for jitter. */
const ROUND_TRIPS = 2.5;
const LEAST_ATTEMPT_MS = 250;
/** So many attempts follow each other at once. Then each has more time than the one before, for a server that is slow. */
const QUICK = 8;
const GROWS = 1.5;
const MOST_ATTEMPT_MS = 4_000;

/** When a silence is suspicious, and when to try another connection. Pure: times are arguments, in milliseconds. */
export class Silence {
  #heard: number;
  #gap = 0;
  #attempts = 0;
  #next = 0;

  constructor(now: number) {
    this.#heard = now;
  }

  /** Takes a sign of life. */
  heard(now: number): void {
    const gap = now - this.#heard;
    // A gap after which others were tried is what this is about, and none to get used to.
    if (this.#attempts === 0) this.#gap = Math.max(gap, this.#gap * FORGETS);
    this.#heard = now;
    this.#attempts = 0;
  }

  /** Whether an attempt is due. `rtt` is the round trip, and `random` is from 0 to 1. */
  isDue(now: number, rtt: number, random: number): boolean {
    const limit = Math.min(Math.max(LONGER * this.#gap, LEAST_MS), MOST_MS) + rtt;
    if (now - this.#heard < limit || (this.#attempts > 0 && now < this.#next)) return false;
    this.#attempts += 1;
    const quick = Math.max(ROUND_TRIPS * rtt, LEAST_ATTEMPT_MS);
    const lasts = Math.min(quick * GROWS ** Math.max(0, this.#attempts - QUICK), Math.max(quick, MOST_ATTEMPT_MS));
    // Those who share a server that does not answer do not ask it at the same moments.
    this.#next = now + lasts * (1 + random / 4);
    return true;
  }
}

/** The surroundings of `Scout`. */
export interface ScoutSink {
  /** Whether the seat plays, so that frames are due. */
  isPlaying(): boolean;
  /** The round trip, in milliseconds. */
  rtt(): number;
}

/** Tries fresh connections while a seat's line is silent. The first that opens takes over, unless the old line speaks before. */
export class Scout {
  readonly #seatChannel: SeatChannel;
  readonly #sink: ScoutSink;
  readonly #silence = new Silence(performance.now());
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #heard = (): void => {
    this.#giveUp();
    this.#silence.heard(performance.now());
  };
  #giveUp: () => void = () => undefined;

  constructor(seatChannel: SeatChannel, sink: ScoutSink) {
    this.#seatChannel = seatChannel;
    this.#sink = sink;
    for (const event of ["welcome", "s"]) seatChannel.channel.on(event, this.#heard);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#giveUp();
    for (const event of ["welcome", "s"]) this.#seatChannel.channel.off(event, this.#heard);
  }

  #look(): void {
    const isHidden = typeof document !== "undefined" && document.visibilityState === "hidden";
    if (isHidden || !this.#sink.isPlaying()) {
      this.#heard();
      return;
    }
    if (!this.#silence.isDue(performance.now(), this.#sink.rtt(), Math.random())) return;
    this.#giveUp();
    this.#giveUp = this.#seatChannel.tryAnother();
  }
}
