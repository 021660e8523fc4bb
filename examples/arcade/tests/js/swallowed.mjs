// `@tickcast/client` behind proxies that take a WebSocket and never answer: it polls, within the time for a connection.

import assert from "node:assert/strict";
import { connect as connectTcp, createServer } from "node:net";

import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

/** How a proxy treats the connection of a WebSocket. */
const PROXIES = {
  "takes the request and never answers": { near: () => true, far: () => false },
  "swallows all that follows 101": { near: () => false, far: (text) => text.startsWith("HTTP/1.1 101") },
};

/** A proxy to the server. It swallows until it is `healthy`. */
async function proxy({ near: swallowsRequest, far: swallowsAnswer }) {
  const sockets = new Set();
  const to = { swallowed: 0, healthy: false };
  const listener = createServer((near) => {
    const far = connectTcp(Number(new URL(url).port), "127.0.0.1");
    let isSwallowed = false;
    near.on("data", (bytes) => {
      const isHandshake = /^GET [^\r]*transport=websocket/.test(bytes.toString("latin1"));
      if (isHandshake && !to.healthy && swallowsRequest()) isSwallowed = true;
      if (isHandshake && isSwallowed) to.swallowed += 1;
      if (!isSwallowed) far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (isSwallowed) return;
      const text = bytes.toString("latin1");
      if (to.healthy || !swallowsAnswer(text)) {
        near.write(bytes);
        return;
      }
      isSwallowed = true;
      to.swallowed += 1;
      near.write(bytes.subarray(0, text.indexOf("\r\n\r\n") + 4));
    });
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(end);
      end.on("error", () => {});
      end.on("close", () => other.destroy());
    }
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  to.url = `http://127.0.0.1:${listener.address().port}`;
  to.cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return to;
}

main(async () => {
  const { connect } = await bundled();
  for (const [way, how] of Object.entries(PROXIES)) {
    const line = await proxy(how);
    // Rejects after ten seconds.
    const server = await connect(line.url, { name: "Ada" });
    assert.equal(line.swallowed > 0, true, "the client has tried a WebSocket first");
    const room = await server.lobby.quick("arena");
    await until("frames come", () => room.tick > 0 && room.me("Pos"));
    const { tick } = room;
    await until("frames go on", () => room.tick > tick + room.hz);
    say(`behind a proxy that ${way}, a match is played by polling`);
    const seen = [];
    room.onStatus((status) => seen.push(status));
    // A cut between two polls is none: the next poll opens another connection.
    const drop = (times) => until("the room is away", () => seen.length >= times || void line.cut());
    await drop(1);
    await until("the room is there again", () => seen.at(-1) === "playing");
    assert.deepEqual(seen, ["reconnecting", "playing"]);
    line.healthy = true;
    await drop(3);
    await until("the room is there again", () => seen.length === 4 && seen.at(-1) === "playing");
    say("it reconnects, also once the proxy lets WebSockets through");
    await room.leave();
    server.close();
  }
});
