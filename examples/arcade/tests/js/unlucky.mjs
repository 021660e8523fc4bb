// `@tickcast/client` on lines that die at the worst moment, and in programs that change their mind: nobody loses a place, and no
// seat is left behind.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

let connect;
let rooms = [];
let bob;

main(async () => {
  ({ connect } = await bundled());
  bob = await connect(url, { name: "Bob" });
  await bob.lobby.rooms((listed) => (rooms = listed));
  await matchedIsLost();
  await networkChanges();
  await closesWhileAsking();
  await closesWhileSitting();
  await abortsWhileSitting();
  await mountsTwice();
  await leavesWithoutWord();
});

/** A player on a wire of their own. */
async function visitor(name) {
  const wire = await Wire.to(new URL(url));
  const server = await connect(wire.url, { name });
  const statuses = [];
  await bob.lobby.presence.subscribe([server.session.user], ({ status }) => statuses.push(status));
  return { wire, server, presence: () => statuses.at(-1) };
}

/** Queues, and resolves once the player waits. */
async function queued(server, options = {}) {
  const waiting = [];
  const room = server.matchmaking.enqueue("arena", { ...options, onStatus: (status) => waiting.push(status) });
  await until("the player waits", () => waiting.length > 0);
  return { room, waiting };
}

async function plays(room) {
  const { tick } = room;
  await until("frames come", () => room.status === "playing" && room.tick > tick + room.hz / 2);
}

/** Waits until nothing of a player is left, although others may play on. */
async function nothingIsLeft(what, user, presence) {
  await until(`${what}: no room is left`, () => rooms.length === 0);
  await until(`${what}: presence is true`, () => user() === presence);
}

async function leaveAll(...all) {
  for (const room of all) await room.leave();
}

async function matchedIsLost() {
  const { wire, server, presence } = await visitor("Ada");
  const ada = await queued(server);
  let isCut = false;
  wire.before("matched", () => {
    isCut = true;
    wire.cut();
  });
  const [first, second] = await Promise.all([ada.room, bob.matchmaking.enqueue("arena")]);
  assert.ok(isCut, "the line died as matched was sent");
  assert.equal(first.id, second.id);
  await plays(first);
  await leaveAll(first, second);
  server.close();
  await nothingIsLeft("matched is lost", presence, "offline");
  say("a line that dies as matched is sent costs nobody their match");
}

async function networkChanges() {
  const { wire, server, presence } = await visitor("Ada");
  const ada = await queued(server);
  const before = wire.connections;
  wire.abandon();
  await until("the client is back on another line", () => wire.connections > before && server.status === "connected");
  await until("it waits again", () => ada.waiting.length > 1);
  const [first, second] = await Promise.all([ada.room, bob.matchmaking.enqueue("arena")]);
  assert.equal(first.id, second.id);
  await plays(first);
  await leaveAll(first, second);
  wire.cut();
  server.close();
  await nothingIsLeft("the network changes", presence, "offline");
  say("a network that changes while a player waits costs them nothing");
}

async function closesWhileAsking() {
  const asking = ["create", "quick"].map(async (request) => {
    const { wire, server, presence } = await visitor("Ada");
    wire.holdAnswers();
    const refused = assert.rejects(server.lobby[request]("arena"), ({ code }) => code === "closed");
    await until("the room is there", () => rooms.length > 0);
    server.close();
    await refused;
    return presence;
  });
  for (const presence of await Promise.all(asking)) await nothingIsLeft("a request is unanswered", presence, "offline");
  say("a program that closes before a request is answered leaves no room");
}

async function closesWhileSitting() {
  const { wire, server, presence } = await visitor("Ada");
  const held = new Promise((resolve) => {
    wire.before("welcome", () => {
      wire.holdAnswers();
      resolve();
    });
  });
  const refused = assert.rejects(server.lobby.quick("arena"), ({ code }) => code === "closed");
  await held;
  server.close();
  await refused;
  await nothingIsLeft("welcome is held", presence, "offline");
  say("a program that closes before welcome comes leaves no room");
}

async function abortsWhileSitting() {
  for (const isDead of [false, true]) {
    const { wire, server, presence } = await visitor("Ada");
    const held = new Promise((resolve) => {
      wire.before("welcome", () => {
        wire.holdAnswers();
        resolve();
      });
    });
    const cancel = new AbortController();
    const ada = await queued(server, { signal: cancel.signal });
    const refused = assert.rejects(ada.room, ({ message }) => message === "changed my mind");
    const second = await bob.matchmaking.enqueue("arena");
    const statuses = [];
    second.onSeats((seats) => statuses.push(seats.find(({ name }) => name === "Ada")?.status));
    await held;
    const seatOfAda = () => second.seats.find(({ name, status }) => name === "Ada" && status !== "left");
    // The server has seated Ada, and Bob may hear of it only now.
    await until("Bob sees the seat of Ada", seatOfAda);
    cancel.abort(new Error("changed my mind"));
    await refused;
    if (isDead) wire.cut();
    else wire.release();
    await until("Ada's seat is free", () => !seatOfAda());
    await until("Ada is in the lobby", () => presence() === "online");
    assert.equal(statuses.includes("away"), isDead, `the seat was ${statuses}`);
    await second.leave();
    server.close();
    await nothingIsLeft("a join is aborted", presence, "offline");
    say(`a join that is aborted ${isDead ? "as its line dies" : "on its way"} frees the seat`);
  }
}

/** React's strict mode mounts each component, takes it away and mounts it again. */
async function mountsTwice() {
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  const mount = () => connect(url, { name: "Cy", storage });
  const first = mount();
  const closed = first.then((server) => server.close());
  const server = await mount();
  await closed;
  const statuses = [];
  await bob.lobby.presence.subscribe([server.session.user], ({ status }) => statuses.push(status));
  for (const isAlone of [true, false]) {
    const others = isAlone ? [] : [await bob.lobby.create("arena")];
    const one = server.lobby.quick("arena");
    const left = one.then((room) => room.leave());
    const two = await server.lobby.quick("arena");
    await left;
    await plays(two);
    assert.equal(two.seats.filter(({ name }) => name === "Cy").length, 1);
    assert.deepEqual([(await one).status, statuses.at(-1)], ["over", "match"]);
    await leaveAll(two, ...others);
    await nothingIsLeft("mounted twice", () => statuses.at(-1), "online");
  }
  server.close();
  await nothingIsLeft("mounted twice", () => statuses.at(-1), "offline");
  say("a program that mounts, unmounts and mounts again plays in one seat");
}

/** The channel to `/gameplay` is let go before the server has let it in, and used again. */
async function leavesWithoutWord() {
  const { wire, server, presence } = await visitor("Ada");
  const held = new Promise((resolve) => {
    wire.before("welcome", () => {
      wire.holdAnswers();
      resolve();
    });
  });
  const cancel = new AbortController();
  const ada = await queued(server, { signal: cancel.signal });
  const refused = assert.rejects(ada.room, { name: "AbortError" });
  const second = await bob.matchmaking.enqueue("arena");
  await held;
  cancel.abort();
  await refused;
  // The SDK gives the attempt two seconds.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  wire.release();
  const again = await server.lobby.create("arena");
  await plays(again);
  assert.notEqual(again.id, second.id);
  await again.leave();
  await second.leave();
  await nothingIsLeft("left without a word", presence, "online");
  server.close();
  say("a namespace that was left without a word is entered again");
}
