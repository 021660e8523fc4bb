// The page of My game: takes a seat, buzzes, says words, and shows the letter and the scores.

import { connect } from "@tickcast/client";
import type { MyGame } from "./my-game.d.ts";

const element = <T extends HTMLElement>(query: string): T => document.querySelector<T>(query)!;
const status = element("[role=status]");
const buzz = element<HTMLButtonElement>("#buzz");
const form = element<HTMLFormElement>("form");
const word = element<HTMLInputElement>("#word");

buzz.onclick = () => room.input({ buzz: true });
addEventListener("keydown", (event) => {
  if (event.code !== "Space" || event.target === word || buzz.disabled) return;
  event.preventDefault();
  buzz.click();
});
form.onsubmit = async (event) => {
  event.preventDefault();
  try {
    await room.command("Say", { word: word.value });
    word.value = "";
  } catch (reason) {
    console.info("not said:", reason);
  }
};

const server = await connect(new URL(".", location.href).href);
let room = await enter();
setInterval(show, 250);

/** Takes a seat in the fullest room with a free one, or in a new room. */
async function enter() {
  const room = await server.lobby.quick<MyGame>("my-game");
  room.onFrame(show);
  room.on("Said", ({ seat, word, good }) => {
    element("#said").textContent = `${nameOf(seat)}: ${word || "nothing"} ${good ? "✓" : "✗"}`;
  });
  room.onOver(({ winners }) => {
    status.textContent = winners.includes(room.seat) ? "You won." : `${winners.map(nameOf).join(", ")} won.`;
    setTimeout(again, 4000);
  });
  return room;
}

async function again(): Promise<void> {
  room = await enter();
}

function nameOf(seat: number): string {
  return room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`;
}

function show(): void {
  if (!room || room.status === "over") return;
  const entities = [...room.entities];
  const round = entities.find((entity) => entity.Round)?.Round;
  if (!round) return;
  const isMine = round.holder === room.seat;
  const letter = String.fromCharCode(round.letter).toUpperCase();
  if (element("#letter").textContent !== letter) element("#letter").textContent = letter;
  const seconds = Math.max(0, Math.ceil((round.ends - room.serverTick) / room.hz));
  const holder = isMine ? "Say a word" : `${nameOf(round.holder)} has buzzed`;
  status.textContent = round.holder === 0 ? "Who is first?" : `${holder}: ${seconds} s`;
  buzz.disabled = round.holder !== 0;
  if (word.disabled && isMine) {
    word.disabled = false;
    word.focus();
  }
  word.disabled = !isMine;
  const scores = entities.flatMap(({ Seat, Score }) =>
    Seat !== undefined && Score !== undefined ? [{ Seat, Score }] : [],
  );
  const lines = scores.sort((a, b) => b.Score - a.Score).map(({ Seat, Score }) => `${nameOf(Seat)}: ${Score}`);
  element("#scores").replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
}
