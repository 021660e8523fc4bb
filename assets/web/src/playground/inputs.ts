// What a player needs to give a game's input: keys, sticks, buttons, sliders and lists, told by the schema alone.

import type { Field, Schema } from "@tickcast/client";

/** A range of numbers. A bound that is missing does not limit them. */
export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** The keys of a stick, as `KeyboardEvent.code`, by its four ways. */
export type Ways = Readonly<Record<"up" | "down" | "left" | "right", readonly string[]>>;

interface Part {
  /** The name for people. */
  readonly label: string;
}

/** A field of type bool: it is set while the button is held. */
export interface Button extends Part {
  readonly kind: "button";
  readonly field: string;
  /** The key; `undefined` if all are taken. */
  readonly key: string | undefined;
}

/** One axis of a stick: a field, or a coordinate of a vector. */
export interface Axis extends Range {
  readonly field: string;
  readonly isWhole: boolean;
}

/** A vector, or two numbers that belong together. */
export interface Stick extends Part {
  readonly kind: "stick";
  readonly ways: Ways;
  readonly x: Axis;
  readonly y: Axis;
}

/** A choice of directions, such as `Dir8`. */
export interface Compass extends Part {
  readonly kind: "compass";
  readonly field: string;
  readonly ways: Ways;
  readonly directions: readonly Direction[];
}

/** A value of a choice, as a direction. +y is up. Standing still is (0, 0). */
export interface Direction {
  readonly value: string;
  readonly x: number;
  readonly y: number;
}

export interface Select extends Part {
  readonly kind: "select";
  readonly field: string;
  readonly values: readonly string[];
}

export interface NumberInput extends Part, Range {
  readonly kind: "number";
  readonly field: string;
  /** The coordinate of a vector that it is. */
  readonly axis?: "x" | "y" | "z";
  readonly step: number;
}

/** A list, which is entered as a text. */
export interface List extends Part {
  readonly kind: "list";
  readonly field: string;
  /** The field of the schema. */
  readonly of: Field;
}

/** An angle, which also follows the pointer. */
export interface Dial extends Part {
  readonly kind: "dial";
  readonly field: string;
}

export type Control = Button | Stick | Compass | Select | NumberInput | Dial | List;

const WASD: Ways = { up: ["KeyW"], down: ["KeyS"], left: ["KeyA"], right: ["KeyD"] };
const ARROWS: Ways = { up: ["ArrowUp"], down: ["ArrowDown"], left: ["ArrowLeft"], right: ["ArrowRight"] };
const BOTH: Ways = {
  up: ["KeyW", "ArrowUp"],
  down: ["KeyS", "ArrowDown"],
  left: ["KeyA", "ArrowLeft"],
  right: ["KeyD", "ArrowRight"],
};
/** A stick that has no keys yet. */
const NONE: Ways = { up: [], down: [], left: [], right: [] };
/** The keys for buttons, the first ones first. Those that the page takes in a match are not among them. */
const BUTTON_KEYS = [
  ...["Space", "KeyE", "KeyQ", "KeyR", "KeyC", "KeyX", "KeyZ", "KeyT", "KeyG", "KeyH", "KeyB", "KeyN"],
  ...["KeyY", "KeyU", "KeyO", "KeyP", "KeyJ", "KeyK", "KeyL"],
];

/** The controls of an input, in the order of its fields. */
export function controlsOf({ name, shape, fields }: Schema["input"]): Control[] {
  const label = (field: Field): string => (shape === "value" ? name : words(field.name));
  const used = new Set<Field>();
  const controls: Control[] = [];
  for (const field of fields) {
    if (used.has(field)) continue;
    const pair = partner(field, fields);
    if (pair) used.add(pair.other);
    controls.push(...(pair ? [stickOf(pair, field)] : controlOf(field, label(field))));
  }
  return withKeys(controls);
}

/** Words for people, of a name in a program: `aim_at` and `aimAt` are `aim at`. */
export function words(name: string): string {
  return name
    .replace(/_+/g, " ")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .trim()
    .toLowerCase();
}

/** The direction that a word names: `NE`, `up`, `Left`; `undefined` if it names none. */
export function directionOf(value: string): Direction | undefined {
  const word = value.toLowerCase().replace(/[^a-z]/g, "");
  if (/^(none|still|stay|rest|idle|stop|stand|wait|zero|centre|center)$/.test(word)) return { value, x: 0, y: 0 };
  const [, vertical = "", horizontal = ""] =
    /^(north|up|n|u|south|down|s|d)?(east|right|e|r|west|left|w|l)?$/.exec(word) ?? [];
  if (!vertical && !horizontal) return undefined;
  const y = vertical === "" ? 0 : /^[nu]/.test(vertical) ? 1 : -1;
  const x = horizontal === "" ? 0 : /^[er]/.test(horizontal) ? 1 : -1;
  return { value, x, y };
}

