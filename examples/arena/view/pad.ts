// Converts keyboard, mouse, touch and gamepad to the input of the rules.

import { ACTIONS, type Action } from "./actions.ts";
import { Gamepads } from "./gamepad.ts";
import type { Vec } from "./ground.ts";
import { Sticks, type Thumb } from "./sticks.ts";
import type { Arena } from "./types.d.ts";

type Input = Arena["input"];
type Dir = Input["dir"];

/** Counterclockwise from the right, because y points up on the map. */
const AROUND: readonly Dir[] = ["E", "NE", "N", "NW", "W", "SW", "S", "SE"];
const WAYS = { up: { x: 0, y: 1 }, down: { x: 0, y: -1 }, left: { x: -1, y: 0 }, right: { x: 1, y: 0 } } as const;
/** These keys always walk. */
const ARROWS: readonly (readonly [string, Action])[] = [
  ["ArrowUp", "up"],
  ["ArrowDown", "down"],
  ["ArrowLeft", "left"],
  ["ArrowRight", "right"],
];

/** The action of each key, with those that the player has chosen. */
export function keysOf(chosen: Readonly<Record<string, string>>): ReadonlyMap<string, Action> {
  return new Map([...ARROWS, ...ACTIONS.map(({ name, code }) => [chosen[name] ?? code, name] as const)]);
}

/** How long a press counts at least, in milliseconds, so that one shorter than a tick is not lost. */
const PRESS = 80;

/** The device that aims: only the mouse points at a place. */
export type Aiming = "mouse" | "touch" | "gamepad";

export class Pad {
  /** The keys that are held, of those that play. */
  private readonly keys = new Set<string>();
  private actions = keysOf({});
  private readonly ends = new AbortController();
  private readonly sticks = new Sticks();
  private readonly gamepads = new Gamepads();
  private mouse: Vec | undefined;
  /** Whether the button of the mouse is held. */
  private clicked = false;
  private pressed = Number.NEGATIVE_INFINITY;
  private reload = false;
  private aim = 0;
  private used: Aiming = "mouse";

  /** `changed` is called when a key or button goes down or up, so that it need not wait for the next picture. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: () => void,
  ) {
    const { signal } = this.ends;
    window.addEventListener("keydown", (event) => this.key(event, true), { signal });
    window.addEventListener("keyup", (event) => this.key(event, false), { signal });
    window.addEventListener("blur", () => this.release(), { signal });
    canvas.addEventListener("pointerdown", (event) => this.down(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.move(event), { signal });
    for (const end of ["pointerup", "pointercancel"] as const)
      canvas.addEventListener(end, (event) => this.up(event), { signal });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  }

  /** Takes the keys that the player has chosen. */
  bind(chosen: Readonly<Record<string, string>>): void {
    this.actions = keysOf(chosen);
    this.keys.clear();
  }

  /** The current input. `me` is the pixel of the player's own avatar. */
  read(me: Vec): Input {
    const gamepad = this.gamepads.read();
    const aim = this.sticks.aim ?? gamepad?.aim;
    if (this.sticks.all.length > 0) this.used = "touch";
    else if (gamepad && (gamepad.walk || gamepad.aim !== undefined || gamepad.fire)) this.used = "gamepad";
    if (aim !== undefined) this.aim = aim;
    else if (this.used === "mouse" && this.mouse) this.aim = Math.atan2(me.y - this.mouse.y, this.mouse.x - me.x);
    const held = this.clicked || this.does("fire") || this.sticks.fire || gamepad?.fire === true;
    const fire = held || performance.now() - this.pressed < PRESS;
    const reload = this.reload || gamepad?.reload === true;
    this.reload = false;
    return { dir: direction(this.sticks.walk ?? this.steps() ?? gamepad?.walk), aim: this.aim, fire, reload };
  }

  /** The position of the mouse, for the reticle; `undefined` while the player uses something else. */
  pointer(): Vec | undefined {
    return this.used === "mouse" ? this.mouse : undefined;
  }

  /** The device that aims. */
  get aiming(): Aiming {
    return this.used;
  }

  /** The thumbs on the screen, for drawing them. */
  thumbs(): readonly Thumb[] {
    return this.sticks.all;
  }

  close(): void {
    this.ends.abort();
  }

  /** The way of the keys that are held; `undefined` if they point nowhere. */
  private steps(): Vec | undefined {
    let way: Vec = { x: 0, y: 0 };
    for (const code of this.keys) {
      const action = this.actions.get(code);
      const step = action && action in WAYS ? WAYS[action as keyof typeof WAYS] : undefined;
      if (step) way = { x: way.x + step.x, y: way.y + step.y };
    }
    return way.x === 0 && way.y === 0 ? undefined : way;
  }

  /** Whether a key of an action is held. */
  private does(action: Action): boolean {
    return [...this.keys].some((code) => this.actions.get(code) === action);
  }

  private key(event: KeyboardEvent, down: boolean): void {
    if (down) this.keyDown(event);
    else this.keyUp(event);
    if (!event.repeat) this.changed();
  }

  /** Keys play whatever has the focus, except where the player types. So the key that shoots never presses a button of the page. */
  private keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const action = this.actions.get(event.code);
    if (!action) return;
    this.keys.add(event.code);
    if (action === "fire" && !event.repeat) this.pressed = performance.now();
    if (action === "reload" && !event.repeat) this.reload = true;
    event.preventDefault();
  }

  /** A key that goes up is up, whatever else is held and wherever the focus is. */
  private keyUp(event: KeyboardEvent): void {
    // macOS tells of no key that goes up while Command is held.
    if (event.key === "Meta") this.keys.clear();
    if (this.keys.delete(event.code)) event.preventDefault();
  }

  private down(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      this.sticks.down(event.pointerId, this.place(event), this.canvas.clientWidth);
    } else if (event.button === 0) {
      this.point(event);
      this.clicked = true;
      this.pressed = performance.now();
      this.changed();
    }
  }

  private move(event: PointerEvent): void {
    if (this.sticks.move(event.pointerId, this.place(event)) || event.pointerType === "touch") return;
    this.point(event);
    // While one button is held, others that go down or up are moves.
    this.clicked = (event.buttons & 1) === 1;
  }

  private up(event: PointerEvent): void {
    if (!this.sticks.up(event.pointerId)) this.clicked = false;
  }

  private point(event: PointerEvent): void {
    this.mouse = this.place(event);
    this.used = "mouse";
  }

  private release(): void {
    this.keys.clear();
    this.sticks.clear();
    this.clicked = false;
  }

  private place(event: PointerEvent): Vec {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }
}

/** The nearest of the eight directions. y points up. */
export function direction(way: Vec | undefined): Dir {
  if (!way) return "None";
  return AROUND[(Math.round(Math.atan2(way.y, way.x) / (Math.PI / 4)) + 8) % 8] ?? "None";
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
