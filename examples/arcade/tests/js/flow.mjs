// A whole visit with the official client: lobby, quick play, walking, a lost connection, resuming, and leaving.

import assert from "node:assert/strict";

import { Seat } from "./seat.mjs";
import { answer, ask, next, packages, refusedWith, say, until, url } from "./support.mjs";

const { io } = packages.sdk("socket.io-client");

/** `open(namespace, auth)` makes a client with the script's options. `transport` is the one that it must end up with. */
export async function visit({ open, transport }) {
  const { room, ticket } = await visitLobby(open);
  const socket = open("/gameplay", { ticket });
  const seat = new Seat(socket);
  await seat.seated();
  assert.equal(seat.welcome.room, room);
  say(`seat ${seat.welcome.seat}, snapshot of ${seat.mirror.entities.size} entities`);
  await play(seat);
  await until(`the transport is ${transport}`, () => socket.io.engine.transport.name === transport);
  await comeBack(seat);
  await leave(seat);
  assert.equal(await refusedWith(open("/gameplay", { ticket })), "ticket_used");
  say("the used ticket is refused");
  socket.disconnect();
}

/** Returns a function that opens a namespace with the official client. `auth` goes to the namespace. */
export function client(options, server = url) {
  return (namespace, auth) => io(`${server}${namespace}`, auth ? { ...options, auth } : options);
}

async function visitLobby(open) {
  const lobby = open("/lobby", { name: "Ada" });
  const { games } = await answer(lobby, "games");
  assert.deepEqual(
    games.find(({ name }) => name === "arena"),
    { name: "arena", hz: 30, seats: [2, 16], rooms: 0, players: 0, strengths: ["easy", "normal", "hard"] },
  );
  const listing = await answer(lobby, "rooms", {});
  assert.deepEqual(listing.rooms, []);
  const changes = [];
  lobby.on("rooms", (change) => changes.push(change));
  const grant = await answer(lobby, "quick", { game: "arena" });
  assert.equal(grant.url, "");
  const added = await until("the room is listed", () =>
    changes.flatMap((change) => change.added).find(({ room }) => room === grant.room),
  );
  assert.equal(added.game, "arena");
  assert.deepEqual(
    changes.map(({ seq }) => seq),
    changes.map((_, n) => listing.seq + 1 + n),
  );
  say(`room ${grant.room} is listed`);
  return grant;
}

async function play(seat) {
  const { welcome } = seat;
  assert.deepEqual([welcome.game, welcome.protocol, welcome.hz, welcome.state], ["arena", 1, 30, "snapshot"]);
  assert.equal(welcome.seats.find((info) => info.seat === welcome.seat).name, "Ada");
  const schema = await (await fetch(`${url}/schema/arena.json`)).json();
  assert.deepEqual(welcome.schema, schema);
  assert.equal(seat.frames[0].kind, 0);
  await until("diffs arrive", () => seat.frames.filter(({ kind, age }) => kind === 1 && age > 0).length > 10);
  await seat.walk();
  say("the avatar follows the inputs");

  const { tick } = await answer(seat.socket, "t");
  assert.ok(
    tick >= seat.mirror.tick - 1 && tick < seat.mirror.tick + 60,
    `it is tick ${tick}, and the mirror holds ${seat.mirror.tick}`,
  );
  const hit = await until("somebody is hit", () => seat.events.find(({ name }) => name === "Hit"));
  assert.ok(hit.value.shooter > 0 && hit.value.victim > 0 && hit.value.shooter !== hit.value.victim);
  await until("a checksum was right", () => seat.frames.some(({ checked }) => checked > 0));
  await answer(seat.socket, "resync", {});
  const asked = seat.frames.length;
  await until("a snapshot comes", () => seat.frames.slice(asked - 1).some(({ kind }) => kind === 0));
  say("events, time, checksums and a resync are right");
}

/** Closes the transport without a Socket.IO packet, and resumes. */
async function comeBack(seat) {
  const { socket, welcome: before } = seat;
  let tick;
  socket.auth = (give) => give({ resume: before.resume, tick: (tick = seat.mirror.tick) });
  const welcomed = next(socket, "welcome");
  socket.io.engine.close();
  await until("the client notices", () => !socket.connected);
  const frames = seat.frames.length;
  const welcome = await welcomed;
  assert.deepEqual([welcome.seat, welcome.room, welcome.state], [before.seat, before.room, "diff"]);
  assert.notEqual(welcome.resume, before.resume);
  const first = await until("frames go on", () => seat.frames[frames]);
  assert.deepEqual([first.kind, first.tick - first.age], [2, tick]);
  const checks = seat.frames.length;
  await until("a checksum is right", () => seat.frames.slice(checks).some(({ checked }) => checked > 0));
  await seat.walk();
  say(`resumed at tick ${tick} with a diff of ${first.age} ticks`);
}

async function leave(seat) {
  const { resume } = seat.welcome;
  assert.equal((await ask(seat.socket, "leave")).ok, true);
  await until("the room is over", () => seat.over);
  assert.deepEqual(seat.over, { reason: "left", message: seat.over.message, winners: [] });
  seat.socket.auth = { resume };
  if (seat.socket.connected) await next(seat.socket, "disconnect");
  const refused = refusedWith(seat.socket);
  seat.socket.connect();
  assert.equal(await refused, "resume_expired");
  say("left for good");
}
