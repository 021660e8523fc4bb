// `@tickcast/client` on a line that dies for a while and on which nothing moves again, as TCP behaves after a long tunnel: a fresh
// connection takes over as soon as the network is back. The seat is the same, and nobody is told of a loss.

import assert from "node:assert/strict";
import { connect as connectTcp, createServer } from "node:net";

import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

/** How long the network is away, in milliseconds. The SDK cuts a line by itself after four seconds. */
const AWAY_MS = 2_500;

/** A proxy to the server. While it is `dark` nothing passes; what was open then stays open and silent for ever. */
async function proxy() {
  const to = { dark: false, lines: [] };
  const listener = createServer((near) => {
    const far = connectTcp(Number(new URL(url).port), "127.0.0.1");
    const line = { isDead: to.dark, isOpen: true };
    to.lines.push(line);
    for (const [from, other] of [
      [near, far],
      [far, near],
    ]) {
      from.on("data", (bytes) => {
        line.isDead ||= to.dark;
        if (!line.isDead) other.write(bytes);
      });
      from.on("error", () => {});
      // A line that the client closes is closed. A dead line tells nobody of that.
      from.on("close", () => {
        if (from === near) line.isOpen = false;
        if (!line.isDead) other.destroy();
      });
    }
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  to.url = `http://127.0.0.1:${listener.address().port}`;
  return to;
}

main(async () => {
  const { connect } = await bundled();
  const line = await proxy();
  const server = await connect(line.url, { name: "Ada" });
  const room = await server.lobby.quick("arena");
  await until("frames come", () => room.tick > 0 && room.me("Pos"));
  const { seat, tick } = room;
  await until("frames go on", () => room.tick > tick + room.hz);
  const statuses = [];
  room.onStatus((status) => statuses.push(status));
  const before = line.lines.length;
  const me = room.me("Pos").id;

  line.dark = true;
  await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  const tried = line.lines.length - before;
  assert.ok(tried > 0, "fresh connections were tried while the network was away");
  const stood = room.tick;
  line.dark = false;
  await until("frames come again", () => room.tick > stood + room.hz);
  assert.deepEqual(statuses, [], "nobody was told of a loss");
  assert.deepEqual([room.status, room.seat, room.me("Pos")?.id], ["playing", seat, me]);
  // One for the room, and one for the lobby. The dead line, and what was tried in vain, are closed.
  const open = () => line.lines.filter(({ isOpen }) => isOpen).length;
  await until("the dead lines are closed", () => server.status === "connected" && open() === 2);
  say(`after ${AWAY_MS} ms without a network, the room goes on over a fresh connection, after ${tried} in vain`);

  // One of the ways may be barred by a wall.
  const { x } = room.me("Pos").Pos.at;
  await until("inputs arrive on the new line", () => {
    room.input({ dir: Math.floor(performance.now() / 1_000) % 2 === 0 ? "E" : "W" });
    return Math.abs((room.me("Pos")?.Pos.at.x ?? x) - x) > 0.5;
  });
  await until("the lobby is back", () => server.status === "connected");
  assert.ok((await server.lobby.games()).length > 0);
  await room.leave();
  server.close();
  await until("nothing is open", () => open() === 0);
});
