// A page with a script tag from the server, as users of Socket.IO write it.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const { page, complaints } = await browser.visit("Eve");
  await page.setContent('<!doctype html><script src="/socket.io/socket.io.js"></script>');
  const told = await page.evaluate(async () => {
    const socket = window.io();
    const info = await socket.timeout(60_000).emitWithAck("info");
    const lobby = window.io("/lobby", { auth: { name: "Eve" } });
    const { games } = await lobby.timeout(60_000).emitWithAck("games");
    return { info, games: games.map(({ name }) => name), shared: socket.io === lobby.io };
  });
  assert.deepEqual([told.info.ok, told.info.server, told.shared], [true, "tickcast", true]);
  assert.ok(told.games.includes("arena"), `games: ${told.games}`);
  assert.deepEqual(complaints, []);
  await browser.close();
  say("io() connects, and its namespaces share the connection");
});
