// Converts keyboard, mouse and touch to the input of the rules.

import type { Vec } from "./ground.ts";
import type { Arena } from "./types.d.ts";

type Input = Arena["input"];
type Dir = Input["dir"];

/** Counterclockwise from the right, because y points up on the map. */
const AROUND: readonly Dir[] = ["E", "NE", "N", "NW", "W", "SW", "S", "SE"];
const KEYS: Record<string, Vec> = {
  KeyW: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: 1 },
  KeyS: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: -1 },
  KeyA: { x: -1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  KeyD: { x: 1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
};
/** How far a finger must move to have an effect, and to fire, in pixels. */
const REST = 12;
const PULL = 34;
/** How long a press counts at least, in milliseconds, so that one shorter than a tick is not lost. */
const PRESS = 80;

interface Finger {
  readonly from: Vec;
  at: Vec;
}

export class Pad {
  /** The keys that are held, of those that play. */
  private readonly keys = new Set<string>();
  private readonly ends = new AbortController();
  private mouse: Vec | undefined;
  /** Whether the button of the mouse is held. */
  private clicked = false;
  private pressed = Number.NEGATIVE_INFINITY;
  private reload = false;
  private aim = 0;
  /** Fingers on the screen: the left one walks, the right one aims and shoots. */
  private readonly fingers = new Map<number, Finger & { readonly left: boolean }>();

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

  /** The current input. `me` is the pixel of the player's own avatar. */
  read(me: Vec): Input {
    const right = this.finger(false);
    if (right) {
      const pull = { x: right.at.x - right.from.x, y: right.at.y - right.from.y };
      if (Math.hypot(pull.x, pull.y) > REST) this.aim = Math.atan2(-pull.y, pull.x);
    } else if (this.mouse) {
      this.aim = Math.atan2(me.y - this.mouse.y, this.mouse.x - me.x);
    }
    const held = this.clicked || this.keys.has("Space") || (right !== undefined && distance(right) > PULL);
    const fire = held || performance.now() - this.pressed < PRESS;
    const reload = this.reload;
    this.reload = false;
    return { dir: this.dir(), aim: this.aim, fire, reload };
  }

  /** The position of the mouse, for the reticle; `undefined` while the player uses touch. */
  pointer(): Vec | undefined {
    return this.fingers.size > 0 ? undefined : this.mouse;
  }

  /** The fingers, for drawing them. */
  thumbs(): readonly Finger[] {
    return [...this.fingers.values()];
  }

  close(): void {
    this.ends.abort();
  }

  private dir(): Dir {
    const left = this.finger(true);
    let way: Vec = { x: 0, y: 0 };
    for (const code of this.keys) {
      const step = KEYS[code];
      if (step) way = { x: way.x + step.x, y: way.y + step.y };
    }
    if (left && distance(left) > REST) way = { x: left.at.x - left.from.x, y: left.from.y - left.at.y };
    if (way.x === 0 && way.y === 0) return "None";
    return AROUND[(Math.round(Math.atan2(way.y, way.x) / (Math.PI / 4)) + 8) % 8] ?? "None";
  }

  private key(event: KeyboardEvent, down: boolean): void {
    if (down) this.keyDown(event);
    else this.keyUp(event);
    if (!event.repeat) this.changed();
  }

  /** Keys play whatever has the focus, except where the player types. So Space never presses a button of the page. */
  private keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!(event.code in KEYS) && event.code !== "Space" && event.code !== "KeyR") return;
    this.keys.add(event.code);
    if (event.code === "Space" && !event.repeat) this.pressed = performance.now();
    if (event.code === "KeyR" && !event.repeat) this.reload = true;
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
    const at = this.place(event);
    if (event.pointerType === "touch") {
      const left = at.x < this.canvas.clientWidth / 2;
      this.fingers.set(event.pointerId, { from: at, at, left });
      if (!left) this.pressed = performance.now();
    } else if (event.button === 0) {
      this.mouse = at;
      this.clicked = true;
      this.pressed = performance.now();
    }
  }

  private move(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (finger) finger.at = this.place(event);
    else if (event.pointerType !== "touch") this.mouse = this.place(event);
    // While one button is held, others that go down or up are moves.
    if (event.pointerType !== "touch") this.clicked = (event.buttons & 1) === 1;
  }

  private up(event: PointerEvent): void {
    if (!this.fingers.delete(event.pointerId)) this.clicked = false;
  }

  private release(): void {
    this.keys.clear();
    this.fingers.clear();
    this.clicked = false;
  }

  private finger(left: boolean): Finger | undefined {
    for (const finger of this.fingers.values()) if (finger.left === left) return finger;
    return undefined;
  }

  private place(event: PointerEvent): Vec {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }
}

function distance({ from, at }: Finger): number {
  return Math.hypot(at.x - from.x, at.y - from.y);
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
