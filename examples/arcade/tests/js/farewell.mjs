// The end of a match on a connection that the lobby shares: with requests on their way, with a goodbye on its way, and on to the next match at once.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, ask, main, next, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

/** Longer than the server waits for a client to be quiet. */
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
    // Requests for long at more than twice their rate would cost the connection.
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
  assert.ok(socket.connected, "who still talks is not ended yet");
  clearInterval(chatter);
  assert.equal(await next(socket, "disconnect"), "io server disconnect");
  await answer(lobby, "games");
  say("who talked on until the server ended the match has the lobby still");

  const second = await enter();
  await Promise.all([remove(second), until("the second match is over", () => second.seat.over)]);
  const third = await enter();
  assert.notEqual(third.room, second.room);
  await pause();
  assert.ok(socket.connected);
  await third.seat.walk();
  say("who left by itself plays the next match at once");

  const gone = remove(third);
  socket.disconnect();
  await gone;
  await pause();
  await answer(lobby, "games");
  assert.deepEqual(lost, []);
  say("a goodbye that crosses the server's costs nothing");
  await withSdk();
});

/** Match after match over the connection of the lobby, which is never made anew. */
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
  say("the SDK needs no pause in between");
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, LONG_MS));
}
