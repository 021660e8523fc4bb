// The floor and the walls.

import type { Camera } from "./camera.ts";
import type { Ground, Rect, Vec } from "./ground.ts";

/** The height of a wall, as a fraction of the camera's height. */
const HEIGHT = 0.045;
/** Resolution of the floor in pixels per unit. It has soft shapes only. */
const PAINT = 24;
const SHADOW = { x: 0.35, y: 0.55 };

export class Scenery {
  private readonly floor: HTMLCanvasElement;

  constructor(private readonly ground: Ground) {
    this.floor = paintFloor(ground);
  }

  drawFloor(pen: CanvasRenderingContext2D, camera: Camera): void {
    pen.fillStyle = "#06080d";
    pen.fillRect(0, 0, camera.width, camera.height);
    const corner = camera.at(0, this.ground.height);
    const [width, height] = [this.ground.width * camera.scale, this.ground.height * camera.scale];
    pen.drawImage(this.floor, corner.x, corner.y, width, height);
    grid(pen, camera, this.ground);
    pen.strokeStyle = "hsl(190 90% 60% / 0.55)";
    pen.lineWidth = 2;
    pen.shadowColor = "hsl(190 100% 55%)";
    pen.shadowBlur = 14;
    pen.strokeRect(corner.x, corner.y, width, height);
    pen.shadowBlur = 0;
  }

  /** Draws far walls first, so that near ones cover them. */
  drawWalls(pen: CanvasRenderingContext2D, camera: Camera): void {
    const far = ({ x, y, w, h }: Rect) => Math.hypot(x + w / 2 - camera.x, y + h / 2 - camera.y);
    const walls = [...this.ground.walls].sort((a, b) => far(b) - far(a));
    for (const wall of walls) drawWall(pen, camera, wall);
  }
}

/** Paints a light in the centre, panels, and the shadows of the walls. */
function paintFloor(ground: Ground): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = ground.width * PAINT;
  canvas.height = ground.height * PAINT;
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  const { width, height } = canvas;
  const light = pen.createRadialGradient(
    width / 2,
    height / 2,
    0,
    width / 2,
    height / 2,
    Math.hypot(width, height) / 2,
  );
  light.addColorStop(0, "#1a2333");
  light.addColorStop(0.55, "#131a27");
  light.addColorStop(1, "#0c111b");
  pen.fillStyle = light;
  pen.fillRect(0, 0, width, height);
  for (let x = 0; x < ground.width; x += 5) {
    for (let y = 0; y < ground.height; y += 5) {
      if ((x + y) % 10 !== 0) continue;
      pen.fillStyle = "rgb(130 170 255 / 0.022)";
      pen.fillRect(x * PAINT, y * PAINT, 5 * PAINT, 5 * PAINT);
    }
  }
  for (const [blur, alpha, reach] of [
    [0.25, 0.5, 0.35],
    [0.9, 0.55, 1],
  ] as const) {
    pen.shadowColor = `rgb(0 0 0 / ${alpha})`;
    pen.shadowBlur = blur * PAINT;
    pen.shadowOffsetX = SHADOW.x * reach * PAINT;
    pen.shadowOffsetY = SHADOW.y * reach * PAINT;
    pen.fillStyle = "#05070b";
    for (const { x, y, w, h } of ground.walls) pen.fillRect(x * PAINT, height - (y + h) * PAINT, w * PAINT, h * PAINT);
  }
  return canvas;
}

function grid(pen: CanvasRenderingContext2D, camera: Camera, ground: Ground): void {
  for (const [step, style] of [
    [1, "rgb(140 180 255 / 0.045)"],
    [5, "rgb(140 180 255 / 0.1)"],
  ] as const) {
    pen.strokeStyle = style;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let x = step; x < ground.width; x += step) line(pen, camera.at(x, 0), camera.at(x, ground.height));
    for (let y = step; y < ground.height; y += step) line(pen, camera.at(0, y), camera.at(ground.width, y));
    pen.stroke();
  }
}

function drawWall(pen: CanvasRenderingContext2D, camera: Camera, { x, y, w, h }: Rect): void {
  if (!camera.shows(x + w / 2, y + h / 2, Math.max(w, h) / 2 + 1)) return;
  const base = [camera.at(x, y), camera.at(x + w, y), camera.at(x + w, y + h), camera.at(x, y + h)] as const;
  const top = [
    camera.at(x, y, HEIGHT),
    camera.at(x + w, y, HEIGHT),
    camera.at(x + w, y + h, HEIGHT),
    camera.at(x, y + h, HEIGHT),
  ] as const;
  const sides = [
    [0, 1, "#0f1623"],
    [1, 2, "#141c2b"],
    [2, 3, "#1c2638"],
    [3, 0, "#18212f"],
  ] as const;
  for (const [a, b, style] of sides) fill(pen, [base[a], base[b], top[b], top[a]], style);
  const face = pen.createLinearGradient(top[3].x, top[3].y, top[1].x, top[1].y);
  face.addColorStop(0, "#3a4a66");
  face.addColorStop(1, "#29354b");
  fill(pen, top, face);
  pen.lineWidth = 1.5;
  pen.strokeStyle = "rgb(160 205 255 / 0.38)";
  pen.stroke();
  const inset = 0.16;
  const [a, b] = [camera.at(x + inset, y + h - inset, HEIGHT), camera.at(x + w - inset, y + inset, HEIGHT)];
  pen.lineWidth = 1;
  pen.strokeStyle = "rgb(120 220 255 / 0.13)";
  pen.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
}

function fill(pen: CanvasRenderingContext2D, [first, ...rest]: readonly Vec[], style: string | CanvasGradient): void {
  if (!first) return;
  pen.fillStyle = style;
  pen.beginPath();
  pen.moveTo(first.x, first.y);
  for (const corner of rest) pen.lineTo(corner.x, corner.y);
  pen.closePath();
  pen.fill();
}

function line(pen: CanvasRenderingContext2D, from: Vec, to: Vec): void {
  pen.moveTo(Math.round(from.x) + 0.5, Math.round(from.y) + 0.5);
  pen.lineTo(Math.round(to.x) + 0.5, Math.round(to.y) + 0.5);
}