function controlOf(field: Field, label: string): Control[] {
  const { name, min, max } = field;
  switch (field.type) {
    case "bool":
      return [{ kind: "button", label, field: name, key: undefined }];
    case "choice": {
      const directions = compassOf(field.values ?? []);
      if (directions) return [{ kind: "compass", label, field: name, directions, ways: NONE }];
      return [{ kind: "select", label, field: name, values: field.values ?? [] }];
    }
    case "vec2": {
      const axis = { field: name, min, max, isWhole: false };
      return [{ kind: "stick", label, ways: NONE, x: axis, y: axis }];
    }
    case "vec3":
      return (["x", "y", "z"] as const).map((axis) => numberOf(field, `${label} ${axis}`, axis));
    case "list":
      return [{ kind: "list", label, field: name, of: field }];
    case "angle":
      return [{ kind: "dial", label, field: name }];
    default:
      return [numberOf(field, label)];
  }
}

function numberOf({ name, type, min, max, step = 1 }: Field, label: string, axis?: "x" | "y" | "z"): NumberInput {
  const number = { kind: "number", label, field: name, min, max, step: type === "int" ? 1 : step } as const;
  return axis ? { ...number, axis } : number;
}

/** A choice as directions, if it has the four that a stick needs and nothing else. */
function compassOf(values: readonly string[]): Direction[] | undefined {
  const directions = values.map(directionOf);
  const known = directions.filter((direction) => direction !== undefined);
  const has = (x: number, y: number): boolean => known.some((one) => one.x === x && one.y === y);
  const isCompass = known.length === values.length && has(0, 1) && has(0, -1) && has(1, 0) && has(-1, 0);
  return isCompass ? known : undefined;
}

interface Pair {
  readonly label: string;
  readonly other: Field;
}

/** The field that belongs to this one as `y` does to `x`. Numbers that cannot be negative are no stick. */
function partner(field: Field, fields: readonly Field[]): Pair | undefined {
  const isNumber = ({ type }: Field): boolean => type === "int" || type === "float";
  const goesBoth = ({ min = -1, max = 1 }: Field): boolean => min < 0 && max > 0;
  const [, stem, letter] = /^(.*?)([xX])$/.exec(field.name) ?? [];
  if (stem === undefined || letter === undefined || !isNumber(field) || !goesBoth(field)) return undefined;
  const name = stem + (letter === "x" ? "y" : "Y");
  const other = fields.find((one) => one.name === name && one.type === field.type && goesBoth(one));
  return other && { label: words(stem) || "stick", other };
}

function stickOf({ label, other }: Pair, field: Field): Stick {
  const axis = ({ name, type, min, max }: Field): Axis => ({ field: name, min, max, isWhole: type === "int" });
  return { kind: "stick", label, ways: NONE, x: axis(field), y: axis(other) };
}

/** Gives keys to sticks and buttons: W, A, S and D and the arrows to one stick, or to one each. A third one becomes fields. */
function withKeys(controls: readonly Control[]): Control[] {
  const sticks = controls.filter(({ kind }) => kind === "stick" || kind === "compass");
  const ways = sticks.length === 1 ? [BOTH] : [WASD, ARROWS];
  const taken = new Set(sticks.length > 0 ? Object.values(WASD).flat() : []);
  const free = (): string | undefined => BUTTON_KEYS.find((key) => !taken.has(key));
  const own = (label: string): string | undefined => {
    const key = `Key${label.charAt(0).toUpperCase()}`;
    return BUTTON_KEYS.includes(key) && taken.has("Space") && !taken.has(key) ? key : undefined;
  };
  return controls.flatMap((control): Control[] => {
    if (control.kind === "stick" || control.kind === "compass") {
      const own = ways.shift();
      return own ? [{ ...control, ways: own }] : fieldsOf(control);
    }
    if (control.kind !== "button") return [control];
    const key = own(control.label) ?? free();
    if (key) taken.add(key);
    return [{ ...control, key }];
  });
}

/** The fields that do what a stick does. */
function fieldsOf(control: Stick | Compass): Control[] {
  if (control.kind === "compass") {
    const { label, field, directions } = control;
    return [{ kind: "select", label, field, values: directions.map(({ value }) => value) }];
  }
  const isVector = control.x.field === control.y.field;
  return (["x", "y"] as const).map((axis) => {
    const { field, min, max, isWhole } = control[axis];
    const number = {
      kind: "number",
      label: `${control.label} ${axis}`,
      field,
      min,
      max,
      step: isWhole ? 1 : 0.01,
    } as const;
    return isVector ? { ...number, axis } : number;
  });
}
