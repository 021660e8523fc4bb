// Wrong requests, connections and inputs are refused with stable codes, and the other seats are not affected.

import assert from "node:assert/strict";

import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, ask, main, next, refusedWith, say, until } from "./support.mjs";

const open = client();
const LONG = "x".repeat(5_000);

main(async () => {
  const lobby = open("/lobby", { name: "Ada" });
  await refuse(lobby, [
    ["nonsense", {}, "unknown_event"],
    ["quick", {}, "bad_request"],
    ["quick", "arena", "bad_request"],
    ["quick", { game: "arena", room: "x" }, "bad_request"],
    ["quick", { game: LONG }, "too_large"],
    ["quick", { game: "chess" }, "unknown_game"],
    ["join", { room: "nowhere" }, "unknown_room"],
    ["join", { code: "NONE" }, "unknown_code"],
    ["create", { game: "arena", config: { minutes: 0 } }, "bad_config"],
    ["create", { game: "arena", config: { gravity: 9.81 } }, "bad_config"],
  ]);
  await refuse(open("/"), [["nonsense", {}, "unknown_event"]]);
  await refuse(open("/matchmaking"), [
    ["leave", {}, "not_queued"],
    ["enqueue", { game: "chess" }, "unknown_game"],
  ]);
  for (const name of ["", "x".repeat(25), "line\nbreak"])
    assert.equal(await refusedWith(open("/lobby", { name })), "bad_name");
  assert.equal(await refusedWith(open("/lobby", { nmae: "Ada" })), "bad_request");
  for (const namespace of ["/lobby", "/matchmaking"])
    assert.equal(await refusedWith(open(namespace, { token: "forged" })), "bad_token");
  say("requests are refused with their codes");

  for (const [auth, code] of [
    [{}, "bad_request"],
    [{ ticket: 5 }, "bad_request"],
    [{ ticket: "forged" }, "bad_ticket"],
    [{ resume: "forged" }, "bad_resume"],
  ]) {
    assert.equal(await refusedWith(open("/gameplay", auth)), code);
  }
  say("connections are refused with their codes");
  await harass(lobby);
  await flood(lobby);
});

async function refuse(socket, requests) {
  for (const [event, argument, code] of requests) {
    const { ok, error } = await ask(socket, event, argument);
    assert.deepEqual([ok, error?.code], [false, code], `${event} ${JSON.stringify(argument).slice(0, 80)}`);
    assert.ok(error.message.length > 0);
  }
}

/** Sends garbage from one seat. Another seat in the same room must not be affected. */
async function harass(lobby) {
  const { room, ticket } = await answer(lobby, "create", { game: "arena" });
  const quiet = new Seat(open("/gameplay", { ticket }));
  const loud = new Seat(open("/gameplay", { ticket: (await answer(open("/lobby"), "join", { room })).ticket }));
  await Promise.all([quiet.seated(), loud.seated()]);
  const { socket } = loud;

  for (const [blob, code] of [
    [Buffer.from([0xc1]), "bad_input"],
    [Buffer.from("garbage"), "bad_input"],
    [Buffer.alloc(0), "bad_input"],
    ["no binary", "bad_request"],
  ]) {
    const { ok, error } = await ask(socket, "i", blob);
    assert.deepEqual([ok, error?.code], [false, code]);
  }
  await refusedAs(loud, "bad_input", () => socket.emit("i", Buffer.from([0xc1])));
  await refusedAs(loud, "input_too_early", () => loud.press({ tick: loud.mirror.tick + 1_000 }));
  await refusedAs(loud, "bad_ack", () => loud.press({ ack: (loud.mirror.tick + 30_000) % 65_536 }));
  assert.equal((await ask(socket, "nonsense", {})).error.code, "unknown_event");
  assert.deepEqual(quiet.refused, []);
  await Promise.all([loud.walk(), quiet.walk()]);
  say("a seat that sends garbage gets errors, and both seats play on");

  const { resume } = loud.welcome;
  const twin = new Seat(open("/gameplay", { resume }));
  await until("the older connection is replaced", () => loud.over?.reason === "replaced");
  await twin.seated();
  assert.equal(twin.welcome.seat, loud.welcome.seat);
  // Until its client is heard, `welcome` with the next token may have been lost.
  await twin.walk();
  assert.equal(await refusedWith(open("/gameplay", { resume })), "bad_resume");
  say("a resume replaces the connection, and its token is valid until the client is heard");
}

async function refusedAs(seat, code, act) {
  const told = next(seat.socket, "refused");
  act();
  const refused = await told;
  assert.equal(refused.code, code);
  assert.ok(refused.count >= 1 && refused.message.length > 0);
}

/** Runs last, because it uses up the request allowance of the connection. */
async function flood(lobby) {
  const said = await Promise.all(Array.from({ length: 60 }, () => ask(lobby, "games")));
  const codes = new Set(said.map(({ ok, error }) => (ok ? "ok" : error.code)));
  assert.deepEqual([...codes].sort(), ["ok", "rate_limited"]);
  await until("requests are allowed again", async () => (await ask(lobby, "games")).ok);
  say("a flood of requests is limited");
}
