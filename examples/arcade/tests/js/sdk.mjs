// `@tickcast/client` in Node: quick play, a lost connection, a spectator, leaving, and two players in one match.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

const OPPOSITE = { E: "W", N: "S", W: "E", S: "N" };
const WAY = { E: [1, 0], N: [0, 1], W: [-1, 0], S: [0, -1] };

main(async () => {
  const { connect, TickcastError } = await bundled();
  const wire = await Wire.to(new URL(url));
  const connection = [];
  const server = await connect(wire.url, { name: "Ada", onStatus: (status) => connection.push(status) });
  assert.ok((await server.lobby.games()).some(({ name }) => name === "arena"));
  await assert.rejects(
    server.lobby.quick("chess"),
    (error) => error instanceof TickcastError && error.code === "unknown_game",
  );

  const room = await server.lobby.quick("arena");
  const faults = [];
  room.onFault((fault) => faults.push(fault));
  room.onDesync((desync) => faults.push(desync));
  await walk(room);
  say("room.input moves room.me");
  await loseConnection(room, wire);
  await until("the server is connected again", () => server.status === "connected");
  assert.deepEqual(connection, ["connecting", "connected", "reconnecting", "connected"]);
  say("server.onStatus follows the connection");
  await walk(room);
  await watch(room, await connect(wire.url, { name: "Eve" }), wire);

  const over = new Promise((resolve) => room.onOver(resolve));
  await room.leave();
  assert.equal((await over).reason, "left");
  assert.equal(room.status, "over");
  assert.deepEqual([faults, room.stats.resyncs], [[], 0]);
  await meet(connect);
});

/** Walks there and back in a free direction. Tries the next one if the avatar meets a wall or dies. */
async function walk(room) {
  await until("the avatar is there", () => room.me("Pos", "Hp"));
  for (const dir of ["E", "N", "W", "S", "E", "N", "W", "S", "E", "N", "W", "S"]) {
    if ((await walks(room, dir)) && (await walks(room, OPPOSITE[dir]))) return;
  }
  throw new Error("the avatar did not follow the inputs in any direction");
}

async function walks(room, dir) {
  const [x, y] = WAY[dir];
  room.input({ dir });
  // The view is some ticks in the past, where the previous input still acts.
  const begun = room.serverTick + room.stats.delay + room.stats.lead + 3;
  await until("the input is seen", () => room.serverTick > begun);
  const from = room.me("Pos").Pos.at;
  const gone = () => {
    const { at } = room.me("Pos").Pos;
    return {
      along: (at.x - from.x) * x + (at.y - from.y) * y,
      aside: Math.abs((at.x - from.x) * y) + Math.abs((at.y - from.y) * x),
    };
  };
  await until("a walk ends", () => gone().along >= 1 || room.serverTick > begun + 2 * room.hz);
  const { along, aside } = gone();
  return along >= 1 && along < 4 && aside < 0.1;
}

async function loseConnection(room, wire) {
  const seen = [];
  room.onStatus((status) => seen.push(status));
  const { seat, tick } = room;
  wire.cut();
  await until("the room is there again", () => seen.at(-1) === "playing");
  assert.deepEqual(seen, ["reconnecting", "playing"]);
  await until("frames go on", () => room.tick > tick + room.hz);
  assert.equal(room.seat, seat);
  say("the room reconnects by itself");
}

/** Spectates with the delay of arena, and loses the connection, too. */
async function watch(played, eve, wire) {
  const room = await eve.lobby.spectate(played.id);
  assert.deepEqual([room.spectating, played.spectating], [true, false]);
  await until("the spectator sees the player", () => room.view("Pos", "Seat").some(({ Seat }) => Seat === played.seat));
  assert.ok(room.stats.delay > 1.5 * room.hz, `the view is ${room.stats.delay} ticks old`);
  await loseConnection(room, wire);
  await until("the spectator sees the player again", () =>
    room.view("Pos", "Seat").some(({ Seat }) => Seat === played.seat),
  );
  const over = new Promise((resolve) => room.onOver(resolve));
  await room.leave();
  assert.equal((await over).reason, "left");
  eve.close();
  say("a spectator reconnects as a spectator");
}

async function meet(connect) {
  const [ada, bob] = await Promise.all(["Ada", "Bob"].map((name) => connect(url, { name })));
  const waiting = [];
  const [first, second] = await Promise.all([
    ada.matchmaking.enqueue("arena", { onStatus: (status) => waiting.push(status) }),
    until("Ada waits", () => waiting.length > 0).then(() => bob.matchmaking.enqueue("arena")),
  ]);
  assert.equal(first.id, second.id);
  assert.notEqual(first.seat, second.seat);
  assert.equal(waiting[0].needed, 2);
  await until("both are listed", () => {
    const names = first.seats.filter(({ status }) => status === "playing").map(({ name }) => name);
    return names.includes("Ada") && names.includes("Bob");
  });
  const gone = until("Bob's seat is free", () => !first.seats.some(({ name }) => name === "Bob"));
  bob.close();
  await gone;
  ada.close();
  say("the matchmaker put both into one room");
}
