// `@tickcast/client` whose line is dead for longer than the server lets ids rest, but not for longer than it keeps the seat.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

/** Ids rest for ten seconds. The arena keeps a seat for twenty. */
const AWAY_MS = 11_000;

main(async () => {
  const { connect } = await bundled();
  const wire = await Wire.to(new URL(url));
  const server = await connect(wire.url, { name: "Ada" });
  const room = await server.lobby.quick("arena");
  await until("the world is there", () => room.me("Pos") && room.view("Pos", "Seat").length > 1);
  const { id, seat } = room;
  const known = new Set([...room.entities].map((entity) => entity.id));
  const [gone, come, statuses] = [[], [], []];
  room.onDespawn((entity) => {
    if (come.length === 0) gone.push(entity.id);
  });
  room.onSpawn((entity) => come.push(entity.id));
  room.onStatus((status) => statuses.push(status));
  wire.close();
  await until("the line is dead", () => room.status === "reconnecting");
  // Entities that came before the line was dead count as known.
  for (const [list, change] of [
    [gone.splice(0), (id) => known.delete(id)],
    [come.splice(0), (id) => known.add(id)],
  ]) {
    for (const id of list) change(id);
  }
  await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  assert.deepEqual([gone, come], [[], []], "nothing is told while the line is dead");
  wire.open();
  await until("the room is there again", () => room.status === "playing" && come.length > 0);
  assert.deepEqual([room.id, room.seat, statuses.at(-1)], [id, seat, "playing"]);
  assert.deepEqual(new Set(gone), known, "all that was there is despawned first");
  const now = [...room.entities].map((entity) => entity.id);
  assert.ok(now.length > 0 && now.every((id) => come.includes(id)), "all that is there is spawned");
  const { tick } = room;
  await until("frames go on", () => room.tick > tick + room.hz);
  assert.equal(room.stats.resyncs, 0);
  await room.leave();
  say(`${gone.length} entities despawned, ${now.length} spawned`);
});
