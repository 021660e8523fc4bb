// The schema of a game, and the conversion between rows of integers and values.

import { natural } from "./checks.js";
import { FrameError } from "./errors.js";

/**
 * A field of a component, an event, a command or the input. Numbers are sent as multiples of `step` or as `steps` of a turn. Only events
 * and commands have texts and bytes, of at most `max` bytes.
 */
export interface Field {
  name: string;
  type: "bool" | "int" | "choice" | "float" | "angle" | "vec2" | "vec3" | "list" | "text" | "bytes";
  min?: number;
  max?: number;
  step?: number;
  steps?: number;
  values?: string[];
  oneShot?: boolean;
  /** The number of elements of a list, and the type of each, which is no list. */
  length?: number;
  of?: Omit<Field, "name" | "oneShot">;
}

/** The description of a component, an event, a command or the input, as the server sends it. */
export interface Type {
  id: number;
  name: string;
  to?: "everyone" | "owner" | "team";
  shape: "unit" | "value" | "struct";
  fields: Field[];
}

/** The types of everything that a room sends and receives. */
export interface Schema {
  game: string;
  protocol: number;
  hz: number;
  components: Type[];
  events: Type[];
  commands?: Type[];
  input: Omit<Type, "id">;
  /** Whether frames may contain packed lists. */
  packed?: boolean;
  /** Whether inputs should say how far behind their ticks the others were drawn. */
  rewind?: boolean;
  /** Whether the match takes no steps, and sends no frames, while nothing happens. */
  onInput?: boolean;
}

/** The id of the component `Seat`, which every game has: the seat that owns an entity. */
export const SEAT = 0;

/** How a column changes between two frames: it keeps the older value, moves linearly, or turns the shorter way. */
export type Motion = "hold" | "linear" | "turn";

/** The columns of a field. */
export interface Slot {
  /** Of a list, the type of its elements, with the length. */
  readonly field: Field;
  /** The field's first column. */
  readonly at: number;
  /** The number of columns, of each element in a list. */
  readonly width: number;
  /** The column after the last one. */
  readonly end: number;
  /** The step of a number or vector, the steps in a turn of an angle; 1 for other fields. */
  readonly step: number;
}

/** For each type of a field but lists, its number of columns, and how they change. */
const KINDS: Readonly<Record<string, readonly [width: number, motion: Motion]>> = {
  bool: [1, "hold"],
  int: [1, "hold"],
  choice: [1, "hold"],
  float: [1, "linear"],
  angle: [1, "turn"],
  vec2: [2, "linear"],
  vec3: [3, "linear"],
  text: [1, "hold"],
  bytes: [1, "hold"],
};

/** Reads and writes the rows of one component, event or input. Texts and bytes of an event are taken as they are, in the place of a number. */
export class Codec {
  readonly name: string;
  readonly type: Omit<Type, "id">;
  /** The number of columns in a row. */
  readonly columns: number;
  /** For each column, the steps of a full turn; 0 if it is not an angle. */
  readonly turns: readonly number[];
  /** Whether any column is interpolated. */
  readonly moves: boolean;
  readonly motions: readonly Motion[];
  readonly slots: readonly Slot[];

  constructor(type: Omit<Type, "id">) {
    this.name = type.name;
    this.type = type;
    const slots: Slot[] = [];
    const turns: number[] = [];
    const motions: Motion[] = [];
    for (const whole of type.fields) {
      const field = { ...whole, ...whole.of };
      const [width, motion] = KINDS[field.type] ?? [0, "linear"];
      const step = motion === "hold" ? 1 : (field[motion === "turn" ? "steps" : "step"] ?? 0);
      if (!(width && step > 0)) throw new FrameError(`field ${field.name} of type ${field.type} has no form`);
      const at = motions.length;
      const end = at + width * natural(field.length ?? 1, "length", 52);
      slots.push({ field, at, width, end, step });
      while (motions.length < end) {
        turns.push(motion === "turn" ? step : 0);
        motions.push(motion);
      }
    }
    this.columns = motions.length;
    this.turns = turns;
    this.moves = motions.some((m) => m !== "hold");
    this.slots = slots;
    this.motions = motions;
  }

