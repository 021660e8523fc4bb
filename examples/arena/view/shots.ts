// Draws flying shots, and the light where they start and end.

import type { Camera } from "./camera.ts";
import { colour, glow } from "./colours.ts";
import type { Flight } from "./flights.ts";
import type { Vec } from "./ground.ts";
import type { Sparks } from "./sparks.ts";

const TRAIL = 1.7;
/** The distance at which a shot becomes visible: the end of the gun. */
const MUZZLE = 0.85;

/** A shot with the index of its colour. */
export type Coloured = Pick<Flight, "from" | "way" | "flown" | "alpha" | "own"> & { readonly tint: number };

export function drawShots(pen: CanvasRenderingContext2D, camera: Camera, shots: Iterable<Coloured>): void {
  pen.globalCompositeOperation = "lighter";
  pen.lineCap = "round";
  for (const shot of shots) {
    if (!isVisible(shot) || !camera.shows(tip(shot).x, tip(shot).y, 3)) continue;
    pen.globalAlpha = shot.alpha;
    streak(pen, camera, shot);
  }
  pen.globalAlpha = 1;
  pen.globalCompositeOperation = "source-over";
}

/** Whether a shot has left the gun. The player's own is seen from the trigger on. */
export function isVisible({ flown, own }: Pick<Flight, "flown" | "own">): boolean {
  return own || flown >= MUZZLE;
}

/** The flash of the gun. */
export function muzzle(sparks: Sparks, { from, way, tint }: Coloured): void {
  sparks.muzzle(point(from, way, MUZZLE), way, tint);
}

/** The sparks at the end of a shot. */
export function burst(sparks: Sparks, flight: Flight, tint: number): void {
  sparks.burst(end(flight), flight.way, tint, flight.hit ? 14 : 8);
}

/** Where a shot ends. */
export function end({ from, way, end }: Flight): Vec {
  return point(from, way, end);
}

function tip({ from, way, flown }: Coloured): Vec {
  return point(from, way, Math.max(flown, MUZZLE));
}

function streak(pen: CanvasRenderingContext2D, camera: Camera, shot: Coloured): void {
  const { from, way, flown, tint } = shot;
  const front = tip(shot);
  const tail = point(from, way, Math.max(MUZZLE - 0.2, flown - TRAIL));
  const [head, end] = [camera.at(front.x, front.y, 0.03), camera.at(tail.x, tail.y, 0.03)];
  const fade = pen.createLinearGradient(end.x, end.y, head.x, head.y);
  fade.addColorStop(0, colour(tint, 55, 0));
  fade.addColorStop(1, colour(tint, 70, 0.85));
  for (const [style, width] of [
    [fade, 0.17],
    [colour(tint, 92, 0.9), 0.07],
  ] as const) {
    pen.strokeStyle = style;
    pen.lineWidth = width * camera.scale;
    pen.beginPath();
    const start = style === fade ? end : { x: head.x + (end.x - head.x) * 0.3, y: head.y + (end.y - head.y) * 0.3 };
    pen.moveTo(start.x, start.y);
    pen.lineTo(head.x, head.y);
    pen.stroke();
  }
  const size = camera.scale * 1.5;
  pen.drawImage(glow(tint), head.x - size / 2, head.y - size / 2, size, size);
}

function point(from: Vec, way: Vec, along: number): Vec {
  return { x: from.x + way.x * along, y: from.y + way.y * along };
}
