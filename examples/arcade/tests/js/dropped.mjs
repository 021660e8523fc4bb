// The official client, whose TCP connection breaks: its seat is kept, it resumes with a diff, and the chat that it missed is
// replayed.

import assert from "node:assert/strict";

import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, main, next, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

/** How soon a client whose connection was refused tries again. */
const RETRY = { reconnectionDelay: 200, reconnectionDelayMax: 200 };

main(async () => {
  const wire = await Wire.to(new URL(url));
  const ada = await visitor("Ada", client(RETRY, wire.url));
  await until("Ada is on a WebSocket", () => ada.lobby.io.engine.transport.name === "websocket");
  const bob = await visitor("Bob", client(), ada.room);
  const tell = (channel, text) => answer(bob.lobby, "chat", { channel, text });
  const told = [];
  bob.seat.socket.on("seats", (seats) => told.push(seats.find(({ seat }) => seat === ada.seat.welcome.seat)?.status));

  const known = {};
  for (const channel of ["lobby", "room"]) known[channel] = await answer(ada.lobby, "listen", { channel });
  await tell("lobby", "one");
  await until("Ada hears Bob", () => ada.heard.length === 1);

  const before = ada.seat.welcome;
  const [back, welcomed, dropped] = [
    next(ada.lobby, "session"),
    next(ada.seat.socket, "welcome"),
    next(ada.lobby, "disconnect"),
  ];
  wire.close();
  assert.equal(await dropped, "transport close");
  const frames = ada.seat.frames.length;
  await until("Ada is away", () => told.at(-1) === "away");
  await tell("lobby", "two");
  await tell("room", "three");
  await tell("lobby", "four");
  assert.ok(!ada.lobby.connected, "no connection gets through");
  wire.open();
  say("the others go on playing and talking");

  const welcome = await welcomed;
  assert.deepEqual([welcome.seat, welcome.room, welcome.state], [before.seat, before.room, "diff"]);
  const first = await until("frames go on", () => ada.seat.frames[frames]);
  assert.deepEqual([first.kind, first.tick - first.age], [2, ada.held()]);
  await until("Ada plays", () => told.at(-1) === "playing");
  const checks = ada.seat.frames.length;
  await until("a checksum is right", () => ada.seat.frames.slice(checks).some(({ checked }) => checked > 0));
  await ada.seat.walk();
  say(`the seat is the same, with a diff of ${first.age} ticks`);

  assert.equal((await back).user, ada.user);
  for (const [channel, after, texts] of [
    ["lobby", known.lobby.seq + 1, ["two", "four"]],
    ["room", known.room.seq, ["three"]],
  ]) {
    const missed = await answer(ada.lobby, "listen", { channel, id: known[channel].id, after });
    assert.deepEqual([missed.id, missed.complete], [known[channel].id, true]);
    assert.deepEqual(
      missed.messages.map(({ text }) => text),
      texts,
    );
  }
  await tell("lobby", "five");
  await until("Ada gets later messages", () => ada.heard.at(-1) === "five");
  assert.deepEqual(ada.heard, ["one", "five"], "missed messages come once, in the answer to listen");
  say("missed chat messages are replayed");
});

/** Enters the lobby and a room of arena, by default a new one. The visitor reconnects as the same guest. */
async function visitor(name, open, room) {
  let token;
  const lobby = open("/lobby", (give) => give(token ? { token } : { name }));
  const heard = [];
  lobby.on("session", (session) => (token = session.token));
  lobby.on("chat", ({ text }) => heard.push(text));
  const { user } = await next(lobby, "session");
  const grant = await (room ? answer(lobby, "join", { room }) : answer(lobby, "create", { game: "arena" }));
  const seat = new Seat(open("/gameplay", { ticket: grant.ticket }));
  await seat.seated();
  let held;
  seat.socket.auth = (give) => give({ resume: seat.welcome.resume, tick: (held = seat.mirror.tick) });
  return { user, lobby, heard, seat, room: grant.room, held: () => held };
}
