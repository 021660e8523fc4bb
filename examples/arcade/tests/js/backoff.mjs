// The server stops: the client's attempts back off, and it reconnects soon after the server is back.

import assert from "node:assert/strict";

import { answer, main, next, packages, say, server, until, url } from "./support.mjs";

const { io } = packages.sdk("socket.io-client");
const FIRST_MS = 100;
const LONGEST_MS = 1_000;
/** A timer may fire this much too early. */
const EARLY_MS = 5;

main(async () => {
  const options = {
    reconnectionDelay: FIRST_MS,
    reconnectionDelayMax: LONGEST_MS,
    randomizationFactor: 0,
    transports: ["websocket"],
  };
  const socket = io(url, options);
  const [pauses, numbers] = [[], []];
  let failed;
  socket.on("disconnect", () => (failed = performance.now()));
  socket.io.on("reconnect_error", () => (failed = performance.now()));
  socket.io.on("reconnect_attempt", (number) => {
    pauses.push(performance.now() - failed);
    numbers.push(number);
  });
  const { version } = await answer(socket, "info");

  await server("stop");
  await until("five attempts were made", () => pauses.length >= 5);
  for (const [n, pause] of pauses.slice(0, 5).entries()) {
    const least = Math.min(FIRST_MS * 2 ** n, LONGEST_MS);
    assert.ok(pause >= least - EARLY_MS, `attempt ${n + 1} came ${pause} ms after the last, not ${least}`);
  }
  say(`pauses of ${pauses.slice(0, 5).map(Math.round).join(", ")} ms`);

  const back = next(socket.io, "reconnect");
  const asked = answer(socket, "info");
  await server("start");
  assert.ok((await back) >= 5, "the attempts are counted");
  assert.equal((await asked).version, version);
  const before = pauses.length;
  const again = next(socket, "connect");
  socket.io.engine.close();
  await until("the client reconnects after the next loss", () => pauses.length > before);
  // The number decides the pause. A busy machine may make it longer, so the pause itself is not checked.
  assert.equal(numbers[before], 1, "after a new loss the pauses start again with the shortest");
  await again;
  say("back, and the pauses are short again");
});
