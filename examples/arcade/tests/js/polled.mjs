// Behind a proxy that passes no upgrade on: the SDK falls back to polling, and the official client stays there.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { client } from "./flow.mjs";
import { answer, main, next, say, until, url } from "./support.mjs";

main(async () => {
  const { connect } = await bundled();
  const server = await connect(url, { name: "Ada" });
  const room = await server.lobby.quick("arena");
  await until("the SDK plays", () => [...room.entities].length > 0);
  await room.leave();
  server.close();
  say("the SDK plays");

  const { origin } = new URL(url);
  const open = client({ path: "/socket.io/" }, origin);
  const lobby = open("/lobby");
  const reasons = [];
  lobby.on("disconnect", (reason) => reasons.push(reason));
  const refused = next(lobby.io.engine, "upgradeError");
  await next(lobby, "session");
  await refused;
  for (let n = 0; n < 5; n++) await answer(lobby, "games");
  assert.deepEqual([lobby.io.engine.transport.name, reasons], ["polling", []]);
  say("the official client stays on polling");
});
