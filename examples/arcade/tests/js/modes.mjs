// Parties of two in a 2v2 mode with the official client: against each other, and against two single players; a ready check
// that somebody declines; and ratings that change with a result.

import assert from "node:assert/strict";

import { guest, party } from "./guests.mjs";
import { answer, main, next, packages, say, url } from "./support.mjs";

const { io } = packages.sdk("socket.io-client");

main(async () => {
  await twoParties();
  await partyAndTwoAlone();
  await declined();
});

const enqueue = ({ socket }, mode) => answer(socket, "enqueue", { game: "race", mode });

const leaveAll = (guests) => guests.forEach((guest) => void guest.go());

/** Takes the seat of a matched player. */
async function sit(matched) {
  const socket = io(`${url}/gameplay`, { forceNew: true, auth: { ticket: matched.ticket } });
  const welcome = await next(socket, "welcome");
  return { socket, welcome, matched };
}

async function twoParties() {
  const reds = await party("Ada", "Bob");
  const blues = await party("Cy", "Dee");
  const guests = [...reds, ...blues];
  assert.equal((await reds[1].ask("enqueue", { game: "race", mode: "2v2" })).error.code, "not_leader");
  await enqueue(reds[0], "2v2");
  const { position, waiting, needed } = await reds[1].hears("status");
  assert.deepEqual([position, waiting, needed], [1, 2, 4]);
  await enqueue(blues[0], "2v2");
  const seats = await Promise.all(guests.map(async ({ hears }) => sit(await hears("matched"))));
  assert.equal(new Set(seats.map(({ matched }) => matched.room)).size, 1);
  const teams = seats.map(({ matched }) => matched.team);
  assert.ok(teams[0] === teams[1] && teams[2] === teams[3] && teams[0] !== teams[2], `teams ${teams}`);
  say(`two parties of two play each other, in teams ${teams}`);

  const overs = seats.map(({ socket }) => next(socket, "over"));
  // `[ack, seq, tick, dir]`: the first input, for the next tick, walks to the east.
  seats[2].socket.emit("i", Buffer.from([0x94, 0, 1, 0, 1]));
  const [over] = await Promise.all(overs);
  assert.equal(over.reason, "finished");
  const team = seats.slice(2).map(({ welcome }) => welcome.seat);
  assert.deepEqual(over.winners.sort(), team.sort());
  for (const { socket, name } of guests) {
    const { rating } = await answer(socket, "rating", { game: "race", mode: "2v2" });
    const won = name === "Cy" || name === "Dee";
    assert.ok(won ? rating > 1550 : rating < 1450, `${name} has ${rating}`);
  }
  say("the winners' ratings went up, the losers' down");
  seats.forEach(({ socket }) => void socket.disconnect());
  leaveAll(guests);
}

async function partyAndTwoAlone() {
  const [eve, kim] = [await guest("Eve"), await guest("Kim")];
  const duo = await party("Fay", "Gus");
  for (const first of [eve, duo[0], kim]) await enqueue(first, "2v2");
  const guests = [eve, kim, ...duo];
  const matched = await Promise.all(guests.map(({ hears }) => hears("matched")));
  const teams = matched.map(({ team }) => team);
  assert.equal(new Set(matched.map(({ room }) => room)).size, 1);
  assert.ok(teams[0] === teams[1] && teams[2] === teams[3] && teams[0] !== teams[2], `teams ${teams}`);
  say("a party of two plays two single players");
  leaveAll(guests);
}

async function declined() {
  const duo = await party("Hal", "Ivy");
  const [jo, lou, mia] = [await guest("Jo"), await guest("Lou"), await guest("Mia")];
  for (const first of [duo[0], jo, lou]) await enqueue(first, "checked");
  const asked = [...duo, jo, lou];
  const checks = await Promise.all(asked.map(({ hears }) => hears("ready_check")));
  const { check } = checks[0];
  assert.deepEqual(checks[3], { check, game: "race", mode: "checked", players: 4, seconds: 30 });
  await enqueue(mia, "checked");
  for (const { socket } of [...duo, jo]) await answer(socket, "accept", { check });
  assert.equal((await lou.hears("ready")).accepted, 1);
  await answer(lou.socket, "decline", { check });
  assert.deepEqual(await lou.hears("unready"), { check, reason: "declined", requeued: false });
  for (const { hears } of [...duo, jo])
    assert.deepEqual(await hears("unready"), { check, reason: "declined", requeued: true });
  assert.equal((await lou.ask("leave")).error.code, "not_queued");
  say("the player who declined has left the queue, and the others are back in it");

  // Mia, who queued later, makes them four again.
  const again = await Promise.all([...duo, jo, mia].map(({ hears }) => hears("ready_check")));
  for (const { socket } of [...duo, jo, mia]) await answer(socket, "accept", { check: again[0].check });
  const teams = (await Promise.all([...duo, jo, mia].map(({ hears }) => hears("matched")))).map(({ team }) => team);
  assert.ok(teams[0] === teams[1] && teams[2] === teams[3] && teams[0] !== teams[2], `teams ${teams}`);
  say("the party still plays on one side");
  leaveAll([...asked, mia]);
}
