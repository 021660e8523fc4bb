// The overlay of the scene: the minimap, the reticle, and the touch controls.

import type { Avatar } from "./avatars.ts";
import type { Camera } from "./camera.ts";
import { colour } from "./colours.ts";
import type { Ground, Vec } from "./ground.ts";
import { PULL, type Thumb } from "./sticks.ts";

/** In pixels. The minimap is beside the health, below the area where the camera shows avatars. */
const MAP_WIDTH = 168;
const MARGIN = 16;
const LEFT = 240;

/** The map, its avatars, and the player's seat. */
interface Minimap {
  readonly ground: Ground;
  readonly avatars: readonly Avatar[];
  readonly seat: number;
}

export function drawMinimap(pen: CanvasRenderingContext2D, camera: Camera, map: Minimap): void {
  if (camera.width < 1000 || camera.height < 600) return;
  const { ground, avatars, seat } = map;
  const scale = MAP_WIDTH / ground.width;
  const height = ground.height * scale;
  pen.save();
  pen.translate(LEFT, camera.height - height - MARGIN);
  pen.fillStyle = "rgb(9 13 20 / 0.72)";
  pen.strokeStyle = "rgb(140 180 255 / 0.16)";
  pen.lineWidth = 1;
  pen.beginPath();
  pen.roundRect(0, 0, MAP_WIDTH, height, 10);
  pen.fill();
  pen.stroke();
  pen.clip();
  pen.fillStyle = "rgb(150 185 240 / 0.3)";
  for (const { x, y, w, h } of ground.walls) pen.fillRect(x * scale, height - (y + h) * scale, w * scale, h * scale);
  const [width, tall] = [camera.width / camera.scale, camera.height / camera.scale];
  pen.strokeStyle = "rgb(200 220 255 / 0.22)";
  pen.strokeRect((camera.x - width / 2) * scale, height - (camera.y + tall / 2) * scale, width * scale, tall * scale);
  for (const avatar of avatars) {
    const mine = avatar.seat === seat;
    pen.fillStyle = mine ? "#ffffff" : colour(avatar.tint, 62);
    pen.beginPath();
    pen.arc(avatar.x * scale, height - avatar.y * scale, mine ? 3.6 : 2.8, 0, Math.PI * 2);
    pen.fill();
  }
  pen.restore();
}

export function drawReticle(pen: CanvasRenderingContext2D, { x, y }: Vec, reloading: boolean): void {
  pen.lineWidth = 2;
  for (const [style, width] of [
    ["rgb(0 0 0 / 0.55)", 4],
    [reloading ? "#ffc857" : "#f2f7ff", 2],
  ] as const) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      pen.moveTo(x + dx * 6, y + dy * 6);
      pen.lineTo(x + dx * 12, y + dy * 12);
    }
    pen.stroke();
  }
  pen.fillStyle = reloading ? "#ffc857" : "#f2f7ff";
  pen.fillRect(x - 1, y - 1, 2, 2);
}

/** The thumbs on the screen, and around the right one the zone that fires. */
export function drawThumbs(pen: CanvasRenderingContext2D, thumbs: readonly Thumb[], fires: boolean): void {
  for (const { from, at, isLeft } of thumbs) {
    const far = Math.hypot(at.x - from.x, at.y - from.y);
    const most = isLeft ? 48 : 62;
    const share = far > most ? most / far : 1;
    const knob = { x: from.x + (at.x - from.x) * share, y: from.y + (at.y - from.y) * share };
    if (!isLeft) zone(pen, from, fires);
    for (const [centre, radius, alpha] of [
      [from, isLeft ? 52 : PULL, 0.12],
      [knob, 24, 0.4],
    ] as const) {
      pen.fillStyle = `rgb(200 220 255 / ${alpha})`;
      pen.beginPath();
      pen.arc(centre.x, centre.y, radius, 0, Math.PI * 2);
      pen.fill();
    }
  }
}

function zone(pen: CanvasRenderingContext2D, { x, y }: Vec, fires: boolean): void {
  pen.fillStyle = fires ? "rgb(255 93 108 / 0.28)" : "rgb(255 93 108 / 0.1)";
  pen.beginPath();
  pen.arc(x, y, PULL + 26, 0, Math.PI * 2);
  pen.arc(x, y, PULL, 0, Math.PI * 2, true);
  pen.fill();
  pen.strokeStyle = fires ? "#ff7a86" : "rgb(255 122 134 / 0.5)";
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, PULL, 0, Math.PI * 2);
  pen.stroke();
}
