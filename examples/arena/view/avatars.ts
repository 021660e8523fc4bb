// The players: bodies, guns, names and health.

import type { Camera } from "./camera.ts";
import { colour, glow } from "./colours.ts";
import type { Rect } from "./ground.ts";

const RADIUS = 0.5;

export interface Avatar {
  readonly id: number;
  readonly seat: number;
  /** The index of its colour: the seat, or the side in a match with teams. */
  readonly tint: number;
  readonly x: number;
  readonly y: number;
  readonly aim: number;
  readonly hp: number;
  readonly frags: number;
}

export interface Look {
  readonly name: string;
  readonly mine: boolean;
  readonly away: boolean;
  /** The part that is left of its protection, from 1 to 0: shots pass through it. */
  readonly shield: number;
  /** The remaining part of the flash after a hit, from 1 to 0. */
  readonly hurt: number;
}

export function drawAvatar(pen: CanvasRenderingContext2D, camera: Camera, avatar: Avatar, look: Look): void {
  if (!camera.shows(avatar.x, avatar.y, 2)) return;
  const { x, y } = camera.at(avatar.x, avatar.y, 0.02);
  const unit = camera.scale;
  pen.save();
  pen.globalAlpha = look.away ? 0.45 : 1;
  pen.translate(x, y);
  shadow(pen, unit);
  if (look.mine) ring(pen, unit, avatar.tint);
  if (look.shield > 0) bubble(pen, unit, avatar.tint, look.shield);
  pen.rotate(-avatar.aim);
  gun(pen, unit, avatar.tint);
  pen.rotate(avatar.aim);
  body(pen, unit, avatar, look.hurt);
  pen.restore();
}

export function drawLabel(pen: CanvasRenderingContext2D, camera: Camera, avatar: Avatar, look: Look): void {
  if (!camera.shows(avatar.x, avatar.y, 2)) return;
  const { x, y } = camera.at(avatar.x, avatar.y, 0.02);
  const width = camera.scale * 1.15;
  const top = y - camera.scale * 0.86;
  const share = Math.max(0, Math.min(1, avatar.hp / 100));
  pen.globalAlpha = look.away ? 0.45 : 1;
  pen.fillStyle = "rgb(4 7 12 / 0.75)";
  bar(pen, { x: x - width / 2 - 1, y: top - 1, w: width + 2, h: 6 });
  pen.fillStyle = share > 0.6 ? "#5ee6a8" : share > 0.3 ? "#ffc857" : "#ff5d6c";
  if (share > 0) bar(pen, { x: x - width / 2, y: top, w: Math.max(4, width * share), h: 4 });
  pen.font = `600 ${Math.round(Math.max(11, camera.scale * 0.24))}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = "rgb(4 7 12 / 0.8)";
  pen.strokeText(look.name, x, top - 5);
  pen.fillStyle = look.mine ? "#ffffff" : colour(avatar.tint, 78);
  pen.fillText(look.name, x, top - 5);
  pen.globalAlpha = 1;
}

function shadow(pen: CanvasRenderingContext2D, unit: number): void {
  pen.fillStyle = "rgb(0 0 0 / 0.45)";
  pen.beginPath();
  pen.ellipse(unit * 0.12, unit * 0.2, unit * RADIUS * 1.05, unit * RADIUS * 0.95, 0, 0, Math.PI * 2);
  pen.fill();
}

function ring(pen: CanvasRenderingContext2D, unit: number, tint: number): void {
  const size = unit * 3.4;
  pen.globalCompositeOperation = "lighter";
  pen.globalAlpha *= 0.28;
  pen.drawImage(glow(tint), -size / 2, -size / 2, size, size);
  pen.globalAlpha /= 0.28;
  pen.globalCompositeOperation = "source-over";
  pen.strokeStyle = colour(tint, 75, 0.7);
  pen.lineWidth = Math.max(1.5, unit * 0.035);
  pen.beginPath();
  pen.arc(0, 0, unit * RADIUS * 1.32, 0, Math.PI * 2);
  pen.stroke();
}

/** A bubble around who is protected, with a ring that runs out as the protection does. */
function bubble(pen: CanvasRenderingContext2D, unit: number, tint: number, left: number): void {
  const radius = unit * RADIUS * 1.7;
  pen.fillStyle = colour(tint, 75, 0.14);
  pen.beginPath();
  pen.arc(0, 0, radius, 0, Math.PI * 2);
  pen.fill();
  pen.lineWidth = Math.max(1.5, unit * 0.04);
  pen.strokeStyle = colour(tint, 85, 0.35);
  pen.setLineDash([unit * 0.16, unit * 0.12]);
  pen.stroke();
  pen.setLineDash([]);
  pen.lineWidth = Math.max(2.5, unit * 0.08);
  pen.strokeStyle = colour(tint, 88, 0.95);
  pen.beginPath();
  pen.arc(0, 0, radius, -Math.PI / 2, -Math.PI / 2 + left * Math.PI * 2);
  pen.stroke();
}

function gun(pen: CanvasRenderingContext2D, unit: number, tint: number): void {
  pen.fillStyle = "#0a0e15";
  pen.beginPath();
  pen.roundRect(unit * 0.18, -unit * 0.15, unit * 0.66, unit * 0.3, unit * 0.07);
  pen.fill();
  pen.fillStyle = "#aebdd4";
  pen.beginPath();
  pen.roundRect(unit * 0.2, -unit * 0.1, unit * 0.58, unit * 0.2, unit * 0.05);
  pen.fill();
  pen.fillStyle = colour(tint, 66);
  pen.fillRect(unit * 0.62, -unit * 0.1, unit * 0.08, unit * 0.2);
}

function body(pen: CanvasRenderingContext2D, unit: number, { tint, aim }: Avatar, hurt: number): void {
  const radius = unit * RADIUS;
  const paint = pen.createRadialGradient(-radius * 0.35, -radius * 0.45, radius * 0.1, 0, 0, radius * 1.05);
  paint.addColorStop(0, colour(tint, 74));
  paint.addColorStop(0.55, colour(tint, 50));
  paint.addColorStop(1, colour(tint, 30));
  disc(pen, radius, "#070a10");
  disc(pen, radius * 0.92, paint);
  const visor = { x: Math.cos(aim) * radius * 0.3, y: -Math.sin(aim) * radius * 0.3 };
  pen.fillStyle = "rgb(6 10 16 / 0.78)";
  pen.beginPath();
  pen.arc(visor.x, visor.y, radius * 0.45, 0, Math.PI * 2);
  pen.fill();
  pen.strokeStyle = colour(tint, 80, 0.8);
  pen.lineWidth = Math.max(1, unit * 0.04);
  pen.beginPath();
  pen.arc(visor.x, visor.y, radius * 0.45, -aim - 0.9, -aim + 0.9);
  pen.stroke();
  if (hurt > 0) disc(pen, radius * 0.95, `rgb(255 255 255 / ${hurt * 0.85})`);
}

function disc(pen: CanvasRenderingContext2D, radius: number, style: string | CanvasGradient): void {
  pen.fillStyle = style;
  pen.beginPath();
  pen.arc(0, 0, radius, 0, Math.PI * 2);
  pen.fill();
}

function bar(pen: CanvasRenderingContext2D, { x, y, w, h }: Rect): void {
  pen.beginPath();
  pen.roundRect(x, y, w, h, h / 2);
  pen.fill();
}
