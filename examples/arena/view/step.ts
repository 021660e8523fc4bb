// One tick of the rules for the player's own avatar: it walks and turns as in `rules::walk`, and its gun fires as in
// `rules::trigger`. Vectors that the rules' tests record hold it to them.

import type { Ground, Rect, Vec } from "./ground.ts";
import type { Arena } from "./types.d.ts";

/** In units and units per second, as in the rules. */
const RADIUS = 0.5;
const WALK = 6.5;
/** In rounds and in seconds, as in the rules. */
const MAGAZINE = 12;
const BETWEEN_SHOTS = 0.18;
const RELOAD = 1.2;
const DIAGONAL = Math.SQRT1_2;
const WAYS: Record<Arena["input"]["dir"], Vec> = {
  None: { x: 0, y: 0 },
  E: { x: 1, y: 0 },
  NE: { x: DIAGONAL, y: DIAGONAL },
  N: { x: 0, y: 1 },
  NW: { x: -DIAGONAL, y: DIAGONAL },
  W: { x: -1, y: 0 },
  SW: { x: -DIAGONAL, y: -DIAGONAL },
  S: { x: 0, y: -1 },
  SE: { x: DIAGONAL, y: -DIAGONAL },
};

/** The components that the step reads or writes. */
export const STEPPED = ["Pos", "Aim", "Hp", "Shield", "Ammo", "Gun"] as const;
type Me = Pick<Arena["components"], (typeof STEPPED)[number]>;
type Input = Arena["input"];

interface Time {
  readonly tick: number;
  readonly dt: number;
}

/** The step on a map. */
export function stepOn(ground: Ground): (me: Me, input: Input, time: Time) => void {
  return (me, input, time) => {
    if (me.Hp > 0) walk(ground, me, input, time);
    trigger(me, input, time);
  };
}

function walk(ground: Ground, me: Me, { dir, aim }: Input, { dt }: Time): void {
  const { x, y } = me.Pos.at;
  me.Pos.at = slide(ground, { x: x + WAYS[dir].x * WALK * dt, y: y + WAYS[dir].y * WALK * dt });
  me.Aim = aim;
}

function trigger(me: Me, { fire, reload }: Input, { tick, dt }: Time): void {
  const isReady = tick >= me.Gun.ready;
  const isSafe = tick < me.Shield.until;
  if (isReady && me.Ammo === 0) me.Ammo = MAGAZINE;
  if (me.Hp > 0 && isReady && fire && !isSafe) {
    me.Ammo -= 1;
    me.Gun = { ready: tick + Math.round(BETWEEN_SHOTS / dt), fired: tick };
  }
  if ((reload && me.Ammo > 0 && me.Ammo < MAGAZINE) || (me.Ammo === 0 && isReady)) {
    me.Ammo = 0;
    me.Gun = { ...me.Gun, ready: tick + Math.round(RELOAD / dt) };
  }
}

/** Moves the circle of an avatar out of the walls. */
function slide({ walls, width, height }: Ground, at: Vec): Vec {
  for (const wall of walls) at = push(wall, at);
  return { x: clamp(at.x, RADIUS, width - RADIUS), y: clamp(at.y, RADIUS, height - RADIUS) };
}

function push({ x, y, w, h }: Rect, at: Vec): Vec {
  const gap = { x: at.x - clamp(at.x, x, x + w), y: at.y - clamp(at.y, y, y + h) };
  const length = Math.hypot(gap.x, gap.y);
  if (length >= RADIUS) return at;
  if (length > 0) return { x: at.x + gap.x * (RADIUS / length - 1), y: at.y + gap.y * (RADIUS / length - 1) };
  const ways = [x - RADIUS - at.x, x + w + RADIUS - at.x, y - RADIUS - at.y, y + h + RADIUS - at.y];
  const least = ways.reduce((best, way, k) => (Math.abs(way) < Math.abs(ways[best] ?? 0) ? k : best), 0);
  const way = ways[least] ?? 0;
  return least < 2 ? { x: at.x + way, y: at.y } : { x: at.x, y: at.y + way };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
