// A private room with the official client: its code, a spectator with two seconds of delay, a vote that removes a player, and
// the owner, who removes another.

import assert from "node:assert/strict";

import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, ask, main, next, refusedWith, say, until } from "./support.mjs";

/** The delay in the rules of arena. */
const SPECTATOR_DELAY_S = 2;

const open = client({ forceNew: true });

main(async () => {
  const ada = await guest("Ada");
  const created = await answer(ada.lobby, "create", { game: "arena", private: true });
  await ada.sit(created);
  const { code, room } = created;
  assert.match(code, /^[A-Z0-9]{4,8}$/);
  const [bob, cy] = [await guest("Bob"), await guest("Cy")];
  assert.deepEqual((await answer(bob.lobby, "rooms", {})).rooms, []);
  for (const friend of [bob, cy]) {
    const grant = await answer(friend.lobby, "join", { code: code.toLowerCase() });
    assert.equal(grant.room, room);
    await friend.sit(grant);
  }
  assert.equal(new Set([ada, bob, cy].map(({ seat }) => seat.welcome.seat)).size, 3);
  say(`friends find the unlisted room by the code ${code}`);

  await watch(ada, code);
  await vote({ ada, bob, cy, code });
  await kick({ ada, bob, room, code });
});

/** Enters the lobby as a guest, who can take a seat. */
async function guest(name) {
  const lobby = open("/lobby", { name });
  const { user } = await next(lobby, "session");
  return {
    user,
    lobby,
    async sit({ ticket }) {
      this.seat = new Seat(open("/gameplay", { ticket }));
      await this.seat.seated();
    },
  };
}

async function watch(ada, code) {
  const { seat } = ada;
  const past = new Map();
  seat.socket.on("s", () => past.set(seat.mirror.tick, seat.me()?.Pos));
  const { lobby } = await guest("Dee");
  const { ticket } = await answer(lobby, "spectate", { code });
  const watching = new Seat(open("/gameplay", { ticket }));
  const compared = [];
  const delays = [];
  watching.socket.on("s", () => {
    const { tick } = watching.mirror;
    if (past.has(tick)) compared.push([watching.mirror.find(seat.welcome.seat, "Pos")?.Pos, past.get(tick)]);
    // The server's time at which it reads this request is later than the frame: a late client can only make the delay longer.
    if (watching.frames.length % 20 === 1) delays.push(ask(watching.socket, "t").then((now) => now.tick - tick));
  });
  const welcome = await next(watching.socket, "welcome");
  assert.deepEqual([welcome.seat, welcome.resume], [0, ""]);
  await seat.walk();
  await until("the walk is seen", () => compared.length > 3 * welcome.hz);
  assert.equal(watching.frames[0].kind, 0);
  // A frame's tick is up to one tick older than the time at which it is sent.
  const delay = SPECTATOR_DELAY_S * welcome.hz;
  for (const ticks of await Promise.all(delays))
    assert.ok(ticks >= delay - 1, `a frame comes ${ticks} ticks after its tick`);
  for (const [seen, was] of compared) assert.deepEqual(seen, was);
  assert.ok(new Set(compared.map(([seen]) => JSON.stringify(seen))).size > 3, "the avatar moved in between");
  assert.ok(!seat.welcome.seats.some(({ name }) => name === "Dee"));

  watching.press({ dir: "E" });
  assert.equal((await ask(watching.socket, "votekick", { seat: seat.welcome.seat })).error.code, "unknown_seat");
  await answer(watching.socket, "leave");
  await until("nobody watches", () => watching.over?.reason === "left");
  assert.deepEqual(watching.refused, []);
  assert.equal(await refusedWith(open("/gameplay", { ticket })), "ticket_used");
  say(`a spectator sees the match ${SPECTATOR_DELAY_S} s later, and cannot act in it`);
}

async function vote({ ada, bob, cy, code }) {
  const { seat: target } = cy.seat.welcome;
  const votes = [];
  bob.seat.socket.on("vote", (vote) => votes.push(vote));
  assert.equal((await ask(cy.seat.socket, "votekick", { seat: target })).error.code, "unknown_seat");
  await answer(ada.seat.socket, "votekick", { seat: target });
  await until("one has voted", () => votes.length === 1);
  assert.equal((await ask(cy.seat.socket, "votekick", { seat: ada.seat.welcome.seat })).error.code, "vote_open");
  await answer(bob.seat.socket, "votekick", { seat: target });
  await until("the vote has passed", () => cy.seat.over && votes.at(-1).passed !== null);
  assert.deepEqual(votes, [
    { seat: target, votes: 1, needed: 2, passed: null },
    { seat: target, votes: 2, needed: 2, passed: true },
  ]);
  assert.equal(cy.seat.over.reason, "kicked");
  await banned(cy, code);
  say("two votes remove a third player");
}

async function kick({ ada, bob, room, code }) {
  const { seat } = bob.seat.welcome;
  assert.equal((await ask(bob.lobby, "kick", { room, seat: ada.seat.welcome.seat })).error.code, "not_owner");
  assert.equal((await ask(ada.lobby, "kick", { room, seat: 200 })).error.code, "unknown_seat");
  await answer(ada.lobby, "kick", { room, seat });
  await until("Bob is told", () => bob.seat.over?.reason === "kicked");
  await banned(bob, code);
  assert.equal(await refusedWith(open("/gameplay", { resume: bob.seat.welcome.resume })), "resume_expired");
  await ada.seat.walk();
  say("the owner of the room removes a player, and plays on");
}

async function banned({ lobby }, code) {
  for (const request of ["join", "spectate"]) assert.equal((await ask(lobby, request, { code })).error.code, "banned");
}
