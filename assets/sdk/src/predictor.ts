// Runs the prediction of a room: the local ticks, and what the room draws of the player's own entities.

import type { PredictionStats } from "./accuracy.js";
import type { Forecast, ToldEntity } from "./forecast.js";
import type { Frame } from "./frame.js";
import type { Inputs } from "./input.js";
import type { Sample } from "./interpolate.js";
import type { Mirror } from "./mirror.js";
import type { Playback } from "./playback.js";
import type { Moment } from "./prediction.js";
import { Prediction } from "./prediction.js";
import type { Schemas } from "./schema.js";

/** Inputs that are on their way at once: two seconds of them, at the highest tick rate. */
const MOST_SENT = 256;

/** The parts of a room that prediction works with. */
export interface PredictorParts {
  /** The current time in milliseconds. */
  now(): number;
  schemas: Schemas;
  mirror: Mirror;
  playback: Playback;
  inputs: Inputs;
  /** The rules have failed, for this reason. There is no prediction from now on. */
  failed(cause: unknown): void;
}

/** Steps the player's own entities at the game's rate, and draws them. */
export class Predictor {
  readonly #parts: PredictorParts;
  readonly #forecast: Forecast;
  readonly #prediction: Prediction;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The newest local tick; `undefined` while there is no prediction. */
  #ticked: number | undefined;
  #behind = 0;
  /** By how many ticks the local time was behind its target when the newest inputs were sent. */
  readonly #behinds: { seq: number; behind: number }[] = [];
  #stopped = false;

  constructor(parts: PredictorParts, forecast: Forecast, snap: number) {
    this.#parts = parts;
    this.#forecast = forecast;
    this.#prediction = new Prediction(parts.schemas, forecast, snap);
    // The input that was sent before holds, or is on its way.
    const { seq, told } = parts.inputs;
    if (told) forecast.input(seq, told.tick, told.row);
  }

  get stats(): PredictionStats {
    return this.#prediction.stats(this.#parts.now());
  }

  /** The time at which the player's own entities are drawn, in ticks; `undefined` while they are not predicted. */
  get time(): number | undefined {
    if (this.#ticked === undefined) return undefined;
    return this.#parts.playback.local(this.#parts.now())?.tick;
  }

  /** By how many ticks the local time was behind its target when an input was sent. */
  behind(seq: number): number {
    return this.#behinds.find((sent) => sent.seq === seq)?.behind ?? 0;
  }

  /** Notes an input that was sent; `tick` is 0 if it was sent for the server's next tick. */
  sent(seq: number, tick: number, row: readonly number[]): void {
    this.#guard(() => this.#forecast.input(seq, tick || (this.#parts.mirror.tick ?? 0) + 1, row));
    this.#behinds.push({ seq, behind: this.#behind });
    if (this.#behinds.length > MOST_SENT) this.#behinds.shift();
  }

  /** Takes the server's state after a frame. `taken` is the newest input that the server has taken. */
  take({ tick, margin }: Frame, taken: number): void {
    this.#guard(() => {
      const { avatar } = this.#parts.mirror;
      const entities = this.#entities(avatar);
      const moment = entities.length > 0 ? (this.#tick() ?? this.#begin()) : undefined;
      if (moment && avatar !== undefined) this.#prediction.load({ tick, taken, margin, avatar }, entities, moment);
      else this.suspend();
    });
  }

  /** Calls `change`, which changes what the player wants. */
  steer(change: () => void): void {
    const { inputs } = this.#parts;
    let failure: { error: unknown } | undefined;
    let called = false;
    const wanted = (): readonly number[] => {
      called = true;
      // A mistake of the program is not one of the rules.
      try {
        change();
      } catch (error) {
        failure = { error };
      }
      return inputs.wanted;
    };
    this.#guard(() => {
      const moment = this.#tick();
      if (moment) this.#prediction.steer(moment, wanted);
    });
    if (!called) change();
    if (failure) throw failure.error;
  }

  /** Puts the predicted values of own entities into samples of the given components. */
  draw(samples: readonly Sample[], names: readonly string[]): void {
    const { schemas } = this.#parts;
    this.#guard(() => {
      const moment = this.#tick();
      if (!moment) return;
      for (const name of names) {
        const component = schemas.id(name);
        if (!this.#forecast.components.includes(component)) continue;
        for (const sample of samples) {
          const row = this.#prediction.drawn(sample.id, component, moment);
          if (row) sample[name] = schemas.components[component]?.read(row);
        }
      }
    });
  }

  /** Stops predicting until the next frame after which that is possible. */
  suspend(): void {
    this.#rest(true);
  }

  /** Starts anew on a connection on which the server knows no input. */
  restart(): void {
    this.#rest(false);
  }

  stop(): void {
    this.#stopped = true;
    this.suspend();
  }

  #begin(): Moment | undefined {
    const local = this.#parts.playback.local(this.#parts.now());
    if (this.#stopped || !local) return undefined;
    this.#ticked = Math.floor(local.tick);
    this.#parts.inputs.tickLocally(true);
    return this.#tick();
  }

  /** Makes the local ticks that are due. After a stall, only the last of them takes a new input. */
  #tick(): Moment | undefined {
    const { inputs, playback } = this.#parts;
    const now = this.#parts.now();
    const local = playback.local(now);
    if (this.#ticked === undefined || !local) return undefined;
    this.#behind = local.behind;
    const due = Math.floor(local.tick);
    // After a jump backwards, the ticks that are made already have their inputs.
    if (due > this.#ticked) {
      this.#ticked = due;
      inputs.take(due);
      this.#prediction.advance(due);
    }
    this.#arm(local.tick);
    return { now, local: local.tick, wanted: inputs.wanted };
  }

  #arm(local: number): void {
    const wait = ((Math.floor(local) + 1 - local) * 1000) / this.#parts.schemas.schema.hz;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#guard(() => this.#tick()), wait);
  }

  #rest(keepsInputs: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ticked = undefined;
    this.#guard(() => this.#prediction.reset(keepsInputs));
    this.#parts.inputs.tickLocally(false);
  }

  /** What the forecast wants to be told of: the avatar, or all entities. None without an avatar. */
  #entities(avatar: number | undefined): ToldEntity[] {
    const { entities } = this.#parts.mirror;
    const own = avatar === undefined ? undefined : entities.get(avatar);
    if (!own) return [];
    return this.#forecast.seesOthers ? [...entities.values()] : [own];
  }

  /** Ends prediction, and tells it once, if the rules fail. */
  #guard<T>(run: () => T): T | undefined {
    if (this.#stopped) return undefined;
    try {
      return run();
    } catch (error) {
      // Broken rules may fail again on the way out, in the call that sent an input.
      if (this.#stopped) return undefined;
      this.stop();
      this.#parts.failed(error);
      return undefined;
    }
  }
}