  /** Decodes a row. */
  read(row: ArrayLike<number>): unknown {
    switch (this.type.shape) {
      case "unit":
        return true;
      case "value":
        return readField(this.slots[0] as Slot, row);
      case "struct": {
        const value: Record<string, unknown> = {};
        for (const slot of this.slots) value[slot.field.name] = readField(slot, row);
        return value;
      }
    }
  }

  /** Interpolates between two rows into `out`. `part` is 0 at `from` and 1 at `to`; beyond that, what moves goes on. */
  mix(from: ArrayLike<number>, to: ArrayLike<number>, part: number, out: number[]): void {
    for (let k = 0; k < this.columns; k++) {
      const a = from[k] ?? 0;
      const b = to[k] ?? 0;
      out[k] = this.motions[k] === "hold" ? (part < 1 ? a : b) : this.#moved(k, a, this.gap(k, a, b) * part);
    }
  }

  /**
   * Encodes a value into a copy of `row`. Fields that the value omits keep their columns, except that one-shots are
   * cleared. Throws a `TypeError` that names the field if a value does not fit its type.
   */
  write(value: unknown, row: readonly number[]): number[] {
    const next = [...row];
    for (const slot of this.slots) {
      const given = this.given(value, slot);
      if (given !== undefined) writeField(slot, given, next, this.#label(slot.field));
      else if (slot.field.oneShot) next.fill(0, slot.at, slot.end);
    }
    return next;
  }

  /** The part of a value that belongs to a field. */
  given(value: unknown, { field }: Slot): unknown {
    return this.type.shape === "struct" ? fieldOf(value, field.name) : value;
  }

  /** The difference of two values of a column: around a circle, the shorter one. */
  gap(k: number, from: number, to: number): number {
    const steps = this.turns[k];
    return steps ? wrap(to - from + steps / 2, steps) - steps / 2 : to - from;
  }

  /** For each column that moves, the way between two rows, the shorter one around a circle; 0 for other columns. */
  way(from: readonly number[], to: readonly number[]): number[] {
    return this.motions.map((motion, k) => (motion === "hold" ? 0 : this.gap(k, from[k] ?? 0, to[k] ?? 0)));
  }

  /** Moves a row by a part of a way. */
  shift(row: number[], way: readonly number[], part: number): void {
    this.motions.forEach((motion, k) => {
      if (motion !== "hold") row[k] = this.#moved(k, row[k] ?? 0, (way[k] ?? 0) * part);
    });
  }

  /** A column after a way, around a circle. */
  #moved(k: number, from: number, way: number): number {
    const steps = this.turns[k];
    return steps ? wrap(from + way, steps) : from + way;
  }

  /** The greatest distance of a number, a point or a list of these between two rows, in its own units. Angles do not count. */
  distance(from: readonly number[], to: readonly number[]): number {
    let greatest = 0;
    for (const { at, end, step } of this.slots) {
      if (this.motions[at] !== "linear") continue;
      const gaps = Array.from({ length: end - at }, (_, k) => (to[at + k] ?? 0) - (from[at + k] ?? 0));
      greatest = Math.max(greatest, Math.hypot(...gaps) * step);
    }
    return greatest;
  }

  /** The neutral row: zero, or the nearest value in the range of each field. */
  blank(): number[] {
    const row: number[] = new Array<number>(this.columns).fill(0);
    for (const slot of this.slots) {
      const { field, at, end } = slot;
      if (field.type === "int") row.fill(clamp(0, field.min, field.max), at, end);
      else if (this.motions[at] === "linear") row.fill(quantise(0, slot), at, end);
    }
    return row;
  }

  /** The name of a field in error messages. The field of a plain value has no name of its own. */
  #label(field: Field): string {
    return this.type.shape === "struct" ? `${this.name}.${field.name}` : this.name;
  }

  /** The columns of one-shot fields, which take effect in one tick only. */
  oneShots(): number[] {
    return this.slots.filter((slot) => slot.field.oneShot).map((slot) => slot.at);
  }
}

/** The codecs of a schema, by wire id and by name. */
export class Schemas {
  readonly schema: Schema;
  readonly components: readonly (Codec | undefined)[];
  readonly events: readonly (Codec | undefined)[];
  readonly input: Codec;

