// The measurements of the inspector, in samples of equal length. Pure: the time is an argument, in milliseconds.

import type { Schemas } from "../schema.js";
import type { RoomStats } from "../types.js";
import { bytesOf } from "./inside.js";
import type { Sizes } from "./sizes.js";
import { add, addFrame } from "./sizes.js";

/** The measurements of one sample. */
export interface Sample {
  /** When it ended, in milliseconds. */
  at: number;
  /** Bytes a second, without those of Socket.IO around them. */
  down: number;
  up: number;
  /** The newest round trip in milliseconds; `null` if none was measured. */
  rtt: number | null;
  /** The mean deviation of the frames' arrivals, in milliseconds. */
  jitter: number;
  /** The longest time without a frame, in milliseconds. */
  gap: number;
  /** The most ticks from one frame to the next. */
  ticks: number;
  /** The margin of the newest input that the server has taken, in ticks. */
  margin: number;
  /** In ticks. */
  lead: number;
  /** The delay of the picture, in ticks. */
  delay: number;
  underruns: number;
  /** The greatest error of prediction, in the game's units; `null` without prediction. */
  error: number | null;
  corrections: number;
}

/** How many samples are kept, and from how many of them the rates are. */
export const KEPT = 240;
const RATES = 8;
const CORRECTIONS_MS = 10_000;
const MINUTE_MS = 60_000;

/** Counts what passes, and makes samples of it. */
export class Meter {
  /** Oldest first. */
  readonly samples: Sample[] = [];
  readonly #schemas: Schemas;
  readonly #parts: { down: Sizes; up: Sizes; ms: number }[] = [];
  #down: Sizes = new Map();
  #up: Sizes = new Map();
  #rtt: number | null = null;
  #began: number;
  #framed: { at: number; tick: number } | undefined;
  #gap = 0;
  #ticks = 0;
  #error = 0;
  #before: { underruns: number; corrected: number } | undefined;

  constructor(schemas: Schemas, now: number) {
    this.#schemas = schemas;
    this.#began = now;
  }

  sent(event: string, argument: unknown): void {
    const bytes = bytesOf(argument);
    // An acknowledgement alone is an array of one number.
    const name = event === "i" ? ((bytes?.[0] ?? 0) === 0x91 ? "acknowledgements" : "inputs") : "requests";
    add(this.#up, name, bytes?.length ?? sizeOf(argument));
  }

  received(event: string, argument: unknown): void {
    const bytes = bytesOf(argument);
    if (event === "s" && bytes) addFrame(this.#down, bytes, this.#schemas);
    else add(this.#down, event === "e" ? "events" : "news", bytes?.length ?? sizeOf(argument));
  }

  /** Takes a round trip in milliseconds. */
  pinged(rtt: number): void {
    this.#rtt = rtt;
  }

  /** A frame was applied. `error` is the newest error of prediction. */
  framed(now: number, tick: number, error: number | undefined): void {
    if (this.#framed) {
      this.#gap = Math.max(this.#gap, now - this.#framed.at);
      this.#ticks = Math.max(this.#ticks, tick - this.#framed.tick);
    }
    this.#framed = { at: now, tick };
    this.#error = Math.max(this.#error, error ?? 0);
  }

  /** Ends a sample. */
  sample(now: number, stats: RoomStats): Sample {
    const ms = Math.max(1, now - this.#began);
    const corrected = stats.prediction?.corrected ?? 0;
    const before = this.#before ?? { underruns: stats.underruns, corrected };
    const sample: Sample = {
      at: now,
      down: (total(this.#down) * 1000) / ms,
      up: (total(this.#up) * 1000) / ms,
      rtt: this.#rtt,
      jitter: stats.jitter,
      gap: Math.max(this.#gap, now - (this.#framed?.at ?? now)),
      ticks: this.#ticks,
      margin: stats.margin,
      lead: stats.lead,
      delay: stats.delay,
      underruns: stats.underruns - before.underruns,
      error: stats.prediction ? this.#error : null,
      // Another source of steps counts from 0.
      corrections: Math.max(0, corrected - before.corrected),
    };
    this.samples.push(sample);
    if (this.samples.length > KEPT) this.samples.shift();
    this.#parts.push({ down: this.#down, up: this.#up, ms });
    if (this.#parts.length > RATES) this.#parts.shift();
    this.#before = { underruns: stats.underruns, corrected };
    this.#down = new Map();
    this.#up = new Map();
    this.#gap = this.#ticks = this.#error = 0;
    this.#began = now;
    return sample;
  }

  /** Bytes a second by what they are for, over the last samples, most first. */
  rates(way: "down" | "up"): [name: string, rate: number][] {
    const all: Sizes = new Map();
    let ms = 0;
    for (const part of this.#parts) {
      ms += part.ms;
      for (const [name, bytes] of part[way]) add(all, name, bytes);
    }
    return [...all].map(([name, bytes]) => [name, (bytes * 1000) / ms] as [string, number]).sort((a, b) => b[1] - a[1]);
  }

  /** How often prediction was corrected in the last ten seconds, a minute. */
  correctionRate(now: number): number {
    let count = 0;
    let since = now;
    for (let n = this.samples.length - 1; n >= 0; n--) {
      const sample = this.samples[n];
      if (!sample || sample.at < now - CORRECTIONS_MS) break;
      count += sample.corrections;
      since = this.samples[n - 1]?.at ?? sample.at;
    }
    // A single correction right after the start is no rate.
    return (count * MINUTE_MS) / Math.max(now - since, CORRECTIONS_MS / 2);
  }
}

function total(sizes: Sizes): number {
  let sum = 0;
  for (const bytes of sizes.values()) sum += bytes;
  return sum;
}

/** About how many bytes a value takes that is no binary. */
function sizeOf(value: unknown): number {
  return value === undefined ? 0 : (JSON.stringify(value) ?? "").length;
}
