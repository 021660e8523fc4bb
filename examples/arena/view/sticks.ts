// Two thumbs on a screen: the left half of it walks, the right half aims, and fires where the thumb is pulled far enough.

import type { Vec } from "./ground.ts";

/** How far a thumb must move to have an effect, and to fire, in pixels. */
const REST = 12;
export const PULL = 40;

export interface Thumb {
  readonly from: Vec;
  at: Vec;
  readonly isLeft: boolean;
}

/** The thumbs on the screen, by the ids of their pointers. y points down. */
export class Sticks {
  private readonly thumbs = new Map<number, Thumb>();

  /** The thumbs, for drawing them. */
  get all(): readonly Thumb[] {
    return [...this.thumbs.values()];
  }

  down(id: number, at: Vec, width: number): void {
    this.thumbs.set(id, { from: at, at, isLeft: at.x < width / 2 });
  }

  /** Returns whether this pointer is a thumb. */
  move(id: number, at: Vec): boolean {
    const thumb = this.thumbs.get(id);
    if (thumb) thumb.at = at;
    return thumb !== undefined;
  }

  /** Returns whether this pointer was a thumb. */
  up(id: number): boolean {
    return this.thumbs.delete(id);
  }

  clear(): void {
    this.thumbs.clear();
  }

  /** The way to walk, with y up; `undefined` while the left thumb rests or is away. */
  get walk(): Vec | undefined {
    return this.pull(true);
  }

  /** The direction to aim in; `undefined` while the right thumb rests or is away. */
  get aim(): number | undefined {
    const pull = this.pull(false);
    return pull && Math.atan2(pull.y, pull.x);
  }

  /** Whether the right thumb is in the zone that fires. */
  get fire(): boolean {
    const pull = this.pull(false);
    return pull !== undefined && Math.hypot(pull.x, pull.y) > PULL;
  }

  private pull(isLeft: boolean): Vec | undefined {
    const thumb = this.all.find((thumb) => thumb.isLeft === isLeft);
    if (!thumb) return undefined;
    const pull = { x: thumb.at.x - thumb.from.x, y: thumb.from.y - thumb.at.y };
    return Math.hypot(pull.x, pull.y) > REST ? pull : undefined;
  }
}
