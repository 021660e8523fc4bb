// What time it is on the server, when to draw, and for when to send. Pure: every function is told the local time, in
// milliseconds.

/** Follows a target that runs with the time, a little faster or slower than real time, and never backwards. */
export class Slew {
  #at: number | undefined;
  #seen = 0;

  /** `perMs`: the target's speed. `jump`: how far off it may be before this gives up following and jumps. */
  constructor(
    private readonly perMs: number,
    private readonly jump: number,
  ) {}

  follow(now: number, target: number): number {
    const step = (now - this.#seen) * this.perMs;
    this.#seen = now;
    if (this.#at === undefined || Math.abs(target - this.#at - step) > this.jump) return (this.#at = target);
    return (this.#at += step + clamp(target - this.#at - step, -step / 10, step / 10));
  }

  /** Forgets where it was: the next target is taken as it is. */
  reset(): void {
    this.#at = undefined;
  }
}

interface TimeSample {
  /** The server's tick minus the local time in ticks. */
  offset: number;
  /** The round trip in milliseconds. */
  rtt: number;
}

/** How many answers to `t` are kept; the one with the least round trip counts. */
const SAMPLES = 10;
/** The first answers are asked for soon after each other. */
const EAGER = 5;
const EAGER_MS = 100;
/** Later ones in pairs: while inputs flow, the server may let the first wait for its next tick, and reads the second at once. */
const PAIR = 2;
const LAZY_MS = 5_000;

/** Estimates the server's time, in ticks. */
export class Clock {
  readonly #perMs: number;
  readonly #slew: Slew;
  #samples: TimeSample[] = [];
  #offset: number | undefined;
  #asked = -Infinity;
  #answers = 0;

  constructor(readonly hz: number) {
    this.#perMs = hz / 1000;
    this.#slew = new Slew(this.#perMs, hz / 4);
  }

  /** A new connection: measures anew. `tick` is a first guess, used where there is none yet. */
  restart(now: number, tick: number): void {
    this.#samples = [];
    this.#answers = 0;
    this.#asked = -Infinity;
    this.#offset ??= tick - now * this.#perMs;
  }

  /** Whether it is time for the next request; if so, counts it as made. */
  due(now: number): boolean {
    const eager = this.#answers < EAGER || (this.#answers - EAGER) % PAIR !== 0;
    if (now - this.#asked < (eager ? EAGER_MS : LAZY_MS)) return false;
    this.#asked = now;
    return true;
  }

  /** The answer to a request: at `tick`, halfway between `sent` and `received`. */
  answer(sent: number, received: number, tick: number): void {
    const rtt = received - sent;
    const offset = tick - ((sent + received) / 2) * this.#perMs;
    const best = this.#best();
    // Two samples are off by half their round trips at most. Where they differ by more, the server's time has shifted.
    if (best && Math.abs(offset - best.offset) > ((rtt + best.rtt) / 2) * this.#perMs + 1) this.#samples = [];
    if (this.#answers++ === 0) this.#slew.reset();
    this.#samples.push({ offset, rtt });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#offset = this.#best()?.offset;
  }

  /** Whether the server's time has been measured on this connection. */
  get settled(): boolean {
    return this.#samples.length > 0;
  }

  /** The least round trip of late, in milliseconds; 0 before the first answer. */
  get rtt(): number {
    return this.#best()?.rtt ?? 0;
  }

  /** The newest estimate of the server's tick, which may jump when the estimate gets better. */
  estimate(now: number): number {
    return now * this.#perMs + (this.#offset ?? 0);
  }

  /** The same, flowing smoothly. */
  tick(now: number): number {
    return this.#slew.follow(now, this.estimate(now));
  }

  #best(): TimeSample | undefined {
    let best: TimeSample | undefined;
    for (const sample of this.#samples) if (!best || sample.rtt <= best.rtt) best = sample;
    return best;
  }
}

/** How far behind the server's time to draw, so that the frames on both sides of the moment have come. */
export class Delay {
  #mean: number | undefined;
  #deviation = 0;

  /** `least` and `most` in ticks. */
  constructor(
    private readonly least: number,
    private readonly most: number,
  ) {}

  /** A frame came `late` ticks after the server's time of its tick. */
  arrived(late: number): void {
    if (this.#mean === undefined) {
      this.#mean = late;
      return;
    }
    const off = late - this.#mean;
    // The gains of TCP's round trip estimate (RFC 6298), slower, because frames are many.
    this.#mean += off / 16;
    this.#deviation += (Math.abs(off) - this.#deviation) / 16;
  }

  /** The delay in ticks where a frame comes every `stride` ticks. */
  ticks(stride: number): number {
    if (this.#mean === undefined) return Math.max(this.least, stride);
    return clamp(this.#mean + 3 * this.#deviation + stride, this.least, this.most);
  }
}

/** A margin of this many ticks is what inputs aim for. */
const AIM = 1;
/** The lead shrinks after this many inputs in a row with more margin than needed. */
const PATIENCE = 20;

/** For how many ticks after the server's present an input is meant, so that it comes in time. */
export class Lead {
  ticks: number;
  #spare = Infinity;
  #seen = 0;
  #newest = 0;
  #settling = 0;

  /** `most`: in ticks; the server refuses inputs for more than a second ahead. */
  constructor(private readonly most: number) {
    this.ticks = AIM;
  }

  /** A first guess from the way to the server, in ticks. `seq` is the newest input sent. */
  restart(way: number, seq: number): void {
    this.ticks = clamp(way + AIM, AIM, this.most);
    this.#settle(seq);
  }

  /** The server took input `seq`, `margin` ticks before its tick; `sent` is the newest one sent. */
  feedback(seq: number, margin: number, sent: number): void {
    if (seq <= this.#newest) return;
    this.#newest = seq;
    // Inputs sent before the last correction say nothing about it.
    if (seq <= this.#settling) return;
    if (margin <= 0) {
      this.ticks = Math.min(this.ticks + AIM - margin, this.most);
      this.#settle(sent);
      return;
    }
    this.#spare = Math.min(this.#spare, margin - AIM);
    if (++this.#seen < PATIENCE) return;
    if (this.#spare >= 1) this.ticks = Math.max(0, this.ticks - Math.max(0.5, this.#spare / 2));
    this.#settle(sent);
  }

  #settle(sent: number): void {
    this.#settling = sent;
    this.#spare = Infinity;
    this.#seen = 0;
  }
}

/** The full number of which `low` is the lower 16 bits: the newest one not above `newest`. */
export function unwrap16(low: number, newest: number): number {
  return newest - ((newest - low) & 0xffff);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
