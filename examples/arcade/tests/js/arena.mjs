// The bundled mode `2v2` of arena with the SDK: a party of two plays against two single players, after a ready check.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

main(async () => {
  const { connect } = await bundled();
  const [eve, fay, gus, kim] = await Promise.all(["Eve", "Fay", "Gus", "Kim"].map((name) => connect(url, { name })));
  const { code } = await fay.lobby.party.create();
  await gus.lobby.party.join(code);
  const ready = [];
  const options = { mode: "2v2", onReadyCheck: ({ mode, players }) => ready.push([mode, players]) > 0 };
  const waiting = gus.matchmaking.follow(options);
  // Gus may still be connecting, and the party does not queue without him.
  const unlessAbsent = (error) => assert.equal(error.code, "party_absent");
  const enqueue = ({ matchmaking }) =>
    until("the party is complete", () => matchmaking.enqueue("arena", options).catch(unlessAbsent));
  const rooms = await Promise.all([eve, fay, kim].map(enqueue));
  rooms.push(await waiting);
  assert.deepEqual(ready, Array(4).fill(["2v2", 4]), "every player got the ready check");
  assert.equal(new Set(rooms.map(({ id }) => id)).size, 1);
  const sides = await Promise.all(rooms.map((room) => until("the avatar is there", () => room.me("Side")?.Side)));
  const [eves, fays, kims, gus_] = sides;
  assert.ok(fays === gus_ && eves === kims && fays !== eves, `sides ${sides}`);
  assert.ok(
    rooms[0].seats.every(({ status }) => status === "playing"),
    "no bots among four people",
  );
  say(`the party plays on side ${fays}, against two single players`);
});
