// The page of My game: takes a seat, shows the board, and sends where a stone falls.

import { connect } from "@tickcast/client";
import type { MyGame } from "./my-game.d.ts";

/** The size of the board, as in the rules. */
const COLUMNS = 7;
const ROWS = 6;

const status = document.querySelector("[role=status]")!;
const columns = Array.from({ length: COLUMNS }, (_, column) => makeColumn(column));
document.querySelector("#board")!.append(...columns);
addEventListener("keydown", ({ key }) => columns[Number(key) - 1]?.click());

const server = await connect(new URL(".", location.href).href);
let room = await enter();
setInterval(show, 500);

/** Takes a seat in a room with a free one, or in a new room. */
async function enter() {
  const room = await server.lobby.quick<MyGame>("my-game");
  room.onFrame(show);
  room.onOver(({ winners }) => {
    const result = winners.includes(room.seat) ? "You won." : "The other player won.";
    status.textContent = winners.length > 0 ? result : "Nobody won.";
    setTimeout(again, 4000);
  });
  return room;
}

async function again(): Promise<void> {
  room = await enter();
}

function makeColumn(column: number): HTMLButtonElement {
  const button = document.createElement("button");
  button.append(...Array.from({ length: ROWS }, () => document.createElement("i")));
  button.onclick = async () => {
    try {
      await room.command("Place", { column });
    } catch (reason) {
      console.info("not placed:", reason);
    }
  };
  return button;
}

function show(): void {
  if (!room) return;
  const [{ Board, Turn } = {}] = [...room.entities].filter((entity) => entity.Board);
  if (!Board || !Turn) return;
  const isOver = room.status === "over";
  const isMine = Turn.of === room.seat && !isOver;
  columns.forEach((button, column) => {
    const stones = Array.from({ length: ROWS }, (_, row) => Board.stones[row * COLUMNS + column]);
    [...button.children].forEach((stone, row) => {
      stone.className = ["", "first", "second"][stones[row] ?? 0] ?? "";
    });
    const names = stones.filter(Boolean).map((seat) => (seat === room.seat ? "yours" : "theirs"));
    button.setAttribute("aria-label", `Column ${column + 1}: ${names.join(", ") || "empty"}`);
    button.disabled = !isMine || names.length === ROWS;
  });
  if (isOver) return;
  const seconds = Math.max(0, Math.ceil((Turn.ends - room.serverTick) / room.hz));
  status.textContent = isMine ? `Your turn: ${seconds} s` : `The other player thinks: ${seconds} s`;
}
