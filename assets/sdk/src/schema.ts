// The schema of a game, and how its rows of integers become a program's values and back.

import { FrameError } from "./errors.js";

export interface Field {
  name: string;
  type: "bool" | "int" | "choice" | "float" | "angle" | "vec2" | "vec3";
  min?: number;
  max?: number;
  step?: number;
  steps?: number;
  values?: string[];
  oneShot?: boolean;
}

/** The wire's description of a component, an event or the input. */
export interface Type {
  id: number;
  name: string;
  to?: "everyone" | "owner" | "team";
  shape: "unit" | "value" | "struct";
  fields: Field[];
}

export interface Schema {
  game: string;
  protocol: number;
  hz: number;
  components: Type[];
  events: Type[];
  input: Omit<Type, "id">;
  /** Whether lists in frames may be packed. */
  packed?: boolean;
}

/** The component that every game has: the seat that owns an entity. */
export const SEAT = 0;

/** How a column moves between two frames: it takes the older value, runs straight, or turns the shorter way. */
type Motion = "hold" | "linear" | "turn";

interface Slot {
  field: Field;
  /** The field's first column. */
  at: number;
  width: number;
}

const WIDTHS = { bool: 1, int: 1, choice: 1, float: 1, angle: 1, vec2: 2, vec3: 3 } as const;

/** One component, event or input, ready to read and write rows. */
export class Codec {
  readonly name: string;
  readonly type: Omit<Type, "id">;
  /** Columns in a row. */
  readonly columns: number;
  /** For each column, how many steps make a full turn; 0 for a column that is not an angle. */
  readonly turns: readonly number[];
  /** Whether any column moves smoothly between frames. */
  readonly moves: boolean;
  readonly #motions: readonly Motion[];
  readonly #slots: readonly Slot[];

  constructor(type: Omit<Type, "id">) {
    this.name = type.name;
    this.type = type;
    const slots: Slot[] = [];
    const turns: number[] = [];
    const motions: Motion[] = [];
    for (const field of type.fields) {
      const width = WIDTHS[field.type];
      if (width === undefined)
        throw new FrameError(`field ${type.name}.${field.name} has the unknown type ${field.type}`);
      slots.push({ field, at: motions.length, width });
      for (let k = 0; k < width; k++) {
        turns.push(field.type === "angle" ? need(field, "steps") : 0);
        motions.push(motionOf(field));
      }
    }
    this.columns = motions.length;
    this.turns = turns;
    this.moves = motions.some((m) => m !== "hold");
    this.#slots = slots;
    this.#motions = motions;
  }

  /** The program's value of a row. */
  read(row: ArrayLike<number>): unknown {
    switch (this.type.shape) {
      case "unit":
        return true;
      case "value": {
        const slot = this.#slots[0];
        return slot && readField(slot, row);
      }
      case "struct": {
        const value: Record<string, unknown> = {};
        for (const slot of this.#slots) value[slot.field.name] = readField(slot, row);
        return value;
      }
    }
  }

  /** The row `part` of the way from `from` to `to` (0 to 1), written into `out`. */
  mix(from: ArrayLike<number>, to: ArrayLike<number>, part: number, out: number[]): void {
    for (let k = 0; k < this.columns; k++) {
      const a = from[k] ?? 0;
      const b = to[k] ?? 0;
      const motion = this.#motions[k];
      if (motion === "linear") {
        out[k] = a + (b - a) * part;
      } else if (motion === "turn") {
        const steps = this.turns[k] ?? 1;
        const way = wrap(b - a + steps / 2, steps) - steps / 2;
        out[k] = wrap(a + way * part, steps);
      } else {
        out[k] = a;
      }
    }
  }

  /**
   * Writes a program's value into a row. Fields that the value leaves out keep what `row` has, but one-shots are cleared.
   * Throws a `TypeError` that names the field when a value does not fit its type; the row is then as it was.
   */
  write(value: unknown, row: readonly number[]): number[] {
    const next = [...row];
    for (const slot of this.#slots) {
      const given = this.type.shape === "struct" ? fieldOf(value, slot.field.name) : value;
      if (given !== undefined) writeField(slot, given, next, this.#label(slot.field));
      else if (slot.field.oneShot) next.fill(0, slot.at, slot.at + slot.width);
    }
    return next;
  }

  /** The row of a value that says nothing: zero, or what is nearest to it in the field's range. */
  blank(): number[] {
    const row: number[] = new Array<number>(this.columns).fill(0);
    for (const { field, at, width } of this.#slots) {
      if (field.type === "int") row[at] = clamp(0, field.min, field.max);
      else if (field.step !== undefined) row.fill(quantise(0, field), at, at + width);
    }
    return row;
  }

  /** A field's name in messages; the one of a plain value has none of its own. */
  #label(field: Field): string {
    return this.type.shape === "struct" ? `${this.name}.${field.name}` : this.name;
  }

  /** The columns that act in one tick only. */
  oneShots(): number[] {
    return this.#slots.filter((slot) => slot.field.oneShot).map((slot) => slot.at);
  }
}

/** A schema whose types can be looked up by the wire's id and by name. */
export class Schemas {
  readonly schema: Schema;
  readonly components: readonly (Codec | undefined)[];
  readonly events: readonly (Codec | undefined)[];
  readonly input: Codec;
  readonly #ids: ReadonlyMap<string, number>;

