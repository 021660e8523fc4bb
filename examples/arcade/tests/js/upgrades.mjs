// The official client with no option set, behind a box that breaks the upgrade to WebSocket: on this server as on the reference.

import assert from "node:assert/strict";
import { createServer as createHttp } from "node:http";
import { connect, createServer } from "node:net";
import { client } from "./flow.mjs";
import { ask, main, next, packages, say, until, url } from "./support.mjs";

const { Server } = packages.sdk("socket.io");

const EVENTS = 39;
const PAUSE_MS = 50;

/** The fate of a connection once the server has answered 101. */
const BREAKS = {
  "cuts the connection after 101": (ends) => {
    for (const end of ends) end.destroy();
  },
  "swallows all frames after 101": () => {},
  "swallows the server's frames after 101": () => {},
};

/** A server that stands between a client and a server, and breaks WebSockets in one way. */
async function box(target, way) {
  const counts = { polls: 0, upgrades: 0 };
  const proxy = createServer((near) => {
    const far = connect(Number(new URL(target).port), "127.0.0.1");
    const ends = [near, far];
    let broken = false;
    near.on("data", (bytes) => {
      if (/^GET .*transport=polling.*sid=/.test(bytes.toString("latin1"))) counts.polls += 1;
      if (!broken || way === "swallows the server's frames after 101") far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (broken) return;
      const text = bytes.toString("latin1");
      if (!text.startsWith("HTTP/1.1 101")) {
        near.write(bytes);
        return;
      }
      broken = true;
      counts.upgrades += 1;
      near.write(bytes.subarray(0, text.indexOf("\r\n\r\n") + 4), () => BREAKS[way](ends));
    });
    for (const [end, other] of [ends, ends.toReversed()]) {
      end.on("error", () => other.destroy());
      end.on("close", () => other.destroy());
    }
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${proxy.address().port}`, counts };
}

async function reference() {
  const http = createHttp();
  const io = new Server(http);
  io.on("connection", (socket) => socket.on("info", (acknowledge) => acknowledge({ ok: true })));
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${http.address().port}`;
}

main(async () => {
  for (const [name, target] of Object.entries({ tickcast: url, reference: await reference() })) {
    for (const way of Object.keys(BREAKS)) {
      const { url: near, counts } = await box(target, way);
      const socket = client({ forceNew: true }, near)("/");
      const ends = [];
      socket.on("disconnect", (reason) => ends.push(reason));
      await next(socket, "connect");
      await until("the client has tried to upgrade", () => counts.upgrades > 0);
      const before = counts.polls;
      let acknowledged = 0;
      for (let n = 0; n < EVENTS; n++) {
        const { ok } = await ask(socket, "info");
        acknowledged += ok ? 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      assert.deepEqual(ends, [], `${name}, ${way}: the client stays connected`);
      assert.equal(acknowledged, EVENTS);
      assert.equal(socket.io.engine.transport.name, "polling");
      // One poll for each acknowledgement, and those that end for the upgrade: ten a second where the probe came through.
      const polls = counts.polls - before;
      assert.ok(polls < 4 * EVENTS, `${name}, ${way}: ${polls} polls for ${EVENTS} events`);
      say(`${name} ${way}: ${acknowledged} of ${EVENTS} events acknowledged, ${polls} polls`);
      socket.disconnect();
    }
  }
});
