// The times that a player experiences: the moment to draw, the entities at that moment, and the target tick of inputs.

import { Clock, Delay, Lead, Slew, unwrap16 } from "./clock.js";
import type { Frame } from "./frame.js";
import type { Sample } from "./interpolate.js";
import { Timeline } from "./interpolate.js";
import type { Applied } from "./mirror.js";
import type { Schemas } from "./schema.js";

/** The smallest delay behind the server's time, in ticks. */
const LEAST_DELAY = 2;
/** The largest delay, in seconds. Beyond it, a picture that stops is better than an older one. */
const MOST_DELAY_S = 0.5;
/** How much of the past is kept for drawing, in seconds. */
const KEEP_S = 1.5;
/** The largest lead of inputs, in seconds. The server refuses inputs that are more than one second ahead. */
const MOST_LEAD_S = 0.5;

export class Playback {
  readonly #schemas: Schemas;
  readonly #clock: Clock;
  readonly #delay: Delay;
  readonly #lead: Lead;
  readonly #timeline: Timeline;
  readonly #slew: Slew;

  /** `late` allows any delay: spectators get frames as late as the game decides. */
  constructor(schemas: Schemas, hz: number, { late }: { late: boolean }) {
    this.#schemas = schemas;
    this.#clock = new Clock(hz);
    this.#delay = new Delay(LEAST_DELAY, late ? Infinity : Math.max(2 * LEAST_DELAY, MOST_DELAY_S * hz));
    this.#lead = new Lead(MOST_LEAD_S * hz);
    this.#timeline = new Timeline(schemas, Math.ceil(KEEP_S * hz));
    this.#slew = new Slew(hz / 1000, MOST_DELAY_S * hz);
  }

  get rtt(): number {
    return this.#clock.rtt;
  }

  get delay(): number {
    return this.#delay.ticks(this.#timeline.stride);
  }

  get lead(): number {
    return this.#lead.ticks;
  }

  serverTick(now: number): number {
    return this.#clock.tick(now);
  }

  restart(now: number, tick: number): void {
    this.#clock.restart(now, tick);
  }

  timeIsDue(now: number): boolean {
    return this.#clock.due(now);
  }

  /** Takes the answer to a time request. `seq` is the newest input that was sent. */
  timeTold(sent: number, received: number, tick: number, seq: number): void {
    const first = !this.#clock.settled;
    this.#clock.answer(sent, received, tick);
    if (!first) return;
    this.#slew.reset();
    this.#lead.restart((this.#clock.rtt / 2000) * this.#clock.hz, seq);
  }

  /** Takes the timing of a frame. `seq` is the newest input that was sent. */
  arrived(now: number, frame: Frame, seq: number): void {
    if (this.#clock.settled) this.#delay.arrived(this.#clock.estimate(now) - frame.tick);
    const taken = unwrap16(frame.ack, seq);
    if (taken > 0) this.#lead.feedback(taken, frame.margin, seq);
  }

  record(applied: Applied): void {
    this.#timeline.record(applied);
  }

  /** The target tick of an input that is sent now; 0, the next one, while the server's time is unknown. */
  aim(now: number): number {
    return this.#clock.settled ? Math.ceil(this.#clock.tick(now) + this.#lead.ticks) : 0;
  }

  view(now: number, components: readonly string[]): Sample[] {
    return this.#timeline.sample(this.#moment(now), this.#ids(components));
  }

  /** The avatar of a seat, or else the first of its entities that has all of the components. */
  owned(now: number, components: readonly string[], seat: number, avatar?: number): Sample | undefined {
    return this.#timeline.owned(this.#moment(now), this.#ids(components), seat, avatar);
  }

  #moment(now: number): number {
    return this.#slew.follow(now, this.#clock.estimate(now) - this.delay);
  }

  #ids(components: readonly string[]): number[] {
    return components.map((name) => this.#schemas.id(name));
  }
}
