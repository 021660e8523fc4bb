// Converts mouse, touch and keyboard to the input of the rules.

import { ACTIONS, type Action } from "./actions.ts";
import type { Swarm } from "./types.d.ts";

type Input = Swarm["input"];

/** These keys always go. */
const ARROWS: readonly (readonly [string, Action])[] = [
  ["ArrowUp", "up"],
  ["ArrowDown", "down"],
  ["ArrowLeft", "left"],
  ["ArrowRight", "right"],
];

/** The pointer asks for the full speed at this distance from the middle of the cells, in pixels, and for none within the other one. */
const FULL = 110;
const STILL = 14;

export class Pad {
  private readonly held = new Set<Action>();
  private readonly ends = new AbortController();
  private actions = new Map<string, Action>();
  private pointer: { x: number; y: number } | undefined;
  private splits = false;
  private aim = 0;

  constructor(canvas: HTMLCanvasElement) {
    const { signal } = this.ends;
    window.addEventListener("keydown", (event) => this.key(event, true), { signal });
    window.addEventListener("keyup", (event) => this.key(event, false), { signal });
    window.addEventListener("blur", () => this.held.clear(), { signal });
    for (const kind of ["pointerdown", "pointermove"] as const)
      canvas.addEventListener(kind, (event) => this.point(event), { signal });
    canvas.addEventListener("pointerdown", (event) => this.press(event), { signal });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    this.bind({});
  }

  /** Takes the keys that the player has chosen. */
  bind(chosen: Readonly<Record<string, string>>): void {
    this.actions = new Map([...ARROWS, ...ACTIONS.map(({ name, code }) => [chosen[name] ?? code, name] as const)]);
    this.held.clear();
  }

  /** Splits with the next input. */
  split(): void {
    this.splits = true;
  }

  /** The current input. `me` is the pixel of the middle of the player's cells. */
  read(me: { x: number; y: number }): Input {
    const split = this.splits;
    this.splits = false;
    const x = Number(this.held.has("right")) - Number(this.held.has("left"));
    const y = Number(this.held.has("up")) - Number(this.held.has("down"));
    if (x !== 0 || y !== 0) {
      this.aim = Math.atan2(y, x);
      return { aim: this.aim, pace: 1, split };
    }
    if (!this.pointer) return { aim: this.aim, pace: 0, split };
    const [right, up] = [this.pointer.x - me.x, me.y - this.pointer.y];
    const far = Math.hypot(right, up);
    if (far > STILL) this.aim = Math.atan2(up, right);
    return { aim: this.aim, pace: far > STILL ? Math.min(1, far / FULL) : 0, split };
  }

  close(): void {
    this.ends.abort();
  }

  private key(event: KeyboardEvent, isDown: boolean): void {
    const action = this.actions.get(event.code);
    if (!action || (isDown && (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)))) return;
    if (isDown) event.preventDefault();
    if (action !== "split") {
      if (isDown) this.held.add(action);
      else this.held.delete(action);
      // The keys hold until the pointer moves again.
      this.pointer = undefined;
    } else if (isDown && !event.repeat) this.split();
  }

  private point({ offsetX: x, offsetY: y }: PointerEvent): void {
    this.pointer = { x, y };
  }

  /** A click splits. A finger steers, and a second one splits. */
  private press(event: PointerEvent): void {
    if (event.pointerType === "mouse" ? event.button === 0 : !event.isPrimary) this.split();
  }
}

function isTyping({ target }: Event): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT|BUTTON)$/.test(target.tagName))
  );
}
