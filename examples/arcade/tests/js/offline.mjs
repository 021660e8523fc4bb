// Packets that a client sends while it is offline wait in the client, and arrive once, in order.

import assert from "node:assert/strict";

import { ask, main, next, packages, say, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

const { io } = packages.sdk("socket.io-client");

main(async () => {
  const wire = await Wire.to(new URL(url));
  const socket = io(`${wire.url}/lobby`, { autoConnect: false, reconnectionDelay: 50, auth: { name: "Ada" } });
  const early = ask(socket, "listen", { channel: "lobby" });
  assert.equal(socket.sendBuffer.length, 1);
  socket.connect();
  assert.deepEqual([(await early).ok, (await early).messages], [true, []]);
  say("a request from before the connection is answered");

  const lost = next(socket, "disconnect");
  wire.cut();
  await lost;
  const spoken = ["one", "two", "three"].map((text) => ask(socket, "chat", { channel: "lobby", text }));
  assert.equal(socket.sendBuffer.length, 3);
  assert.deepEqual(
    (await Promise.all(spoken)).map(({ seq }) => seq),
    [1, 2, 3],
  );
  const { messages } = await ask(socket, "listen", { channel: "lobby" });
  assert.deepEqual(
    messages.map(({ text }) => text),
    ["one", "two", "three"],
  );
  assert.equal(socket.sendBuffer.length, 0);
  say("messages from an interruption arrived once, in order");
});
