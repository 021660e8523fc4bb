// The times that a player experiences: the moment to draw, the entities at that moment, and the target tick of inputs.

import { Clock, Delay, Lead, Slew, Stalls } from "./clock.js";
import type { Frame } from "./frame.js";
import { SNAPSHOT } from "./frame.js";
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
/** By which part the local time runs faster or slower to follow the lead, and beyond how many seconds it jumps. */
const DILATION = 0.05;
const STALL_S = 0.25;

/** The longest stall of the line for which predicted inputs have time to arrive, in seconds. */
const MOST_STALL_S = 0.3;

/** In what parts of a tick an input says how far behind the others were drawn, and the most that it can say. */
const EIGHTHS = 8;
const MOST_BEHIND = 0xffff;

/** The time of the local ticks of prediction, and by how many ticks it is behind its target. */
export interface LocalTime {
  tick: number;
  behind: number;
}

export class Playback {
  readonly #schemas: Schemas;
  readonly #clock: Clock;
  readonly #mostDelay: number;
  #delay: Delay;
  readonly #lead: Lead;
  readonly #stalls: Stalls;
  readonly #timeline: Timeline;
  readonly #slew: Slew;
  readonly #local: Slew;
  /** The moment that was drawn last. */
  #drawn = -Infinity;
  /** How many ticks before its own tick the newest input came that the server has taken; 0 before the first. */
  margin = 0;
  /** Frames that came when the picture had passed the beginning of what they tell. */
  underruns = 0;

  /** `late` allows any delay: spectators get frames as late as the game decides. `seat` is the player's. */
  constructor(schemas: Schemas, hz: number, { late, seat = 0 }: { late: boolean; seat?: number }) {
    this.#schemas = schemas;
    this.#clock = new Clock(hz);
    this.#mostDelay = late ? Infinity : Math.max(2 * LEAST_DELAY, MOST_DELAY_S * hz);
    this.#delay = new Delay(LEAST_DELAY, this.#mostDelay);
    this.#lead = new Lead(MOST_LEAD_S * hz);
    this.#stalls = new Stalls(MOST_STALL_S * hz);
    this.#timeline = new Timeline(schemas, Math.ceil(KEEP_S * hz), { hz, seat });
    this.#slew = new Slew(hz / 1000, MOST_DELAY_S * hz);
    this.#local = new Slew(hz / 1000, STALL_S * hz, DILATION);
  }

  get rtt(): number {
    return this.#clock.rtt;
  }

  /** The mean deviation of the frames' arrivals, in milliseconds. */
  get jitter(): number {
    return (this.#delay.deviation * 1000) / this.#clock.hz;
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

  /** Notes a new connection, on which `tick` is the newest tick of the server. */
  restart(now: number, tick: number): void {
    this.#clock.resume(now, tick);
  }

  /** Measures everything anew after a time in which frames could not be taken as they came. */
  renew(now: number, tick: number): void {
    this.#clock.restart(now, tick);
    this.#delay = new Delay(LEAST_DELAY, this.#mostDelay);
    this.#slew.reset();
    this.#local.reset();
    this.#drawn = -Infinity;
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
    this.#local.reset();
    this.#lead.restart(this.#way, seq);
  }

  /**
   * Takes the timing of a frame, of which `taken` is the newest input that the server has taken, and `seq` the newest that was sent.
   * `behind` is how many ticks earlier the local time should have been when `taken` was sent: that much was corrected already.
   */
  arrived(now: number, frame: Frame, { taken, seq, behind }: { taken: number; seq: number; behind: number }): void {
    if (this.#clock.settled) {
      const at = this.#clock.estimate(now);
      this.#delay.arrived(at - frame.tick, at);
      this.#stalls.arrived(at - frame.tick - this.#way);
    }
    if (taken === 0) return;
    this.margin = frame.margin;
    this.#lead.feedback(taken, frame.margin + Math.round(behind), seq);
  }

  record(applied: Applied): void {
    const { kind, tick, base } = applied.frame;
    const begins = tick - Math.min(tick - base, this.#timeline.stride);
    if (kind !== SNAPSHOT && this.#drawn > begins) this.underruns += 1;
    this.#timeline.record(applied);
  }

  /** The target tick of an input that is sent now; 0, the next one, while the server's time is unknown. */
  aim(now: number): number {
    this.#lead.floor = 0;
    // A match that steps on input takes each input as soon as it comes.
    if (this.#schemas.schema.onInput || !this.#clock.settled) return 0;
    return Math.ceil(this.#clock.tick(now) + this.#lead.ticks);
  }

  /**
   * The time for which the player acts now; `undefined` while the server's time is unknown. A prediction answers at once, whatever
   * the lead is, and each input that comes late makes it wrong. So the lead outlasts the stalls of the line.
   */
  local(now: number): LocalTime | undefined {
    if (!this.#clock.settled) return undefined;
    const stall = this.#stalls.longest;
    this.#lead.floor = stall < 1 ? 0 : this.#way + 1 + stall;
    const target = this.#clock.estimate(now) + this.#lead.ticks;
    const tick = this.#local.follow(now, target);
    return { tick, behind: target - tick };
  }

  /**
   * How far the picture of the others is behind the player's own time, in eighths of a tick: behind `own`, the time at which own
   * entities are drawn, or without prediction behind `tick`, for which the input is meant. `undefined` if nobody wants to know, or
   * while the server's time is unknown.
   */
  behind(now: number, tick: number, own: number | undefined): number | undefined {
    if (!this.#schemas.schema.rewind || !this.#clock.settled) return undefined;
    const behind = Math.round(((own ?? tick) - this.moment(now)) * EIGHTHS);
    return Math.min(Math.max(behind, 0), MOST_BEHIND);
  }

  view(now: number, components: readonly string[]): Sample[] {
    return this.#timeline.sample(this.moment(now), this.#ids(components));
  }

  /** The avatar of a seat, or else the first of its entities that has all of the components. */
  owned(now: number, components: readonly string[], seat: number, avatar?: number): Sample | undefined {
    return this.#timeline.owned(this.moment(now), this.#ids(components), seat, avatar);
  }

  /** The time from the server or to it, in ticks. */
  get #way(): number {
    return (this.#clock.rtt / 2000) * this.#clock.hz;
  }

  /** The moment to draw, in ticks. */
  moment(now: number): number {
    return (this.#drawn = this.#slew.follow(now, this.#clock.estimate(now) - this.delay));
  }

  #ids(components: readonly string[]): number[] {
    return components.map((name) => this.#schemas.id(name));
  }
}