  constructor(schema: Schema) {
    this.schema = schema;
    this.components = byId(schema.components, 52);
    this.events = byId(schema.events, 127);
    this.input = new Codec(schema.input);
  }

  /** The wire id of a component. Throws a `TypeError` if the game has no component of this name. */
  id(component: string): number {
    const id = this.schema.components.find(({ name }) => name === component)?.id;
    if (id === undefined) throw new TypeError(`the game ${this.schema.game} has no component ${component}`);
    return id;
  }

  /** The codec of a component. Throws a `TypeError` if the game has no component of this name. */
  codec(component: string): Codec {
    // Each id has a codec: both are made of the same list.
    return this.components[this.id(component)] as Codec;
  }
}

/** `value` modulo `steps`, never negative. */
export function wrap(value: number, steps: number): number {
  const rest = value % steps;
  return rest < 0 ? rest + steps : rest;
}

function byId(types: readonly Type[], max: number): (Codec | undefined)[] {
  const codecs: (Codec | undefined)[] = [];
  for (const type of types) {
    codecs[natural(type.id, `id of ${type.name}`, max)] = new Codec(type);
  }
  return codecs;
}

/** The first column of each element; of a field that is no list, of the field. */
function elements({ at, width, end }: Slot): number[] {
  return Array.from({ length: (end - at) / width }, (_, k) => at + k * width);
}

function readField(slot: Slot, row: ArrayLike<number>): unknown {
  return slot.field.length === undefined
    ? readOne(slot, slot.at, row)
    : elements(slot).map((at) => readOne(slot, at, row));
}

function readOne({ field, step }: Slot, at: number, row: ArrayLike<number>): unknown {
  const column = row[at] ?? 0;
  switch (field.type) {
    case "bool":
      return column !== 0;
    case "choice":
      return field.values?.[column] ?? field.values?.[0];
    case "float":
      return column * step;
    case "angle":
      return (column * 2 * Math.PI) / step;
    case "vec2":
      return { x: column * step, y: (row[at + 1] ?? 0) * step };
    case "vec3":
      return { x: column * step, y: (row[at + 1] ?? 0) * step, z: (row[at + 2] ?? 0) * step };
    default:
      return column;
  }
}

/** The largest magnitude of a column with a step, as on the server. */
const LIMIT = 2 ** 31;

const AXES = ["x", "y", "z"] as const;

function writeField(slot: Slot, given: unknown, row: number[], name: string): void {
  const values = (slot.field.length === undefined ? [given] : given) as ArrayLike<unknown> | null;
  elements(slot).forEach((at, k) => void writeOne({ ...slot, at }, values?.[k], row, name));
}

function writeOne(slot: Slot, given: unknown, row: number[], name: string): void {
  const { field, at, width, step } = slot;
  switch (field.type) {
    case "bool":
      row[at] = given ? 1 : 0;
      return;
    case "int":
      row[at] = clamp(round(finite(given, name)), field.min, field.max);
      return;
    case "choice": {
      const index = field.values?.indexOf(given as string) ?? -1;
      if (index < 0) throw new TypeError(`${name}: ${String(given)} is not one of ${field.values?.join(", ")}`);
      row[at] = index;
      return;
    }
    case "float":
      row[at] = quantise(finite(given, name), slot);
      return;
    case "angle":
      row[at] = Math.floor(wrap(finite(given, name) / (2 * Math.PI), 1) * step + 0.5) % step;
      return;
    default:
      AXES.slice(0, width).forEach((axis, k) => {
        row[at + k] = quantise(finite(fieldOf(given, axis), `${name}.${axis}`), slot);
      });
  }
}

function quantise(value: number, { field: { min, max }, step }: Slot): number {
  return clamp(round(clamp(value, min, max) / step), -LIMIT, LIMIT);
}

/** Rounds halves away from zero, as Rust does, so that both sides produce the same bytes. Never returns −0. */
function round(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value)) + 0;
}

function clamp(value: number, min = -Infinity, max = Infinity): number {
  return Math.min(Math.max(value, min), max);
}

function finite(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new TypeError(`${name}: ${String(value)} is not a finite number`);
  }
  return value;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
