import { connect } from "@tickcast/client";
import type { Coins } from "./coins.d.ts";

const pen = document.querySelector("canvas")!.getContext("2d")!;
const keys = new Set<string>();
addEventListener("keydown", (event) => keys.add(event.code));
addEventListener("keyup", (event) => keys.delete(event.code));

const server = await connect(new URL(".", location.href).href, { name: "Ada" });
const room = await server.lobby.quick<Coins>("coins");
room.on("Collected", ({ seat, worth }) => console.log(`seat ${seat} got ${worth}`));
room.onOver(({ winners }) => console.log("won by", winners));
room.predictWith().catch((reason) => console.info("keys are answered after a round trip:", reason.message));

function draw(): void {
  const x = Number(keys.has("ArrowRight")) - Number(keys.has("ArrowLeft"));
  const y = Number(keys.has("ArrowUp")) - Number(keys.has("ArrowDown"));
  const dir = (y > 0 ? "N" : y < 0 ? "S" : "") + (x > 0 ? "E" : x < 0 ? "W" : "") || "None";
  room.input({ dir: dir as Coins["input"]["dir"], dash: keys.delete("Space") });
  pen.clearRect(0, 0, 480, 480);
  const dot = (at: { x: number; y: number }, size: number, colour: string) => {
    pen.fillStyle = colour;
    pen.fillRect(at.x * 20 - size / 2, 480 - at.y * 20 - size / 2, size, size); // +y is north
  };
  for (const { Pos } of room.view("Pos", "Coin")) dot(Pos.at, 8, "gold");
  for (const { Pos, Seat } of room.view("Pos", "Seat")) dot(Pos.at, 16, Seat === room.seat ? "teal" : "crimson");
  requestAnimationFrame(draw);
}
draw();
