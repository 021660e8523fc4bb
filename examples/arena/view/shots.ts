// Flying shots. The server sends where, when and in which direction a shot started; the view computes its flight.

import type { Camera } from "./camera.ts";
import { colour, glow } from "./colours.ts";
import { type Ground, reach, type Vec } from "./ground.ts";
import type { Sparks } from "./sparks.ts";
import type { Arena } from "./types.d.ts";

/** In units per second, as in the rules. */
const SPEED = 24;
const TRAIL = 1.7;
/** The distance at which a shot becomes visible: the end of the gun. */
const MUZZLE = 0.85;

type Hit = Arena["events"]["Hit"];

/** The seat that has shot, and its colour. */
export interface Shooter {
  readonly seat: number;
  readonly tint: number;
}

interface Flight extends Shooter {
  readonly from: Vec;
  readonly way: Vec;
  readonly born: number;
  /** The distance that it flies. */
  end: number;
  hit?: Hit;
  flashed: boolean;
}

export class Shots {
  private readonly flights = new Map<string, Flight>();
  private readonly seen = new Map<number, number>();

  /** `landed` is called for each hit, when the drawn shot reaches the avatar. */
  constructor(
    private readonly ground: Ground,
    private readonly hz: number,
    private readonly sparks: Sparks,
    private readonly landed: (hit: Hit) => void,
  ) {}

  /** Adds a shot of the room's state, unless it is known. */
  see(id: number, { seat, tint }: Shooter, { from, heading, born }: Arena["components"]["Shot"]): void {
    if (this.seen.get(id) === born) return;
    this.seen.set(id, born);
    const way = { x: Math.cos(heading), y: Math.sin(heading) };
    const end = reach(this.ground, from, way);
    this.flights.set(`${id}:${born}`, { seat, tint, from, way, born, end, flashed: false });
  }

  /** Ends the flight of a shot at the avatar that it hit. */
  hit(hit: Hit): void {
    let nearest: Flight | undefined;
    let least = 1;
    for (const flight of this.flights.values()) {
      if (flight.seat !== hit.shooter || flight.hit) continue;
      const gap = { x: hit.at.x - flight.from.x, y: hit.at.y - flight.from.y };
      const along = gap.x * flight.way.x + gap.y * flight.way.y;
      const off = Math.abs(gap.x * flight.way.y - gap.y * flight.way.x);
      if (off < least && along > -0.5) [nearest, least] = [flight, off];
    }
    if (!nearest) return;
    nearest.hit = hit;
    nearest.end = Math.hypot(hit.at.x - nearest.from.x, hit.at.y - nearest.from.y);
  }

  /** Draws all shots at a tick. */
  draw(pen: CanvasRenderingContext2D, camera: Camera, tick: number): void {
    pen.globalCompositeOperation = "lighter";
    pen.lineCap = "round";
    for (const [key, flight] of this.flights) {
      const flown = ((tick - flight.born + 1) * SPEED) / this.hz;
      if (flown < MUZZLE) continue;
      if (!flight.flashed) {
        flight.flashed = true;
        if (flown < 4) this.sparks.muzzle(point(flight, MUZZLE), flight.way, flight.tint);
      }
      if (flown >= flight.end) {
        this.flights.delete(key);
        const at = point(flight, flight.end);
        if (flown - flight.end < 4) this.sparks.burst(at, flight.way, flight.tint, flight.hit ? 14 : 8);
        if (flight.hit) this.landed(flight.hit);
        continue;
      }
      if (camera.shows(flight.from.x + flight.way.x * flown, flight.from.y + flight.way.y * flown, 3))
        streak(pen, camera, flight, flown);
    }
    pen.globalCompositeOperation = "source-over";
  }

  /** Forgets the shots that are no longer in the room's state. */
  prune(held: ReadonlySet<number>): void {
    for (const id of this.seen.keys()) if (!held.has(id)) this.seen.delete(id);
  }
}

function streak(pen: CanvasRenderingContext2D, camera: Camera, flight: Flight, flown: number): void {
  const tip = point(flight, flown);
  const tail = point(flight, Math.max(MUZZLE, flown - TRAIL));
  const [head, end] = [camera.at(tip.x, tip.y, 0.03), camera.at(tail.x, tail.y, 0.03)];
  const fade = pen.createLinearGradient(end.x, end.y, head.x, head.y);
  fade.addColorStop(0, colour(flight.tint, 55, 0));
  fade.addColorStop(1, colour(flight.tint, 70, 0.85));
  for (const [style, width] of [
    [fade, 0.17],
    [colour(flight.tint, 92, 0.9), 0.07],
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
  pen.drawImage(glow(flight.tint), head.x - size / 2, head.y - size / 2, size, size);
}

function point({ from, way }: Flight, along: number): Vec {
  return { x: from.x + way.x * along, y: from.y + way.y * along };
}
