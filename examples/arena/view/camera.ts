// Converts between map units and pixels. y points up on the map and down on the screen.

import type { Ground, Vec } from "./ground.ts";

/** The visible part of the map in units. It is about the same in every window, whatever its shape. */
const SIGHT = { width: 25, height: 14.5 };

export class Camera {
  x = 0;
  y = 0;
  /** Pixels per unit. */
  scale = 1;
  width = 1;
  height = 1;
  private placed = false;
  private shake = 0;
  private jolt: Vec = { x: 0, y: 0 };

  constructor(
    private readonly canvas: HTMLCanvasElement,
    /** Whether nothing shakes. */
    public calm: boolean,
  ) {}

  /** Sets the resolution of the canvas to its size in device pixels. */
  fit(): void {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth || 1;
    this.height = this.canvas.clientHeight || 1;
    const [width, height] = [Math.round(this.width * density), Math.round(this.height * density)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.scale = Math.sqrt((this.width * this.height) / (SIGHT.width * SIGHT.height));
    this.canvas.getContext("2d")?.setTransform(density, 0, 0, density, 0, 0);
  }

  /** Follows a place smoothly, and shows little of what is outside of the ground. */
  follow(target: Vec, ground: Ground, seconds: number): void {
    const goal = {
      x: within(target.x, this.width / this.scale, ground.width),
      y: within(target.y, this.height / this.scale, ground.height),
    };
    const far = Math.hypot(goal.x - this.x, goal.y - this.y);
    const share = !this.placed ? 1 : 1 - Math.exp(-seconds * (far > 8 ? 5 : 9));
    this.placed = true;
    this.x += (goal.x - this.x) * share;
    this.y += (goal.y - this.y) * share;
    this.shake *= Math.exp(-seconds * 9);
    this.jolt = { x: (Math.random() - 0.5) * this.shake, y: (Math.random() - 0.5) * this.shake };
  }

  /** Shakes the picture by a distance in units. */
  bump(units: number): void {
    if (!this.calm) this.shake = Math.max(this.shake, units);
  }

  /** The pixel of a position. `height` above the ground moves it away from the centre of the picture. */
  at(x: number, y: number, height = 0): Vec {
    const near = this.scale * (1 + height);
    return {
      x: this.width / 2 + (x - this.x + this.jolt.x) * near,
      y: this.height / 2 - (y - this.y + this.jolt.y) * near,
    };
  }

  /** Whether a circle around a position is visible. */
  shows(x: number, y: number, margin: number): boolean {
    const { x: px, y: py } = this.at(x, y);
    const edge = margin * this.scale;
    return px > -edge && py > -edge && px < this.width + edge && py < this.height + edge;
  }
}

function within(target: number, seen: number, size: number): number {
  const margin = 3;
  const least = seen / 2 - margin;
  const most = size - seen / 2 + margin;
  return least > most ? size / 2 : Math.min(Math.max(target, least), most);
}
