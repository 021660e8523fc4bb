// Runs in the browser. Films a dodge: the player stands in the way of a shot and presses a key. The shot is not part of the game. The
// page draws it as a clock: it reaches the place at which the player stood after `HITS` milliseconds.

import { disc, paint } from "./paint.mjs";

const PICTURES = 10;
/** The time between two pictures, and from the key to the shot's hit, in milliseconds. */
const APART = 50;
const HITS = 300;
/** The speed of a shot, in units per second, as in arena. */
const SHOT = 24;
const SIZE = { width: 220, height: 220 };

/** Resolves to the pictures of the frames nearest to each time after the key, as PNGs in base 64. */
export async function film(enter, { line, predict }) {
  const player = await enter(line, { name: "Player", fight: false, predict });
  while (!player.draw().has(player.key)) await pause(50);
  await pause(3_000);
  const canvas = Object.assign(document.querySelector("canvas"), SIZE);
  const pen = canvas.getContext("2d", { alpha: false });
  const from = { ...player.draw().get(player.key) };
  const pressed = performance.now();
  player.input("N");
  const pictures = [];
  while (pictures.length < PICTURES) {
    await new Promise(requestAnimationFrame);
    const since = performance.now() - pressed;
    const at = paint(pen, player.draw(), { own: player.key, middle: { x: from.x, y: from.y + 0.8 } });
    if (since < pictures.length * APART) continue;
    const shot = { x: from.x + ((since - HITS) / 1000) * SHOT, y: from.y };
    disc(pen, at(shot), 5, "#ff5d6c");
    ring(pen, at(from));
    pen.fillStyle = "#e8effa";
    pen.font = "600 15px sans-serif";
    pen.fillText(`${Math.round(since)} ms`, 8, 20);
    pictures.push(canvas.toDataURL("image/png").split(",")[1]);
  }
  await player.leave();
  return pictures;
}

/** Where the player stood when the key went down. */
function ring(pen, [x, y]) {
  pen.strokeStyle = "#8fa1bd";
  pen.setLineDash([4, 4]);
  pen.beginPath();
  pen.arc(x, y, 20, 0, 2 * Math.PI);
  pen.stroke();
  pen.setLineDash([]);
}

/** Puts rows of pictures into one. Each row has a title. */
export async function strip(rows) {
  const title = 26;
  const canvas = document.createElement("canvas");
  canvas.width = PICTURES * (SIZE.width + 4);
  canvas.height = rows.length * (SIZE.height + title);
  const pen = canvas.getContext("2d", { alpha: false });
  for (const [n, { name, pictures }] of rows.entries()) {
    const top = n * (SIZE.height + title);
    pen.fillStyle = "#e8effa";
    pen.font = "600 16px sans-serif";
    pen.fillText(name, 6, top + 18);
    for (const [k, picture] of pictures.entries()) {
      const image = new Image();
      image.src = `data:image/png;base64,${picture}`;
      await image.decode();
      pen.drawImage(image, k * (SIZE.width + 4), top + title);
    }
  }
  return canvas.toDataURL("image/png").split(",")[1];
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
