// Estimates of the server's time, of the delay for drawing, and of the lead for inputs. Pure: the local time is an
// argument, in milliseconds.

/** Follows a moving target at a little more or less than its speed, and never runs backwards. */
export class Slew {
  #at: number | undefined;
  #seen = 0;

  /**
   * `perMs` is the speed of the target, and `share` is by which part of it the value may be faster or slower. Beyond a distance
   * of `jump`, the value jumps to the target.
   */
  constructor(
    private readonly perMs: number,
    private readonly jump: number,
    private readonly share = 0.1,
  ) {}

  follow(now: number, target: number): number {
    const step = (now - this.#seen) * this.perMs;
    this.#seen = now;
    if (this.#at === undefined || Math.abs(target - this.#at - step) > this.jump) return (this.#at = target);
    return (this.#at += step + clamp(target - this.#at - step, -step * this.share, step * this.share));
  }

  /** Makes the next value jump to its target. */
  reset(): void {
    this.#at = undefined;
  }
}

interface TimeSample {
  /** The server's tick minus the local time in ticks. */
  offset: number;
  /** The round-trip time in milliseconds. */
  rtt: number;
}

/** How many answers to `t` are kept. The one with the shortest round trip is used. */
const SAMPLES = 10;
/** The first requests follow each other quickly. */
const EAGER = 5;
const EAGER_MS = 100;
/** Later requests come in pairs: while inputs flow, the server may read the first only at its next tick, but the second at once. */
const PAIR = 2;
const LAZY_MS = 5_000;
/** How far the estimate may be ahead of the tick that a new connection tells: the way from the server, and what held the news up. */
const AGREES_S = 0.5;

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

  /**
   * Starts measuring again on a new connection to the same match. `tick` is the newest tick of the server, a moment ago. What was
   * measured before still holds if it agrees with that, so that prediction need not wait for an answer.
   */
  resume(now: number, tick: number): void {
    const best = this.#best();
    const ahead = this.estimate(now) - tick;
    const agrees = ahead > -1 && ahead < this.hz * AGREES_S;
    this.restart(now, tick);
    if (best && agrees) this.#samples = [best];
  }

  /** Starts measuring again, as if nothing had been measured. `tick` is a first estimate, used if there is none yet. */
  restart(now: number, tick: number): void {
    this.#samples = [];
    this.#answers = 0;
    this.#asked = -Infinity;
    this.#offset ??= tick - now * this.#perMs;
  }

  /** Whether the next request is due. If so, it counts as sent. */
  due(now: number): boolean {
    const eager = this.#answers < EAGER || (this.#answers - EAGER) % PAIR !== 0;
    if (now - this.#asked < (eager ? EAGER_MS : LAZY_MS)) return false;
    this.#asked = now;
    return true;
  }

  /** Takes the answer to a request. The server's `tick` is assumed to lie halfway between `sent` and `received`. */
  answer(sent: number, received: number, tick: number): void {
    const rtt = received - sent;
    const offset = tick - ((sent + received) / 2) * this.#perMs;
    const best = this.#best();
    // Each sample is wrong by half of its round trip at most. If two differ by more, the server's time has shifted.
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

  /** The shortest recent round-trip time, in milliseconds; 0 before the first answer. */
  get rtt(): number {
    return this.#best()?.rtt ?? 0;
  }

  /** The newest estimate of the server's tick. It may jump when the estimate improves. */
  estimate(now: number): number {
    return now * this.#perMs + (this.#offset ?? 0);
  }

  /** The estimate of the server's tick without jumps. */
  tick(now: number): number {
    return this.#slew.follow(now, this.estimate(now));
  }

  #best(): TimeSample | undefined {
    let best: TimeSample | undefined;
    for (const sample of this.#samples) if (!best || sample.rtt <= best.rtt) best = sample;
    return best;
  }
}

/** How many frames the delay is learnt from, and which share of them must have arrived in time. */
const FRAMES = 128;
const IN_TIME = 0.9;
/** Frames that come within this part of a tick after a late one waited for it, as TCP keeps the order. */
const TOGETHER = 0.25;

/**
 * How far behind the server's time to draw, so that the frames before and after that moment have arrived. A segment that was lost
 * holds up frames now and then, by far longer than jitter does. To wait for those would make the picture older all the time, so
 * they count as one late frame, and the picture bridges them.
 */
export class Delay {
  #mean: number | undefined;
  /** The mean deviation of the frames' delays, in ticks. */
  deviation = 0;
  readonly #late: number[] = [];
  #next = 0;
  #inTime = 0;
  #last = { at: -Infinity, late: 0 };

  /** `least` and `most` are in ticks. */
  constructor(
    private readonly least: number,
    private readonly most: number,
  ) {}

  /** Takes the delay of a frame that arrived at the server's time `at`, `late` ticks after its own tick. */
  arrived(late: number, at = Infinity): void {
    const off = late - (this.#mean ?? late);
    // As TCP estimates its round-trip time (RFC 6298), with smaller gains because there are more samples.
    this.#mean = (this.#mean ?? late) + off / 16;
    this.deviation += (Math.abs(off) - this.deviation) / 16;
    const waited = at - this.#last.at < TOGETHER && late < this.#last.late;
    this.#last = { at, late };
    if (waited) return;
    this.#late[this.#next++ % FRAMES] = late;
    const sorted = [...this.#late].sort((a, b) => a - b);
    this.#inTime = sorted[Math.ceil(IN_TIME * sorted.length) - 1] ?? 0;
  }

  /** The delay in ticks, if a frame comes every `stride` ticks. */
  ticks(stride: number): number {
    if (this.#mean === undefined) return Math.max(this.least, stride);
    return clamp(this.#inTime + stride, this.least, this.most);
  }
}

/** How many frames the longest stall is remembered for: 10 to 20 seconds of them, at 30 Hz. */
const REMEMBERED = 300;

/** The longest stall of the recent past. A way that stalls in one direction does so in the other, too. */
export class Stalls {
  #now = 0;
  #next = 0;
  #seen = 0;
  #isDead = false;

  /** Stalls longer than `most`, in ticks, are blackouts, for which nobody can prepare. */
  constructor(private readonly most: number) {}

  /** The length in ticks. */
  get longest(): number {
    return Math.max(this.#now, this.#next);
  }

  /** Takes a frame that came `late` ticks later than usual. */
  arrived(late: number): void {
    // Frames that come after a blackout are less and less late. They say nothing about stalls.
    this.#isDead = late > this.most || (this.#isDead && late > 1);
    if (!this.#isDead) this.#next = Math.max(this.#next, late);
    if (++this.#seen % REMEMBERED !== 0) return;
    this.#now = this.#next;
    this.#next = 0;
  }
}

/** How many ticks before its target tick an input should arrive. */
const AIM = 1;
/** The server does not tell of more ticks than 32 by which an input came late. */
const LATEST = 31;
/** The lead shrinks after this many consecutive inputs with more margin than needed. */
const PATIENCE = 20;

/** How many ticks ahead of the server's time inputs are targeted, so that they arrive in time. */
export class Lead {
  /** The lead does not shrink below this. */
  floor = 0;
  #ticks: number;
  #spare = Infinity;
  #seen = 0;
  #newest = 0;
  #settling = 0;

  /** `most` is in ticks. The server refuses inputs that are more than one second ahead. */
  constructor(private readonly most: number) {
    this.#ticks = AIM;
  }

  get ticks(): number {
    return Math.min(Math.max(this.#ticks, this.floor), this.most);
  }

  /** Sets a first estimate from the one-way latency `way`, in ticks. `seq` is the newest input that was sent. */
  restart(way: number, seq: number): void {
    this.#ticks = clamp(way + AIM, AIM, this.most);
    this.#settle(seq);
  }

  /** Takes feedback: input `seq` arrived `margin` ticks before its tick. `sent` is the newest input that was sent. */
  feedback(seq: number, margin: number, sent: number): void {
    if (seq <= this.#newest) return;
    this.#newest = seq;
    // Inputs that were sent before the last correction do not show its effect.
    if (seq <= this.#settling) return;
    // An input that comes so late was held up by a blackout, as all were that were sent before the news. Nobody can prepare for that.
    if (margin < -Math.min(this.most, LATEST)) {
      this.#settle(sent);
      return;
    }
    if (margin <= 0) {
      this.#ticks = Math.min(this.ticks + AIM - margin, this.most);
      this.#settle(sent);
      return;
    }
    this.#spare = Math.min(this.#spare, margin - AIM);
    if (++this.#seen < PATIENCE) return;
    if (this.#spare >= 1) this.#ticks = Math.max(0, this.ticks - Math.max(0.5, this.#spare / 2));
    this.#settle(sent);
  }

  #settle(sent: number): void {
    this.#settling = sent;
    this.#spare = Infinity;
    this.#seen = 0;
  }
}

/** The largest number up to `newest` whose lower 16 bits are `low`. */
export function unwrap16(low: number, newest: number): number {
  return newest - ((newest - low) & 0xffff);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
