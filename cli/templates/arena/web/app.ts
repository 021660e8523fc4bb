// The page of My game: takes a seat, sends what is pressed, and draws the match.

import { connect } from "@tickcast/client";
import type { MyGame } from "./my-game.d.ts";

/** The side of the yard in units, as in the rules. */
const SIZE = 20;
const COLOURS = ["#56e0c8", "#ff8a5c", "#ffd166", "#a58bff", "#5cb8ff", "#ff7bb0", "#9be15d", "#d0d7e2"];

const canvas = document.querySelector("canvas")!;
const pen = canvas.getContext("2d")!;
const status = document.querySelector("[role=status]")!;
const flashes: { at: { x: number; y: number }; until: number }[] = [];

const keys = new Set<string>();
addEventListener("keydown", (event) => keys.add(event.code));
addEventListener("keyup", (event) => keys.delete(event.code));
addEventListener("blur", () => keys.clear());

const server = await connect(new URL(".", location.href).href);
let room = await enter();
draw();

/** Takes a seat in the fullest room with a free one, or in a new room. */
async function enter() {
  const room = await server.lobby.quick<MyGame>("my-game");
  status.textContent = `You are in seat ${room.seat}.`;
  room.on("Hit", ({ at }) => flashes.push({ at, until: performance.now() + 150 }));
  room.onOver(({ winners }) => {
    status.textContent = winners.includes(room.seat) ? "You won." : `The winner is in seat ${winners.join(", ")}.`;
    setTimeout(again, 3000);
  });
  room.predictWith().catch((reason) => console.info("keys are answered after a round trip:", reason.message));
  return room;
}

async function again(): Promise<void> {
  room = await enter();
}

function pressed(): MyGame["input"] {
  const held = (...codes: string[]) => Number(codes.some((code) => keys.has(code)));
  const x = held("ArrowRight", "KeyD") - held("ArrowLeft", "KeyA");
  const y = held("ArrowUp", "KeyW") - held("ArrowDown", "KeyS");
  const dir = (y > 0 ? "N" : y < 0 ? "S" : "") + (x > 0 ? "E" : x < 0 ? "W" : "") || "None";
  return { dir: dir as MyGame["input"]["dir"], strike: keys.has("Space") };
}

function draw(): void {
  room.input(pressed()); // sent when it changes
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (const { Pos, Hp, Score, Seat } of room.view("Pos", "Hp", "Score", "Seat")) {
    circle(Pos.at, 0.5, COLOURS[Seat % COLOURS.length]!, Hp / 3);
    if (Seat === room.seat) ring(Pos.at, 0.7, "#ffffff");
    write(Pos.at, String(Score));
  }
  while (flashes[0] && flashes[0].until < performance.now()) flashes.shift();
  for (const { at } of flashes) ring(at, 1, "#ff5c5c");
  requestAnimationFrame(draw);
}

/** A point of the yard in the picture. In the rules, +y is north. */
function place(at: { x: number; y: number }): [x: number, y: number] {
  const scale = canvas.width / SIZE;
  return [at.x * scale, canvas.height - at.y * scale];
}

function path(at: { x: number; y: number }, radius: number): void {
  pen.beginPath();
  pen.arc(...place(at), (radius * canvas.width) / SIZE, 0, Math.PI * 2);
}

function circle(at: { x: number; y: number }, radius: number, colour: string, opacity: number): void {
  path(at, radius);
  pen.globalAlpha = opacity;
  pen.fillStyle = colour;
  pen.fill();
  pen.globalAlpha = 1;
}

function ring(at: { x: number; y: number }, radius: number, colour: string): void {
  path(at, radius);
  pen.strokeStyle = colour;
  pen.lineWidth = 3;
  pen.stroke();
}

function write(at: { x: number; y: number }, text: string): void {
  const [x, y] = place(at);
  pen.fillStyle = "#ffffff";
  pen.font = "20px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.fillText(text, x, y - 34);
}
