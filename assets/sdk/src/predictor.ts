// Runs the prediction of a room: the local ticks, and what the room draws of the player's own entities.

import type { PredictionStats } from "./accuracy.js";
import type { Forecast, State, ToldEntity } from "./forecast.js";
import type { Frame } from "./frame.js";
import type { Inputs } from "./input.js";
import type { Sample } from "./interpolate.js";
import type { Mirror } from "./mirror.js";
import type { Playback } from "./playback.js";
import type { Moment } from "./prediction.js";
import { Prediction } from "./prediction.js";
import { exactRow } from "./rollback.js";
import type { Codec, Schemas } from "./schema.js";
import type { Drawn, Found, SpawnRule } from "./spawns.js";
import { OwnSpawns } from "./spawns.js";

/** Inputs that are on their way at once: two seconds of them, at the highest tick rate. */
const MOST_SENT = 256;

/** How long an entity that was spawned ahead waits for the server: some round trips, and some ticks for their jitter. */
const PATIENCE = { roundTrips: 1.5, ticks: 4 };

/** The parts of a room that prediction works with. */
export interface PredictorParts {
  seat: number;
  /** The current time in milliseconds. */
  now(): number;
  schemas: Schemas;
  mirror: Mirror;
  playback: Playback;
  inputs: Inputs;
  /** The rules have failed, for this reason. There is no prediction from now on. */
  failed(cause: unknown): void;
}

/** The spawns of an avatar in the ticks after the server's state, up to the newest that was looked at. */
interface Foreseen {
  readonly own: OwnSpawns;
  found: Found[];
  newest: number;
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
  /** The entities that are spawned ahead, by their rule. */
  readonly #spawns = new Map<SpawnRule, Foreseen>();

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
      if (!moment || avatar === undefined) return this.suspend();
      this.#prediction.load({ tick, taken, margin, avatar }, entities, moment);
      for (const [rule, foreseen] of this.#spawns) {
        foreseen.newest = 0;
        this.#foresee(rule, foreseen, moment);
      }
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

  /** Adds what the avatar has spawned ahead of the server to the entities that are drawn at `tick`, in place of the server's own. */
  spawned(rule: SpawnRule, others: readonly Drawn[], tick: number): readonly Drawn[] {
    const drawn = this.#guard(() => {
      const { schemas, seat, playback } = this.#parts;
      const { hz } = schemas.schema;
      const moment = this.#tick();
      if (!moment) return undefined;
      let foreseen = this.#spawns.get(rule);
      if (!foreseen) {
        foreseen = { own: new OwnSpawns(this.#codec(rule), hz, () => -++rule.count), found: [], newest: 0 };
        this.#spawns.set(rule, foreseen);
      }
      const { own } = foreseen;
      this.#foresee(rule, foreseen, moment);
      const patience = PATIENCE.roundTrips * playback.rtt + (PATIENCE.ticks * 1000) / hz;
      const ahead = own.drawn(moment.now, moment.local, patience);
      return [...others.filter(({ id }) => !own.has(id, tick)), ...ahead.map((one) => ({ ...one, seat }))];
    });
    return drawn ?? others;
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
    this.#spawns.clear();
    this.#guard(() => this.#prediction.reset(keepsInputs));
    this.#parts.inputs.tickLocally(false);
  }

  /** Looks again at what the avatar spawns in the ticks after the server's state, and in the one that is not over yet. */
  #foresee(rule: SpawnRule, foreseen: Foreseen, moment: Moment): void {
    const { mirror, schemas, seat } = this.#parts;
    const { tick: newest } = this.#forecast;
    const base = mirror.tick ?? 0;
    const told: (Found & { id: number })[] = [];
    const codec = this.#codec(rule);
    const [owner, component] = [schemas.id("Seat"), schemas.id(codec.name)];
    for (const { id, rows } of mirror.entities.values()) {
      const row = rows[component];
      if (row && rows[owner]?.[0] === seat) told.push({ id, born: rule.born(codec.read(row)), row });
    }
    if (foreseen.newest < base) Object.assign(foreseen, { found: [], newest: base });
    while (foreseen.newest < newest) {
      foreseen.newest += 1;
      foreseen.found.push(...this.#spawnedAt(rule, foreseen.newest, this.#forecast.at(foreseen.newest)));
    }
    const next = this.#spawnedAt(rule, newest + 1, this.#prediction.next(moment));
    const all = [...foreseen.found, ...next.map((found) => ({ ...found, isNext: true }))];
    told.sort((a, b) => a.id - b.id);
    foreseen.own.update(moment.now, { base, told, foreseen: all, newest: newest + 1 });
  }

  #spawnedAt(rule: SpawnRule, tick: number, state: State | undefined): Found[] {
    const { mirror, schemas } = this.#parts;
    const avatar = mirror.entities.get(mirror.avatar ?? -1);
    const rows = avatar && state?.get(avatar.id);
    if (!rows) return [];
    const me: Record<string, unknown> = { id: avatar.id };
    for (const name of rule.from) {
      const component = schemas.id(name);
      const row = rows[component] ?? avatar.rows[component];
      if (!row) return [];
      me[name] = schemas.components[component]?.read(row);
    }
    const codec = this.#codec(rule);
    return rule.spawn(me, tick).map((value) => ({ born: rule.born(value), row: exactRow(codec, value) }));
  }

  #codec({ components: [, name] }: SpawnRule): Codec {
    return this.#parts.schemas.codec(name);
  }

  /** Returns the entities that the forecast wants to be told of: the avatar, or all entities. None without an avatar. */
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
