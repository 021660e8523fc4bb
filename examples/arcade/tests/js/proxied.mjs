// Everything through a proxy, at its root or below a prefix: the page's files, the SDK, and the official client.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { client } from "./flow.mjs";
import { answer, main, next, say, until, url } from "./support.mjs";

main(async () => {
  await page();
  await hidden();
  await sdk();
  await stock();
});

/** The page, and the files that it names, wherever it is. */
async function page() {
  const response = await fetch(url);
  const text = await response.text();
  const files = [...text.matchAll(/(?:src|href)="([^":]+)"/g)].map(([, file]) => file);
  assert.ok(response.status === 200 && files.length >= 2, text);
  for (const file of files) {
    const { status, headers } = await fetch(new URL(file, url));
    assert.deepEqual([status, headers.get("cache-control")], [200, "public, max-age=31536000, immutable"], file);
  }
  for (const path of ["socket.io/socket.io.js", "schema/arena.json", "readyz"]) {
    assert.equal((await fetch(new URL(path, url))).status, 200, path);
  }
  const bare = url.replace(/\/$/, "");
  if (new URL(url).pathname !== "/") assert.equal((await fetch(bare)).url, url, "a prefix without its slash");
  say(`the page and ${files.length} files`);
}

/** The metrics are for the host alone. */
async function hidden() {
  assert.equal((await fetch(new URL("metrics", url))).status, 404);
}

async function sdk() {
  const { connect } = await bundled();
  for (const transports of [["websocket"], ["polling"]]) {
    const server = await connect(url, { name: "Ada", transports });
    const room = await server.lobby.quick("arena");
    await until(`the SDK plays over ${transports}`, () => [...room.entities].length > 0);
    await room.leave();
    server.close();
  }
  say("the SDK plays over both transports");
}

/** As a browser would ask it: with the page's origin. */
async function stock() {
  const { origin, pathname } = new URL(url);
  const open = client({ path: `${pathname}socket.io/`, extraHeaders: { origin } }, origin);
  const lobby = open("/lobby");
  await next(lobby.io, "open");
  assert.equal(lobby.io.engine.transport.name, "polling");
  await until("the transport is upgraded", () => lobby.io.engine.transport.name === "websocket");
  const { games } = await answer(lobby, "games");
  assert.ok(games.some(({ name }) => name === "arena"));
  lobby.disconnect();
  const foreign = await fetch(new URL("socket.io/?EIO=4&transport=polling", url), {
    headers: { origin: "https://evil.test" },
  });
  assert.equal(foreign.status, 403);
  say("the official client is upgraded");
}
