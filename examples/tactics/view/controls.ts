// The pointer and the keys. Both lead to a hex, and to what is done there.

import type { Key } from "@tickcast/web/view";
import type { Point } from "./hex.ts";

/** What a player can do. */
export interface Deeds {
  /** The pointer is over a pixel; `undefined` if it left. */
  hover(pixel: Point | undefined): void;
  /** A pixel was pressed. A finger hides what it presses. */
  press(pixel: Point, isFinger: boolean): void;
  /** An action was chosen by its key. */
  action(name: string): void;
}

/** A pointer that moved farther than this between down and up, in pixels, has not pressed. */
const STILL = 12;

export class Controls {
  private codes = new Map<string, string>();
  private readonly ends = new AbortController();
  private down: Point | undefined;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly actions: readonly Key[],
    private readonly deeds: Deeds,
  ) {
    const { signal } = this.ends;
    canvas.addEventListener("pointermove", (event) => this.moved(event), { signal });
    canvas.addEventListener("pointerleave", () => deeds.hover(undefined), { signal });
    canvas.addEventListener("pointerdown", (event) => void (this.down = this.pixel(event)), { signal });
    canvas.addEventListener("pointerup", (event) => this.released(event), { signal });
    window.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  /** Takes the keys that the player has chosen. */
  bind(keys: Readonly<Record<string, string>>): void {
    this.codes = new Map(this.actions.map(({ name, code }) => [keys[name] ?? code, name]));
  }

  close(): void {
    this.ends.abort();
  }

  private moved(event: PointerEvent): void {
    if (event.pointerType !== "touch") this.deeds.hover(this.pixel(event));
  }

  private released(event: PointerEvent): void {
    const { down } = this;
    this.down = undefined;
    const up = this.pixel(event);
    if (!down || event.button !== 0 || Math.hypot(up.x - down.x, up.y - down.y) > STILL) return;
    this.canvas.focus();
    this.deeds.press(up, event.pointerType === "touch");
  }

  private key(event: KeyboardEvent): void {
    const { ctrlKey, metaKey, altKey, target, code } = event;
    if (ctrlKey || metaKey || altKey) return;
    // Elsewhere keys type, press buttons and move through dialogs.
    if (target instanceof HTMLElement && target !== document.body && target !== this.canvas) return;
    const name = this.codes.get(code);
    if (!name) return;
    event.preventDefault();
    if (!event.repeat || ["up", "down", "left", "right"].includes(name)) this.deeds.action(name);
  }

  private pixel({ clientX, clientY }: PointerEvent): Point {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}
