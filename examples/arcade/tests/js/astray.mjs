// A module whose rules differ from the server's by one constant, and the SDK in Node that finds it out by the corrections.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { delayed } from "./delayed.mjs";
import { faster, rules } from "./rules.mjs";
import { main, say, until, url } from "./support.mjs";

const SECONDS = 10;

main(async () => {
  const { connect } = await bundled();
  const module = await rules(url);
  const address = await delayed(url, 100);
  const [right, wrong] = await Promise.all(
    [module, faster(module, 1.1)].map(async (rules, k) => {
      const server = await connect(address, { name: ["Ada", "Eve"][k] });
      return walk(await server.lobby.create("arena"), rules);
    }),
  );
  say(
    `corrections in ${SECONDS} s: ${right.corrections} with the server's rules, ${wrong.corrections} with a speed 10% above`,
  );
  say(`error, p95: ${right.error.p95} and ${wrong.error.p95} units`);
  // The bots hit both of them now and then.
  assert.ok(wrong.corrections >= 30, "other rules are corrected all the time");
  assert.ok(3 * right.corrections < wrong.corrections, "the server's own rules are corrected after surprises alone");
});

/** Walks about in a room of its own, and returns how well the prediction did. */
async function walk(room, rules) {
  const faults = [];
  room.onFault((fault) => faults.push(fault));
  room.onDesync((desync) => faults.push(desync));
  await until("the avatar is there", () => room.me("Pos"));
  await room.predictWith(rules);
  await until("the module predicts", () => room.stats.prediction?.source === "module");
  const begun = room.tick;
  await until("the walk ends", () => {
    room.input({ dir: ["E", "N", "W", "S"][Math.floor((room.tick - begun) / room.hz) % 4] });
    return room.tick >= begun + SECONDS * room.hz;
  });
  assert.deepEqual(faults, []);
  return room.stats.prediction;
}
