// Gamepads with the standard mapping: the left stick walks, the right one aims, a trigger fires, a button reloads.

import type { Vec } from "./ground.ts";

/** How far a stick must be from its rest to count: worn sticks do not come back to it. */
const DEAD = 0.25;
/** From when on a trigger is pulled. */
const PULLED = 0.3;
/** The buttons of the standard mapping: both on the right shoulder fire, X and Y reload. */
const FIRE = [7, 5];
const RELOAD = [2, 3];

/** The part of a gamepad that the page reads. */
export interface GamepadState {
  readonly connected: boolean;
  readonly mapping: string;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[];
}

/** The state of a gamepad's controls. y points up. */
export interface GamepadInput {
  /** The way to walk; `undefined` while the stick rests. */
  readonly walk: Vec | undefined;
  /** The direction of the right stick; `undefined` while it rests. */
  readonly aim: number | undefined;
  readonly fire: boolean;
  /** Whether a button for it went down since the last reading. */
  readonly reload: boolean;
}

/** Reads the gamepad that is used: any that was connected, until it is removed. */
export class Gamepads {
  private used = -1;
  private reloading = false;

  constructor(private readonly all: () => readonly (GamepadState | null)[] = connected) {}

  /** The state of its controls; `undefined` if no gamepad is used. */
  read(): GamepadInput | undefined {
    const pads = this.all();
    if (!isUsable(pads[this.used])) this.used = -1;
    const active = pads.findIndex((pad) => isUsable(pad) && isActive(pad));
    if (active >= 0 && (this.used < 0 || !isActive(pads[this.used]))) this.used = active;
    const pad = pads[this.used];
    if (!pad) {
      this.reloading = false;
      return undefined;
    }
    const held = isHeld(pad, RELOAD);
    const reload = held && !this.reloading;
    this.reloading = held;
    const aim = stick(pad, 2);
    return { walk: stick(pad, 0), aim: aim && Math.atan2(aim.y, aim.x), fire: isHeld(pad, FIRE), reload };
  }
}

/** The gamepads that the browser knows; none where a page may not read them. */
function connected(): readonly (GamepadState | null)[] {
  try {
    return navigator.getGamepads();
  } catch {
    return [];
  }
}

function isUsable(pad: GamepadState | null | undefined): pad is GamepadState {
  return pad?.connected === true && pad.mapping === "standard";
}

function isActive(pad: GamepadState | null | undefined): boolean {
  if (!pad) return false;
  return stick(pad, 0) !== undefined || stick(pad, 2) !== undefined || pad.buttons.some(({ pressed }) => pressed);
}

function stick({ axes }: GamepadState, first: number): Vec | undefined {
  const at = { x: axes[first] ?? 0, y: -(axes[first + 1] ?? 0) };
  return Math.hypot(at.x, at.y) < DEAD ? undefined : at;
}

function isHeld({ buttons }: GamepadState, which: readonly number[]): boolean {
  return which.some((k) => buttons[k]?.pressed || (buttons[k]?.value ?? 0) > PULLED);
}
