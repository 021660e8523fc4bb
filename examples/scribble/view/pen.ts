// The pen of the drawer: a finger, a stylus, a mouse or the arrow keys on the sheet make ink.

import { HIGH, type Op, type Point, stepsTo, WIDE } from "./ink.ts";

/** A pointer must move so far for a new point, in units of the sheet. */
const LEAST = 3;
/** How far an arrow key moves the pen, and how far with Shift. */
const STRIDE = 8;
const LEAP = 40;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export interface PenOptions {
  /** The element that is drawn on. */
  readonly sheet: HTMLElement;
  /** Whether the player draws now. */
  draws(): boolean;
  /** The chosen colour and width. */
  chosen(): { color: number; width: number };
  ink(op: Op): void;
}

export class Pen {
  /** Where the arrow keys have the pen, and whether it is down there. */
  readonly cursor = { x: WIDE / 2, y: HIGH / 2, isDown: false };
  private at: Point | undefined;
  private pointer: number | undefined;
  private readonly ends = new AbortController();

  constructor(private readonly options: PenOptions) {
    const { sheet } = options;
    const on = <K extends keyof HTMLElementEventMap>(type: K, act: (event: HTMLElementEventMap[K]) => void): void =>
      sheet.addEventListener(type, act, { signal: this.ends.signal });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const type of ["pointerup", "pointercancel"] as const) on(type, (event) => this.up(event));
    on("keydown", (event) => this.key(event));
    on("blur", () => this.lift());
    on("contextmenu", (event) => event.preventDefault());
    // A quick stroke would begin a fling, and the next tap on a button would only end it.
    sheet.addEventListener("touchstart", (event) => event.preventDefault(), {
      signal: this.ends.signal,
      passive: false,
    });
  }

  /** Whether a stroke is being drawn. */
  get isDown(): boolean {
    return this.at !== undefined;
  }

  close(): void {
    this.ends.abort();
  }

  /** Ends the stroke: what is drawn next begins another one. */
  lift(): void {
    this.at = this.pointer = undefined;
    this.cursor.isDown = false;
  }

  private down(event: PointerEvent): void {
    if (!event.isPrimary || event.button !== 0 || !this.options.draws()) return;
    this.lift();
    this.pointer = event.pointerId;
    this.options.sheet.setPointerCapture(event.pointerId);
    this.begin(this.place(event));
  }

  private move(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length > 0 ? all : [event]) this.go(this.place(one), LEAST);
  }

  private up(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    if (event.type === "pointerup") this.go(this.place(event), 1);
    this.lift();
  }

  private key(event: KeyboardEvent): void {
    const way = ARROWS[event.code];
    if (!this.options.draws() || event.ctrlKey || event.metaKey || event.altKey) return;
    const { cursor } = this;
    if (event.code === "Space" && !event.repeat) {
      if (cursor.isDown) {
        this.lift();
      } else {
        this.begin(cursor);
        cursor.isDown = true;
      }
    } else if (way) {
      const stride = event.shiftKey ? LEAP : STRIDE;
      cursor.x = Math.min(Math.max(cursor.x + way.x * stride, 0), WIDE);
      cursor.y = Math.min(Math.max(cursor.y + way.y * stride, 0), HIGH);
      if (cursor.isDown) this.go(cursor, 1);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private begin({ x, y }: Point): void {
    this.at = { x, y };
    this.options.ink({ Begin: { ...this.options.chosen(), at: this.at } });
  }

  private go({ x, y }: Point, least: number): void {
    const { at } = this;
    if (!at || Math.hypot(x - at.x, y - at.y) < least) return;
    if (this.options.draws()) {
      this.options.ink({ Steps: stepsTo(at, { x, y }) });
      this.at = { x, y };
    } else {
      this.lift();
    }
  }

  /** The point of the sheet under a pointer. Beyond the edge it is on the edge. */
  private place({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.options.sheet.getBoundingClientRect();
    const on = (at: number, size: number, units: number): number =>
      Math.round(Math.min(Math.max(at / size, 0), 1) * units);
    return { x: on(clientX - left, width, WIDE), y: on(clientY - top, height, HIGH) };
  }
}
