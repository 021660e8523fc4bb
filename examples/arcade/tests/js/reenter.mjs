// The official client in a namespace of a host's own, where it connects, disconnects and connects as React's strict mode makes it:
// on this server as on the reference.

import assert from "node:assert/strict";
import { createServer as createHttp } from "node:http";
import { ask, main, next, packages, say, until, url } from "./support.mjs";

const { Server } = packages.sdk("socket.io");
const { io } = packages.sdk("socket.io-client");
const parser = packages.sdk("socket.io-msgpack-parser");

/** The servers, each with a way to start it and the options of its clients. */
const SERVERS = [
  ["tickcast", () => url, [{}, { path: "/socket.io-msgpack", parser }]],
  ["reference", reference, [{}]],
];

/** The ways in which a client leaves and enters `/shop`. It is in `/desk` all the while, on the same connection. */
const COURSES = {
  "connects, disconnects and connects at once": async ({ shop }) => {
    shop.connect().disconnect().connect();
  },
  "connects again after its entry, which it has left unseen": async ({ shop, inside }) => {
    shop.connect().disconnect();
    await until("the server has let it in", async () => (await inside()) === 1);
    shop.connect();
  },
  "leaves and connects at once": async ({ shop }) => {
    await next(shop.connect(), "connect");
    shop.disconnect().connect();
  },
  "connects after its host has put it out": async ({ shop }) => {
    await next(shop.connect(), "connect");
    shop.emit("kick");
    assert.equal(await next(shop, "disconnect"), "io server disconnect");
    shop.connect();
  },
};

/** The namespaces of `tests/reenter.rs`. */
async function reference() {
  const http = createHttp();
  const server = new Server(http);
  server.of("/desk").on("connection", (socket) => {
    socket.on("inside", (acknowledge) => acknowledge(server.of("/shop").sockets.size));
  });
  server.of("/shop").on("connection", (socket) => {
    socket.on("kick", () => socket.disconnect());
    socket.on("echo", (text, acknowledge) => acknowledge(text));
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${http.address().port}`;
}

main(async () => {
  for (const [course, take] of Object.entries(COURSES)) {
    for (const transport of ["websocket", "polling"]) {
      for (const [name, start, parsers] of SERVERS) {
        for (const options of parsers) {
          const desk = io(`${await start()}/desk`, { ...options, transports: [transport], forceNew: true });
          const shop = desk.io.socket("/shop");
          shop.disconnect();
          await next(desk, "connect");
          const lost = [];
          desk.on("disconnect", (reason) => lost.push(reason));
          const inside = async () => (desk.connected ? await ask(desk, "inside") : undefined);
          await until("the client before has left", async () => (await inside()) === 0);
          await take({ shop, inside });
          await until("the client is in", () => shop.connected);
          await until("its events are answered", async () => {
            // The reference ends the connection, perhaps with this event on it.
            const echo = shop.timeout(1_000).emitWithAck("echo", "hello");
            return (await echo.catch(() => undefined)) === "hello";
          });
          const sockets = await until("the sockets are counted", inside);
          if (name === "tickcast") {
            // The reference ends the connection, or lets the client in twice, where the client did not say that it left.
            assert.deepEqual(lost, [], `${course}, ${transport}: nothing else is disturbed`);
            assert.equal(sockets, 1, `${course}, ${transport}: it is in once`);
          }
          const parserName = options.parser ? ", msgpack" : "";
          say(
            `${name}, ${transport}${parserName}: ${course}: answered, ${sockets} inside, lost ${lost.join() || "nothing"}`,
          );
          desk.io.engine.close();
          desk.disconnect();
          shop.disconnect();
        }
      }
    }
  }
});
