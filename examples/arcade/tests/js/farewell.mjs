// The end of a match on a connection that the lobby shares: while requests are under way, while the client disconnects,
// and followed by the next match at once.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, ask, main, next, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

/** Longer than the server waits for a client to stop sending. */
const LONG_MS = 3_000;

main(async () => {
  const open = client({ autoConnect: false });
  const [lobby, socket] = [open("/lobby").connect(), open("/gameplay")];
  const lost = [];
  lobby.on("disconnect", (reason) => lost.push(reason));
  const enter = async () => {
    const { ticket, room } = await answer(lobby, "create", { game: "arena", private: true });
    socket.off();
    const seat = new Seat(socket);
    socket.auth = { ticket };
    socket.disconnect().connect();
    await seat.seated();
    return { seat, room };
  };
  const remove = ({ seat, room }) => answer(lobby, "kick", { room, seat: seat.welcome.seat });

  const first = await enter();
  assert.equal(socket.io, lobby.io, "one connection for both");
  await until("the transport is upgraded", () => socket.io.engine.transport.name === "websocket");
  let beats = 0;
  const chatter = setInterval(() => {
    // The server cuts a connection that sends requests at more than twice their rate for long.
    const event = ["t", "resync", "nothing"][beats++ / 20];
    if (event) ask(socket, event).catch(() => undefined);
    beats %= 60;
    socket.emit("i", new Uint8Array([0x91, 0]), () => undefined);
    if (socket.connected) first.seat.press({});
  }, 5);
  await remove(first);
  await until("the match is over", () => first.seat.over);
  assert.equal(first.seat.over.reason, "kicked");
  await pause();
  assert.ok(socket.connected, "the server does not end the namespace while the client sends");
  clearInterval(chatter);
  assert.equal(await next(socket, "disconnect"), "io server disconnect");
  await answer(lobby, "games");
  say("a client that sends until the end keeps the lobby");

  const second = await enter();
  await Promise.all([remove(second), until("the second match is over", () => second.seat.over)]);
  const third = await enter();
  assert.notEqual(third.room, second.room);
  await pause();
  assert.ok(socket.connected);
  await third.seat.walk();
  say("a client that leaves by itself plays the next match at once");

  const gone = remove(third);
  socket.disconnect();
  await gone;
  await pause();
  await answer(lobby, "games");
  assert.deepEqual(lost, []);
  say("a disconnect that crosses the server's keeps the lobby");
  await withSdk();
});

/** Plays match after match over the lobby's one connection. */
async function withSdk() {
  const { connect } = await bundled();
  const wire = await Wire.to(new URL(url));
  const server = await connect(wire.url);
  for (let n = 0; n < 5; n++) {
    const room = await server.lobby.create("arena", { private: true });
    const over = new Promise((resolve) => room.onOver(resolve));
    await (n % 2 ? room.leave() : server.lobby.kick(room.id, room.seat));
    await over;
  }
  await pause();
  await server.lobby.games();
  assert.equal(wire.connections, 1);
  server.close();
  say("the SDK needs no pause between matches");
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, LONG_MS));
}
