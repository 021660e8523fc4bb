// The view of games that this page has no view of: the playground, made of a game's schema. Its code is loaded with the first match.

import { type GameView, mountLater } from "./view.ts";

/** The view of a game by its schema. */
export function playgroundView(name: string): GameView {
  return {
    title: name,
    tagline: "This page has no view of it: the playground shows it by its schema.",
    controls: "Keys, sticks and forms as the schema asks for them",
    settings: [],
    modes: [],
    keys: [],
    poster: drawPoster,
    mount: (stage) => mountLater(stage, async () => (await import("./playground/mount.tsx")).mount),
  };
}

/** Dots on a grid. */
function drawPoster(canvas: HTMLCanvasElement): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  pen.scale(devicePixelRatio, devicePixelRatio);
  pen.fillStyle = "#0b1018";
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = "rgb(140 180 255 / 0.14)";
  for (let x = 0; x < width; x += 36) pen.fillRect(x, 0, 1, height);
  for (let y = 0; y < height; y += 36) pen.fillRect(0, y, width, 1);
  for (let k = 0; k < 9; k++) {
    pen.fillStyle = k === 4 ? "#56e0c8" : `hsl(${(k * 137) % 360} 60% 62%)`;
    pen.beginPath();
    pen.arc(width * ((k * 0.381 + 0.13) % 1), height * ((k * 0.618 + 0.22) % 1), k === 4 ? 11 : 7, 0, 2 * Math.PI);
    pen.fill();
  }
}
