// Acknowledgements: each request gets one answer, or a time-out if the server sends none.

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
  assert.ok(socket.connected, "silence alone does not end the connection");
  const told = [];
  socket.timeout(SOON_MS).emit("info", (error, answer) => told.push([error?.message, answer]));
  await until("the callback gets the time-out", () => told.length === 1);
  assert.match(told[0][0], TIMED_OUT);
  wire.release();
  assert.equal((await socket.timeout(LATE_MS).emitWithAck("info")).ok, true);
  assert.equal(told.length, 1, "a late answer is ignored");
  say("requests to a silent server time out, and later ones are answered");

  const lost = next(socket, "disconnect");
  await server("stop");
  await lost;
  await assert.rejects(socket.timeout(SOON_MS).emitWithAck("info"), TIMED_OUT);
  assert.equal(socket.sendBuffer.length, 0, "a request that timed out is not sent later");
  await server("start");
  assert.equal((await socket.timeout(LATE_MS).emitWithAck("info")).ok, true);
  say("the same holds for a server that is gone");
});
