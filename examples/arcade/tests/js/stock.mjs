// The official client with no option set: it begins with long-polling and upgrades to WebSocket.

import assert from "node:assert/strict";

import { client, visit } from "./flow.mjs";
import { answer, main, next, say, until } from "./support.mjs";

main(async () => {
  const open = client();
  const root = open("/");
  await next(root.io, "open");
  assert.equal(root.io.engine.transport.name, "polling");
  await until("the transport is upgraded", () => root.io.engine.transport.name === "websocket");
  say("upgraded from polling to websocket");

  const info = await answer(root, "info");
  assert.deepEqual([info.server, info.protocol, info.games.includes("arena")], ["tickcast", 1, true]);
  assert.match(info.version, /^\d+\.\d+\.\d+/);
  await visit({ open, transport: "websocket" });
});
