// The input of a player, as the keys that are down, the sticks and the other controls make it.

import type { Field } from "@tickcast/client";

import type { Axis, Compass, Control, Stick, Ways } from "./inputs.ts";

type Tilted = Stick | Compass;

/** A stick that is tilted less than this, of 1, rests. */
const DEAD = 0.25;

export class Steering {
  readonly #controls: readonly Control[];
  readonly #send: (values: Readonly<Record<string, unknown>>) => void;
  readonly #values: Record<string, unknown> = {};
  readonly #down = new Set<string>();
  /** The buttons that are held on the screen. */
  readonly #held = new Set<Control>();
  /** The sticks that are tilted on the screen. */
  readonly #tilts = new Map<Control, { readonly x: number; readonly y: number }>();

  /** `send` gets all fields whenever one of them changes. */
  constructor(controls: readonly Control[], send: (values: Readonly<Record<string, unknown>>) => void) {
    this.#controls = controls;
    this.#send = send;
    for (const control of controls) this.#rest(control);
  }

  /** The fields, by their names. */
  get values(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  /** The controls that it reads. */
  get controls(): readonly Control[] {
    return this.#controls;
  }

  /** Whether a key belongs to a control. */
  knows(code: string): boolean {
    return this.#controls.some((control) => keysOf(control).includes(code));
  }

  /** A key goes down or up. */
  key(code: string, isDown: boolean): void {
    if (isDown) this.#down.add(code);
    else this.#down.delete(code);
    this.#changed(this.#controls.filter((control) => keysOf(control).includes(code)));
  }

  /** A button on the screen is held, or no longer. */
  hold(control: Control, isHeld: boolean): void {
    if (isHeld) this.#held.add(control);
    else this.#held.delete(control);
    this.#changed([control]);
  }

  /** A stick on the screen is tilted: each axis from -1 to 1, +y is up. */
  tilt(control: Control, x: number, y: number): void {
    if (x === 0 && y === 0) this.#tilts.delete(control);
    else this.#tilts.set(control, { x, y });
    this.#changed([control]);
  }

  /** Sets a field that is no button and no stick. */
  set(field: string, value: unknown): void {
    this.#values[field] = value;
    this.#send({ ...this.#values });
  }

  /** Lets everything go. */
  release(): void {
    if (this.#down.size + this.#held.size + this.#tilts.size === 0) return;
    this.#down.clear();
    this.#held.clear();
    this.#tilts.clear();
    this.#changed(this.#controls);
  }

  /** Whether a button is held, by its key or on the screen. */
  isHeld(control: Control): boolean {
    return this.#held.has(control) || keysOf(control).some((key) => this.#down.has(key));
  }

  /** How a stick is tilted: keys count more than the pointer. */
  tiltOf(control: Tilted): { x: number; y: number } {
    const isDown = (way: keyof Ways): number => Number(control.ways[way].some((key) => this.#down.has(key)));
    const [x, y] = [isDown("right") - isDown("left"), isDown("up") - isDown("down")];
    if (x === 0 && y === 0) return this.#tilts.get(control) ?? { x: 0, y: 0 };
    const length = Math.hypot(x, y);
    return { x: x / length, y: y / length };
  }

  #changed(controls: readonly Control[]): void {
    const before = JSON.stringify(this.#values);
    for (const control of controls) this.#read(control);
    if (JSON.stringify(this.#values) !== before) this.#send({ ...this.#values });
  }

  #read(control: Control): void {
    if (control.kind === "button") this.#values[control.field] = this.isHeld(control);
    if (control.kind === "stick") this.#readStick(control);
    if (control.kind === "compass") {
      const direction = nearest(control, this.tiltOf(control));
      if (direction !== undefined) this.#values[control.field] = direction;
    }
  }

  #readStick(stick: Stick): void {
    const tilt = this.tiltOf(stick);
    const { x, y } = { x: along(stick.x, tilt.x), y: along(stick.y, tilt.y) };
    if (stick.x.field === stick.y.field) this.#values[stick.x.field] = { x, y };
    else Object.assign(this.#values, { [stick.x.field]: x, [stick.y.field]: y });
  }

  /** The first value of a control. */
  #rest(control: Control): void {
    if (control.kind === "select") this.#values[control.field] = control.values[0];
    else if (control.kind === "list") this.#values[control.field] = listOf(control.of);
    else if (control.kind === "dial") this.#values[control.field] = 0;
    else if (control.kind === "number") this.#restNumber(control.field, control);
    else if (control.kind === "compass") {
      const still = control.directions.find(({ x, y }) => x === 0 && y === 0);
      this.#values[control.field] = (still ?? control.directions[0])?.value;
    } else this.#read(control);
  }

  #restNumber(field: string, { min = -Infinity, max = Infinity, axis }: { min?: number; max?: number; axis?: string }) {
    const zero = Math.min(Math.max(0, min), max);
    this.#values[field] = axis ? { ...(this.#values[field] as object), [axis]: zero } : zero;
  }
}

/** The keys of a control. */
export function keysOf(control: Control): readonly string[] {
  if (control.kind === "button") return control.key ? [control.key] : [];
  return control.kind === "stick" || control.kind === "compass" ? Object.values(control.ways).flat() : [];
}

/** The elements of a list of which none was entered. */
function listOf({ length = 0, of }: Field): unknown[] {
  const { type, min = -Infinity, max = Infinity, values = [] } = of ?? {};
  const zero = Math.min(Math.max(0, min), max);
  const one = (): unknown => {
    if (type === "bool") return false;
    if (type === "choice") return values[0];
    if (type === "vec2") return { x: zero, y: zero };
    return type === "vec3" ? { x: zero, y: zero, z: zero } : zero;
  };
  return Array.from({ length }, one);
}

/** The value of an axis that is tilted by a part of its way. */
function along({ min = -1, max = 1, isWhole }: Axis, part: number): number {
  const value = part >= 0 ? part * max : -part * min;
  return (isWhole ? Math.round(value) : value) + 0;
}

/** The value of the direction that is nearest to a tilt; `undefined` if the stick rests and no value says so. */
function nearest({ directions }: Compass, { x, y }: { x: number; y: number }): string | undefined {
  const still = directions.find((one) => one.x === 0 && one.y === 0);
  if (Math.hypot(x, y) < DEAD) return still?.value;
  const likeness = (one: { x: number; y: number }): number => (one.x * x + one.y * y) / Math.hypot(one.x, one.y);
  const moving = directions.filter((one) => one !== still);
  return moving.reduce((best, one) => (likeness(one) > likeness(best) + 1e-9 ? one : best)).value;
}
