// Clients that begin with polling: each costs the server one descriptor once it has upgraded.

import { client } from "./flow.mjs";
import { main, next, say, until, url } from "./support.mjs";

const CLIENTS = 20;

/** The descriptors that the server's process has open. */
async function descriptors() {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_open_fds (\d+)$/m.exec(page)[1]);
}

main(async () => {
  const before = await descriptors();
  const sockets = Array.from({ length: CLIENTS }, () => client({ forceNew: true })("/"));
  await Promise.all(sockets.map((socket) => next(socket, "connect")));
  await until("all are upgraded", () => sockets.every((socket) => socket.io.engine.transport.name === "websocket"));
  const open = await until("each has one connection", async () => {
    const open = (await descriptors()) - before;
    return open <= CLIENTS && { open };
  });
  say(`${CLIENTS} clients that began with polling hold ${open.open} descriptors`);
});