  constructor(schema: Schema) {
    this.schema = schema;
    this.components = byId(schema.components, 52);
    this.events = byId(schema.events, 127);
    this.input = new Codec(schema.input);
    this.#ids = new Map(schema.components.map((type) => [type.name, type.id]));
  }

  /** The wire id of a component. Throws a `TypeError` for a name that the game does not have. */
  id(component: string): number {
    const id = this.#ids.get(component);
    if (id === undefined) throw new TypeError(`${this.schema.game} has no component ${component}`);
    return id;
  }
}

/** `value` modulo `steps`, in 0 to `steps`. */
export function wrap(value: number, steps: number): number {
  const rest = value % steps;
  return rest < 0 ? rest + steps : rest;
}

function byId(types: readonly Type[], max: number): (Codec | undefined)[] {
  const codecs: (Codec | undefined)[] = [];
  for (const type of types) {
    if (!Number.isInteger(type.id) || type.id < 0 || type.id > max) {
      throw new FrameError(`${type.name} has the id ${type.id}, which is not within 0 to ${max}`);
    }
    codecs[type.id] = new Codec(type);
  }
  return codecs;
}

function motionOf(field: Field): Motion {
  if (field.type === "angle") return "turn";
  return field.type === "float" || field.type === "vec2" || field.type === "vec3" ? "linear" : "hold";
}

function readField({ field, at }: Slot, row: ArrayLike<number>): unknown {
  const column = row[at] ?? 0;
  switch (field.type) {
    case "bool":
      return column !== 0;
    case "int":
      return column;
    case "choice":
      return field.values?.[column] ?? field.values?.[0];
    case "float":
      return column * need(field, "step");
    case "angle":
      return (column * 2 * Math.PI) / need(field, "steps");
    case "vec2": {
      const step = need(field, "step");
      return { x: column * step, y: (row[at + 1] ?? 0) * step };
    }
    case "vec3": {
      const step = need(field, "step");
      return { x: column * step, y: (row[at + 1] ?? 0) * step, z: (row[at + 2] ?? 0) * step };
    }
  }
}

/** The largest magnitude of a column with a step, which the server keeps to. */
const LIMIT = 2 ** 31;

const AXES = ["x", "y", "z"] as const;

function writeField({ field, at, width }: Slot, given: unknown, row: number[], name: string): void {
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
      row[at] = quantise(finite(given, name), field);
      return;
    case "angle": {
      const steps = need(field, "steps");
      row[at] = Math.floor(wrap(finite(given, name) / (2 * Math.PI), 1) * steps + 0.5) % steps;
      return;
    }
    default:
      for (let k = 0; k < width; k++) {
        const axis = AXES[k] ?? "x";
        row[at + k] = quantise(finite(fieldOf(given, axis), `${name}.${axis}`), field);
      }
  }
}

function quantise(value: number, field: Field): number {
  return clamp(round(clamp(value, field.min, field.max) / need(field, "step")), -LIMIT, LIMIT);
}

/** Halves go away from zero, as in Rust, so that both sides write the same bytes. Never −0. */
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

function need(field: Field, key: "step" | "steps"): number {
  const value = field[key];
  if (value === undefined || !(value > 0))
    throw new FrameError(`field ${field.name} of type ${field.type} has no ${key}`);
  return value;
}
