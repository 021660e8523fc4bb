// A picture: strokes, made of the pieces that the server keeps or of the player's own ink, and drawn on a canvas.

import { HIGH, type Op, type Point, WIDE } from "./ink.ts";
import { COLORS, WIDTHS } from "./palette.ts";

export interface Stroke {
  readonly color: number;
  readonly width: number;
  readonly points: Point[];
}

/** A piece of a stroke, as in the component `Ink`. */
export interface Piece {
  readonly stroke: number;
  readonly part: number;
  readonly color: number;
  readonly width: number;
  readonly x: number;
  readonly y: number;
  readonly count: number;
  readonly steps: readonly number[];
}

/** Puts the pieces together. */
export function strokesOf(pieces: Iterable<Piece>): Stroke[] {
  const strokes: Stroke[] = [];
  const sorted = [...pieces].sort((a, b) => a.stroke - b.stroke || a.part - b.part);
  for (const { part, color, width, x, y, count, steps } of sorted) {
    if (part === 0) strokes.push({ color, width, points: [{ x, y }] });
    const points = strokes.at(-1)?.points ?? [];
    let at = { x, y };
    for (let k = 0; k < count; k++) {
      at = { x: at.x + (steps[2 * k] ?? 0), y: at.y + (steps[2 * k + 1] ?? 0) };
      points.push(at);
    }
  }
  return strokes;
}

/** Does to strokes what the rules do to the sheet. */
export function apply(strokes: Stroke[], op: Op): void {
  if (op === "Undo") {
    strokes.pop();
  } else if (op === "Clear") {
    strokes.length = 0;
  } else if ("Begin" in op) {
    const { color, width, at } = op.Begin;
    strokes.push({ color, width, points: [at] });
  } else {
    const points = strokes.at(-1)?.points ?? [];
    for (const { dx, dy } of op.Steps) {
      const { x, y } = points.at(-1) ?? { x: 0, y: 0 };
      points.push({ x: x + dx, y: y + dy });
    }
  }
}

/** A text that is the same for equal pictures only, in all likelihood. */
export function printOf(strokes: readonly Stroke[]): string {
  let hash = 2166136261;
  for (const { color, width, points } of strokes) {
    const numbers = [color, width, ...points.flatMap(({ x, y }) => [x, y])];
    for (const number of numbers) hash = Math.imul(hash ^ number, 16777619) >>> 0;
  }
  const points = strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
  return `${strokes.length}:${points}:${hash.toString(16)}`;
}

/** The pixels of a unit of the sheet. */
const SCALE = 2;

/** Draws strokes, and of a picture that has grown only what is new. */
export class Canvas {
  private readonly pen: CanvasRenderingContext2D;
  /** What is drawn. */
  private shown: Stroke[] = [];

  constructor(readonly node: HTMLCanvasElement) {
    node.width = WIDE * SCALE;
    node.height = HIGH * SCALE;
    const pen = node.getContext("2d", { alpha: false });
    if (!pen) throw new Error("this browser has no 2D canvas");
    this.pen = pen;
    pen.scale(SCALE, SCALE);
    pen.lineCap = pen.lineJoin = "round";
    this.wipe();
  }

  show(strokes: readonly Stroke[]): void {
    const isGrown = this.shown.every((old, k) => continues(old, strokes[k], k === this.shown.length - 1));
    if (!isGrown) this.wipe();
    strokes.forEach((stroke, k) => {
      const drawn = this.shown[k]?.points.length ?? 0;
      for (let at = drawn; at < stroke.points.length; at++) this.segment(stroke, at);
      this.shown[k] = { ...stroke, points: [...stroke.points] };
    });
  }

  private wipe(): void {
    this.shown = [];
    this.pen.fillStyle = "#fff";
    this.pen.fillRect(0, 0, WIDE, HIGH);
  }

  /** Each step is drawn on its own, so that it makes no difference when it came. */
  private segment({ color, width, points }: Stroke, at: number): void {
    const [from, to] = [points[Math.max(0, at - 1)], points[at]];
    if (!from || !to) return;
    this.pen.strokeStyle = COLORS[color]?.css ?? "#000";
    this.pen.lineWidth = WIDTHS[width]?.units ?? 4;
    this.pen.beginPath();
    this.pen.moveTo(from.x, from.y);
    this.pen.lineTo(to.x, to.y);
    this.pen.stroke();
  }
}

/** Whether a stroke is what it was, or, as the last one, has become longer. */
function continues(old: Stroke, now: Stroke | undefined, isLast: boolean): boolean {
  if (!now || now.color !== old.color || now.width !== old.width) return false;
  if (isLast ? now.points.length < old.points.length : now.points.length !== old.points.length) return false;
  return old.points.every(({ x, y }, k) => now.points[k]?.x === x && now.points[k]?.y === y);
}
