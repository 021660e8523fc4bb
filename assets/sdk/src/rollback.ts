// Prediction with a step in TypeScript: the avatar, stepped ahead of the server by a function. Pure.

import type { Forecast, Loaded, State, Told, ToldEntity } from "./forecast.js";
import { InputLog } from "./inputlog.js";
import type { Codec, Schemas, Slot } from "./schema.js";

/** The third argument of a step, after the entity and the input. */
export interface StepContext<Config = unknown> {
  /** The tick that the step makes. */
  readonly tick: number;
  /** The length of a tick in seconds. */
  readonly dt: number;
  /** The configuration of the match. */
  readonly config: Config;
}

/** The avatar's components by name, with its `id`. A step changes them. */
export type Predicted = { id: number } & Record<string, unknown>;

/** A step of the avatar, with the whole input of its tick. */
export type Step = (me: Predicted, input: unknown, context: StepContext) => void;

/** How far ahead of the server's newest state to step, in seconds. Without news for longer, the avatar stops. */
const MOST_AHEAD_S = 1;

/** Half a step is lost in rounding. */
const STEP_AND_ROUNDING = 1.5;

/** By component, in the order of the codecs. */
type Rows = (number[] | undefined)[];

/** Steps the avatar, compares with what the server tells, and steps again from there if it differs. */
export class Rollback implements Forecast {
  readonly source = "function";
  readonly components: readonly number[];
  readonly seesOthers = false;
  tick = 0;
  readonly #codecs: readonly (readonly [number, Codec])[];
  readonly #input: Codec;
  readonly #step: Step;
  readonly #hz: number;
  readonly #config: unknown;
  readonly #log: InputLog;
  /** The predictions by tick, from the newest that the server has told on. */
  readonly #past = new Map<number, Rows>();
  #me: Predicted | undefined;
  #told = 0;

  /** Throws a `TypeError` if the game does not have one of the components. */
  constructor(schemas: Schemas, components: readonly string[], step: Step, config: unknown) {
    this.components = components.map((name) => schemas.id(name));
    this.#codecs = this.components.flatMap((id) => {
      const codec = schemas.components[id];
      return codec ? [[id, codec] as const] : [];
    });
    this.#input = schemas.input;
    this.#log = new InputLog(schemas.input);
    this.#step = step;
    this.#hz = schemas.schema.hz;
    this.#config = config;
  }

  input(seq: number, tick: number, row: readonly number[]): void {
    this.#log.add(seq, tick, row);
  }

  load({ tick, taken, margin, avatar }: Told, [entity]: readonly ToldEntity[]): Loaded {
    if (taken > 0) this.#log.taken(taken, margin, tick);
    const predicted = this.#me?.id === avatar ? this.#past.get(tick) : undefined;
    const known = this.#me !== undefined && this.#past.has(tick);
    for (const old of this.#past.keys()) if (old < tick) this.#past.delete(old);
    this.#told = tick;
    this.#log.forget(tick);
    const rows = this.#codecs.map(([id]) => entity?.rows[id]);
    if (predicted && agree(this.#codecs, predicted, rows)) return { isCorrected: false, isSnapped: false, replayed: 0 };
    const before = this.tick;
    if (this.#me && this.#me.id !== avatar) this.#log.release();
    this.#me = rows.every((row) => row) ? { id: avatar } : undefined;
    this.#write(rows);
    this.#past.clear();
    this.tick = tick;
    this.#past.set(tick, this.#read());
    this.advance(before);
    return { isCorrected: known, isSnapped: false, replayed: known ? this.tick - tick : 0 };
  }

  advance(tick: number): void {
    const end = Math.min(tick, this.#told + MOST_AHEAD_S * this.#hz);
    while (this.tick > 0 && this.tick < end) {
      this.tick += 1;
      this.#run(this.tick, this.#log.at(this.tick));
      this.#past.set(this.tick, this.#read());
    }
  }

  at(tick: number): State | undefined {
    const rows = this.#past.get(tick);
    return rows && this.#state(rows);
  }

  peek(input: readonly number[]): State {
    this.#run(this.tick + 1, input);
    const state = this.#state(this.#read());
    this.#write(this.#past.get(this.tick) ?? []);
    return state;
  }

  reset(keepsInputs: boolean): void {
    if (!keepsInputs) this.#log.reset();
    this.#past.clear();
    this.#me = undefined;
    this.tick = this.#told = 0;
  }

  #run(tick: number, input: readonly number[]): void {
    if (!this.#me) return;
    this.#step(this.#me, this.#input.read(input), { tick, dt: 1 / this.#hz, config: this.#config });
  }

  #read(): Rows {
    return this.#codecs.map(([, codec]) => {
      const value = this.#me?.[codec.name];
      return value === undefined ? undefined : exactRow(codec, value);
    });
  }

  #write(rows: readonly (readonly number[] | undefined)[]): void {
    this.#codecs.forEach(([, codec], k) => {
      const row = rows[k];
      if (this.#me) this.#me[codec.name] = row && codec.read(row);
    });
  }

  #state(rows: Rows): State {
    if (!this.#me) return new Map();
    const byId: Rows = [];
    this.#codecs.forEach(([id], k) => void (byId[id] = rows[k]));
    return new Map([[this.#me.id, byId]]);
  }
}

/** Whether the server's rows are those that were predicted, up to one step. */
function agree(
  codecs: readonly (readonly [number, Codec])[],
  predicted: Rows,
  rows: readonly (readonly number[] | undefined)[],
): boolean {
  return codecs.every(([, codec], k) => {
    const [exact, row] = [predicted[k], rows[k]];
    return exact && row ? rowsAgree(codec, exact, row) : !exact && !row;
  });
}

function rowsAgree(codec: Codec, exact: readonly number[], row: readonly number[]): boolean {
  return codec.slots.every(({ field: { min, max }, at, end, step }) => {
    const motion = codec.motions[at];
    for (let k = at; k < end; k++) {
      const [own, server] = [exact[k] ?? 0, row[k] ?? 0];
      if (motion === "hold") {
        if (own !== server) return false;
        continue;
      }
      const value = motion === "turn" ? own : Math.min(Math.max(own * step, min ?? -Infinity), max ?? Infinity) / step;
      if (Math.abs(codec.gap(k, value, server)) > STEP_AND_ROUNDING) return false;
    }
    return true;
  });
}

/** Encodes a whole value without rounding and without limits: its columns as real numbers. */
export function exactRow(codec: Codec, value: unknown): number[] {
  const row = codec.write(value, codec.blank());
  for (const slot of codec.slots) {
    const given = codec.given(value, slot);
    if (given === undefined || codec.motions[slot.at] === "hold") continue;
    const parts = slot.field.length !== undefined ? (given as readonly unknown[]) : [given];
    parts.forEach((part, k) => void writeExact(codec, { ...slot, at: slot.at + k * slot.width }, part, row));
  }
  return row;
}

function writeExact(codec: Codec, { at, width, step }: Slot, given: unknown, row: number[]): void {
  if (codec.motions[at] === "turn") {
    const turn = (given as number) / (2 * Math.PI);
    row[at] = (turn - Math.floor(turn)) * step;
  } else {
    const { x, y, z } = given as Record<string, number>;
    const parts = width === 1 ? [given] : [x, y, z].slice(0, width);
    parts.forEach((part, k) => void (row[at + k] = Number(part) / step));
  }
}
