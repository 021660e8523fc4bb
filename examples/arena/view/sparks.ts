// Short-lived light: muzzle flashes, sparks and blasts.

import type { Camera } from "./camera.ts";
import { colour, glow } from "./colours.ts";
import type { Vec } from "./ground.ts";

interface Spark {
  x: number;
  y: number;
  vx: number;
  vy: number;
  readonly tint: number;
  readonly life: number;
  left: number;
}

/** A cone of sparks: angles in radians, the number of sparks, and their speed in units per second. */
interface Spray {
  readonly heading: number;
  readonly spread: number;
  readonly count: number;
  readonly speed: number;
}

interface Flash {
  readonly at: Vec;
  readonly tint: number;
  readonly size: number;
  readonly life: number;
  left: number;
  readonly ring: boolean;
}

const MOST = 500;

export class Sparks {
  private sparks: Spark[] = [];
  private flashes: Flash[] = [];

  /** `calm` makes fewer sparks. */
  constructor(public calm: boolean) {}

  muzzle(at: Vec, way: Vec, tint: number): void {
    this.flash(at, tint, 2.4, 0.08);
    this.spray(at, tint, { heading: Math.atan2(way.y, way.x), spread: 0.5, count: 3, speed: 7 });
  }

  /** The end of a shot. Most sparks fly back. */
  burst(at: Vec, way: Vec, tint: number, count: number): void {
    this.flash(at, tint, 1.9, 0.12);
    this.spray(at, tint, { heading: Math.atan2(-way.y, -way.x), spread: 1.3, count, speed: 8 });
  }

  /** An avatar dies. */
  blast(at: Vec, tint: number): void {
    this.flash(at, tint, 6, 0.35);
    this.flashes.push({ at, tint, size: 4.2, life: 0.5, left: 0.5, ring: true });
    this.spray(at, tint, { heading: 0, spread: Math.PI, count: this.calm ? 12 : 42, speed: 9 });
  }

  /** An avatar respawns. */
  appear(at: Vec, tint: number): void {
    this.flash(at, tint, 3.5, 0.4);
    this.flashes.push({ at, tint, size: 2.2, life: 0.45, left: 0.45, ring: true });
  }

  draw(pen: CanvasRenderingContext2D, camera: Camera, seconds: number): void {
    pen.globalCompositeOperation = "lighter";
    this.flashes = this.flashes.filter((flash) => (flash.left -= seconds) > 0);
    for (const flash of this.flashes) drawFlash(pen, camera, flash);
    this.sparks = this.sparks.filter((spark) => (spark.left -= seconds) > 0);
    const drag = Math.exp(-seconds * 5);
    for (const spark of this.sparks) {
      spark.x += spark.vx * seconds;
      spark.y += spark.vy * seconds;
      spark.vx *= drag;
      spark.vy *= drag;
      const age = spark.left / spark.life;
      const head = camera.at(spark.x, spark.y, 0.04);
      const tail = camera.at(spark.x - spark.vx * 0.035, spark.y - spark.vy * 0.035, 0.04);
      pen.strokeStyle = colour(spark.tint, 55 + 30 * age, age);
      pen.lineWidth = Math.max(1, camera.scale * 0.05 * age);
      pen.beginPath();
      pen.moveTo(tail.x, tail.y);
      pen.lineTo(head.x, head.y);
      pen.stroke();
    }
    pen.globalCompositeOperation = "source-over";
  }

  private flash(at: Vec, tint: number, size: number, life: number): void {
    this.flashes.push({ at, tint, size, life, left: life, ring: false });
  }

  private spray(at: Vec, tint: number, { heading, spread, count, speed }: Spray): void {
    for (let i = 0; i < count && this.sparks.length < MOST; i++) {
      const angle = heading + (Math.random() * 2 - 1) * spread;
      const pace = speed * (0.25 + Math.random());
      const life = 0.18 + Math.random() * 0.35;
      this.sparks.push({
        x: at.x,
        y: at.y,
        vx: Math.cos(angle) * pace,
        vy: Math.sin(angle) * pace,
        tint,
        life,
        left: life,
      });
    }
  }
}

function drawFlash(pen: CanvasRenderingContext2D, camera: Camera, { at, tint, size, life, left, ring }: Flash): void {
  const middle = camera.at(at.x, at.y, 0.03);
  const age = left / life;
  if (ring) {
    pen.strokeStyle = colour(tint, 65, age * 0.8);
    pen.lineWidth = camera.scale * 0.12 * age;
    pen.beginPath();
    pen.arc(middle.x, middle.y, camera.scale * (size / 2) * (1 - age * age), 0, Math.PI * 2);
    pen.stroke();
    return;
  }
  const width = size * camera.scale * (0.7 + 0.3 * age);
  pen.globalAlpha = age;
  pen.drawImage(glow(tint), middle.x - width / 2, middle.y - width / 2, width, width);
  pen.globalAlpha = 1;
}
