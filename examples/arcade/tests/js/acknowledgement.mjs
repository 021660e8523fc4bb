// Acknowledgements: each request is answered once, by a time-out if the server cannot.

import assert from "node:assert/strict";

import { main, next, packages, say, server, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

const { io } = packages.sdk("socket.io-client");
const SOON_MS = 300;
const LATE_MS = 60_000;
const TIMED_OUT = /timed out/;

main(async () => {
  const wire = await Wire.to(new URL(url));
  const socket = io(wire.url, { transports: ["websocket"] });
  const info = await socket.timeout(LATE_MS).emitWithAck("info");
  assert.equal(info.server, "tickcast");
  const answers = await Promise.all(
    Array.from({ length: 5 }, (_, n) => socket.timeout(LATE_MS).emitWithAck(n % 2 ? "info" : "nonsense")),
  );
  assert.deepEqual(
    answers.map(({ ok }) => ok),
    [false, true, false, true, false],
  );
  say("each request got its own answer");

  wire.hold();
  await assert.rejects(socket.timeout(SOON_MS).emitWithAck("info"), TIMED_OUT);
  assert.ok(socket.connected, "a silent server is not a lost one yet");
  const told = [];
  socket.timeout(SOON_MS).emit("info", (error, answer) => told.push([error?.message, answer]));
  await until("the callback hears of the time-out", () => told.length === 1);
  assert.match(told[0][0], TIMED_OUT);
  wire.release();
  assert.equal((await socket.timeout(LATE_MS).emitWithAck("info")).ok, true);
  assert.equal(told.length, 1, "an answer that comes late is not heard");
  say("a silent server is timed out, and asked again");

  const lost = next(socket, "disconnect");
  await server("stop");
  await lost;
  await assert.rejects(socket.timeout(SOON_MS).emitWithAck("info"), TIMED_OUT);
  assert.equal(socket.sendBuffer.length, 0, "who has timed out is not asked later");
  await server("start");
  assert.equal((await socket.timeout(LATE_MS).emitWithAck("info")).ok, true);
  say("so is one that is gone");
});
