// The picture of the player's own entities: the step that is not over yet, and errors that decay. Pure: the time is an argument.

import type { PredictionStats } from "./accuracy.js";
import { Accuracy } from "./accuracy.js";
import type { Forecast, State, Told, ToldEntity } from "./forecast.js";
import { Offsets } from "./offsets.js";
import type { Codec, Schemas } from "./schema.js";

/** The knowledge of prediction about a moment. */
export interface Moment {
  /** In milliseconds. */
  now: number;
  /** The time of the local ticks, in ticks. */
  local: number;
  /** The columns that the player wants now. */
  wanted: readonly number[];
}

/** Draws a forecast, and measures it. */
export class Prediction {
  readonly #codecs: readonly (Codec | undefined)[];
  readonly #input: Codec;
  readonly #forecast: Forecast;
  readonly #snap: number;
  readonly #offsets = new Offsets();
  readonly #accuracy: Accuracy;
  #avatar: number | undefined;
  /** The state after the last step; `undefined` if it must be read again. */
  #last: State | undefined;
  /** The step that is not over yet, with the input that the player wants now. */
  #next: { wanted: readonly number[]; state: State } | undefined;

  /** `snap` is the distance beyond which an error is not drawn. */
  constructor(schemas: Schemas, forecast: Forecast, snap: number) {
    this.#codecs = schemas.components;
    this.#input = schemas.input;
    this.#forecast = forecast;
    this.#accuracy = new Accuracy(forecast.source);
    this.#snap = snap;
  }

  stats(now: number): PredictionStats {
    return this.#accuracy.stats(now);
  }

  /** Forgets the state, and the inputs unless they still count. */
  reset(keepsInputs: boolean): void {
    this.#forecast.reset(keepsInputs);
    this.#offsets.clear();
    this.#avatar = this.#last = this.#next = undefined;
  }

  /** Steps up to a tick. */
  advance(tick: number): void {
    this.#forecast.advance(tick);
    this.#last = this.#next = undefined;
  }

  /** Takes the server's state of a tick. */
  load(told: Told, entities: readonly ToldEntity[], moment: Moment): void {
    this.#compare(this.#forecast.at(told.tick), entities);
    const isSame = told.avatar === this.#avatar;
    this.#avatar = told.avatar;
    if (!isSame) this.#offsets.clear();
    this.#redraw(moment, () => {
      const { isCorrected, isSnapped, replayed } = this.#forecast.load(told, entities);
      this.advance(Math.floor(moment.local));
      if (isCorrected) this.#accuracy.corrected(moment.now, replayed);
      if (isSnapped) this.#offsets.clear();
      return isSame && !isSnapped;
    });
  }

  /** Calls `change`, which changes what the player wants, and lets what is drawn go on from where it is. */
  steer(moment: Moment, change: () => readonly number[]): void {
    this.#redraw(moment, () => {
      const before = moment.wanted;
      moment.wanted = change();
      // Keys make own movement start and end. What is set directly, such as an aim, is drawn where it is.
      return this.#input.motions.some((motion, k) => motion === "hold" && before[k] !== moment.wanted[k]);
    });
  }

  /** The columns of a component as they should be drawn; `undefined` if it is not predicted. */
  drawn(id: number, component: number, moment: Moment): number[] | undefined {
    const row = this.#predicted(id, component, moment);
    const codec = this.#codecs[component];
    if (row && codec) this.#offsets.apply(`${id}:${component}`, codec, row, moment.now);
    return row;
  }

  /** The state after the step that is not over yet, with what the player wants now; `undefined` where the forecast has stopped. */
  next({ local, wanted }: Moment): State | undefined {
    return Math.floor(local) === this.#forecast.tick ? this.#peek(wanted) : undefined;
  }

  #compare(predicted: State | undefined, entities: readonly ToldEntity[]): void {
    let error: number | undefined;
    for (const { id, rows } of entities) {
      predicted?.get(id)?.forEach((exact, component) => {
        const row = rows[component];
        if (exact && row) error = Math.max(error ?? 0, this.#codecs[component]?.distance(exact, row) ?? 0);
      });
    }
    if (error !== undefined) this.#accuracy.compared(error);
  }

  /** Draws what `change` does to the prediction as an error that decays, unless it returns false or the error is too large. */
  #redraw(moment: Moment, change: () => boolean): void {
    const shown = new Map<string, number[]>();
    this.#each((key, id, component) => {
      const row = this.drawn(id, component, moment);
      if (row) shown.set(key, row);
    });
    if (!change()) return;
    this.#each((key, id, component, codec) => {
      const [was, row] = [shown.get(key), this.#predicted(id, component, moment)];
      if (!was || !row) return;
      const snaps = codec.distance(was, row) > this.#snap;
      this.#offsets.set(key, codec, snaps ? row : was, row, moment.now);
    });
  }

  #each(visit: (key: string, id: number, component: number, codec: Codec) => void): void {
    for (const [id, rows] of this.#state()) {
      rows.forEach((_, component) => {
        const codec = this.#codecs[component];
        if (codec?.moves) visit(`${id}:${component}`, id, component, codec);
      });
    }
  }

  #state(): State {
    return (this.#last ??= this.#forecast.at(this.#forecast.tick) ?? new Map());
  }

  /** The columns between the last step and the one that is not over yet. */
  #predicted(id: number, component: number, { local, wanted }: Moment): number[] | undefined {
    const last = this.#state().get(id)?.[component];
    const codec = this.#codecs[component];
    const { tick } = this.#forecast;
    if (!codec?.moves || !last || Math.floor(local) !== tick) return last && [...last];
    const next = this.#peek(wanted).get(id)?.[component] ?? last;
    const row: number[] = [];
    codec.mix(last, next, local - tick, row);
    return row;
  }

  /** The state after the step that is not over yet. */
  #peek(wanted: readonly number[]): State {
    if (!this.#next?.wanted.every((column, k) => column === wanted[k])) {
      this.#next = { wanted: [...wanted], state: this.#forecast.peek(wanted) };
    }
    return this.#next.state;
  }
}
