// Markers for the player, of hits and of those who are out of sight: marks where own shots hit, arcs towards who shot, and arrows at
// the edge of the screen.

import type { Avatar } from "./avatars.ts";
import type { Camera } from "./camera.ts";
import { colour } from "./colours.ts";
import type { Vec } from "./ground.ts";

/** In seconds. */
const MARKED = 0.35;
const FELT = 1.1;
/** The distance of the arcs from the own avatar, in units, and half of their length, in radians. */
const AROUND = 1.9;
const HALF_ARC = 0.34;
/** Arrows to enemies: more would hide the match. All team mates have one. */
const ENEMIES = 3;
/** In pixels, from the edge of the screen. */
const EDGE = 30;

interface Mark {
  readonly at: Vec;
  readonly down: boolean;
  left: number;
}

interface Blow {
  /** Where it came from. */
  readonly from: Vec;
  left: number;
}

export class Markers {
  private marks: Mark[] = [];
  private blows: Blow[] = [];

  /** `calm` keeps the marks still. */
  constructor(public calm: boolean) {}

  /** An own shot has hit. */
  mark(at: Vec, down: boolean): void {
    this.marks.push({ at, down, left: MARKED });
  }

  /** The player was hit from a place. */
  feel(from: Vec): void {
    this.blows.push({ from, left: FELT });
  }

  draw(pen: CanvasRenderingContext2D, camera: Camera, me: Vec | undefined, seconds: number): void {
    this.marks = this.marks.filter((mark) => (mark.left -= seconds) > 0);
    this.blows = this.blows.filter((blow) => (blow.left -= seconds) > 0);
    pen.lineCap = "round";
    if (me) for (const blow of this.blows) arc(pen, camera, me, blow);
    for (const mark of this.marks) cross(pen, camera, mark, this.calm);
    pen.globalAlpha = 1;
  }
}

/** A part of the screen, in pixels from its upper left corner. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The facts by which arrows are drawn: who looks, for whom, and the boxes that would hide an arrow. */
export interface Arrows {
  readonly me: Vec;
  readonly others: readonly { readonly avatar: Avatar; readonly isFriend: boolean }[];
  readonly boxes: readonly Box[];
}

/** Arrows at the edge of the screen, to all team mates and the nearest enemies that are out of sight. */
export function drawArrows(pen: CanvasRenderingContext2D, camera: Camera, { me, others, boxes }: Arrows): void {
  const far = ({ x, y }: Vec): number => Math.hypot(x - me.x, y - me.y);
  const hidden = others.filter(({ avatar }) => !camera.shows(avatar.x, avatar.y, 0));
  const enemies = hidden.filter(({ isFriend }) => !isFriend).sort((a, b) => far(a.avatar) - far(b.avatar));
  for (const { avatar, isFriend } of [...hidden.filter(({ isFriend }) => isFriend), ...enemies.slice(0, ENEMIES)]) {
    const { at, angle } = edge(camera, camera.at(avatar.x, avatar.y), boxes);
    pen.save();
    pen.translate(at.x, at.y);
    pen.rotate(angle);
    pen.globalAlpha = Math.max(0.35, 1 - far(avatar) / 40);
    arrow(pen, colour(avatar.tint, 62), isFriend);
    pen.restore();
  }
}

/** Where the line from the middle of the screen to a pixel leaves the screen or meets a box, and its direction. */
export function edge(
  { width, height }: { width: number; height: number },
  to: Vec,
  boxes: readonly Box[] = [],
): { at: Vec; angle: number } {
  const middle = { x: width / 2, y: height / 2 };
  const way = { x: to.x - middle.x, y: to.y - middle.y };
  const shares = [
    (middle.x - EDGE) / Math.max(Math.abs(way.x), 1e-6),
    (middle.y - EDGE) / Math.max(Math.abs(way.y), 1e-6),
    ...boxes.map((box) => meets(box, middle, way)),
  ];
  const share = Math.min(...shares);
  return { at: { x: middle.x + way.x * share, y: middle.y + way.y * share }, angle: Math.atan2(way.y, way.x) };
}

/** The share of a way after which it is an arrow's length from a box; `Infinity` if it does not meet the box, or begins in it. */
function meets(box: Box, from: Vec, way: Vec): number {
  const across = between(box.left - EDGE, box.right + EDGE, from.x, way.x);
  const down = between(box.top - EDGE, box.bottom + EDGE, from.y, way.y);
  const enters = Math.max(across.enters, down.enters);
  return enters > 0 && enters < Math.min(across.leaves, down.leaves) ? enters : Infinity;
}

/** The shares of a way between which it is between two values, along one axis. */
function between(low: number, high: number, from: number, way: number): { enters: number; leaves: number } {
  const [a, b] = [(low - from) / (way || 1e-9), (high - from) / (way || 1e-9)];
  return { enters: Math.min(a, b), leaves: Math.max(a, b) };
}

function cross(pen: CanvasRenderingContext2D, camera: Camera, { at, down, left }: Mark, calm: boolean): void {
  const age = left / MARKED;
  const { x, y } = camera.at(at.x, at.y, 0.04);
  const inner = calm ? 6 : 4 + 5 * (1 - age);
  const outer = inner + (down ? 13 : 8);
  pen.globalAlpha = age;
  for (const [style, width] of [
    ["rgb(0 0 0 / 0.6)", 5],
    [down ? "#ff6b78" : "#ffffff", 2.5],
  ] as const) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    for (const dx of [-1, 1])
      for (const dy of [-1, 1]) {
        pen.moveTo(x + dx * inner, y + dy * inner);
        pen.lineTo(x + dx * outer, y + dy * outer);
      }
    pen.stroke();
  }
}

function arc(pen: CanvasRenderingContext2D, camera: Camera, me: Vec, { from, left }: Blow): void {
  const { x, y } = camera.at(me.x, me.y, 0.02);
  const angle = -Math.atan2(from.y - me.y, from.x - me.x);
  pen.globalAlpha = Math.min(1, left / (FELT * 0.7));
  for (const [style, width] of [
    ["rgb(0 0 0 / 0.5)", 0.2],
    ["#ff5d6c", 0.12],
  ] as const) {
    pen.strokeStyle = style;
    pen.lineWidth = Math.max(3, width * camera.scale);
    pen.beginPath();
    pen.arc(x, y, AROUND * camera.scale, angle - HALF_ARC, angle + HALF_ARC);
    pen.stroke();
  }
}

function arrow(pen: CanvasRenderingContext2D, style: string, isFriend: boolean): void {
  pen.fillStyle = style;
  pen.strokeStyle = "rgb(4 7 12 / 0.8)";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(13, 0);
  pen.lineTo(-7, 9);
  if (isFriend) pen.lineTo(-2, 0);
  pen.lineTo(-7, -9);
  pen.closePath();
  pen.stroke();
  pen.fill();
}
