// The official client where only plain HTTP gets through.

import assert from "node:assert/strict";

import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, main, say, until } from "./support.mjs";

main(async () => {
  const open = client({ transports: ["polling"] });
  const { ticket } = await answer(open("/lobby"), "quick", { game: "arena" });
  const seat = new Seat(open("/gameplay", { ticket }));
  await seat.seated();
  await seat.walk();
  await until("a checksum was right", () => seat.frames.some(({ checked }) => checked > 0));
  assert.equal(seat.socket.io.engine.transport.name, "polling");
  await answer(seat.socket, "leave");
  await until("the room is over", () => seat.over?.reason === "left");
  say("played over long-polling");
});
