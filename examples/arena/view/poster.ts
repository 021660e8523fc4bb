// The picture of Arena in the lobby: a still of the real scene.

import { drawAvatar } from "./avatars.ts";
import { Camera } from "./camera.ts";
import { ground } from "./ground.ts";
import { Scenery } from "./scenery.ts";
import { drawShots } from "./shots.ts";
import { Sparks } from "./sparks.ts";

const CAST = [
  { seat: 1, x: 16.8, y: 12.6, aim: 0.35 },
  { seat: 2, x: 23.2, y: 15.2, aim: 3.4 },
  { seat: 3, x: 17.2, y: 17.3, aim: -0.6 },
  { seat: 5, x: 24.4, y: 11.4, aim: 2.5 },
];
const SALVO = [
  { tint: 1, from: { x: 16.8, y: 12.6 }, heading: 0.1, flown: 4 },
  { tint: 5, from: { x: 24.4, y: 11.4 }, heading: 2.9, flown: 2.4 },
  { tint: 2, from: { x: 23.2, y: 15.2 }, heading: 2.2, flown: 1.6 },
  { tint: 3, from: { x: 17.2, y: 17.3 }, heading: 0.2, flown: 4.8 },
];

export function drawPoster(canvas: HTMLCanvasElement): void {
  const pen = canvas.getContext("2d", { alpha: false });
  if (!pen) return;
  const courtyard = ground("courtyard");
  const camera = new Camera(canvas, true);
  camera.fit();
  camera.scale *= 1.65;
  camera.follow({ x: 20.3, y: 14.4 }, courtyard, 0);
  const scenery = new Scenery(courtyard);
  const sparks = new Sparks(true);
  scenery.drawFloor(pen, camera);
  const look = { name: "", mine: false, away: false, shield: 0, hurt: 0 };
  for (const actor of CAST)
    drawAvatar(pen, camera, { id: actor.seat, tint: actor.seat, hp: 100, frags: 0, ...actor }, look);
  const salvo = SALVO.map(({ heading, ...shot }) => {
    return { ...shot, way: { x: Math.cos(heading), y: Math.sin(heading) }, alpha: 1, own: false };
  });
  drawShots(pen, camera, salvo);
  sparks.muzzle({ x: 23.2 - 0.85, y: 15.2 - 0.15 }, { x: -1, y: -0.2 }, 2);
  scenery.drawWalls(pen, camera);
  sparks.draw(pen, camera, 0.01);
}
