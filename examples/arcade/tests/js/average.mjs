// Half a minute of arena in Chromium on an average line, as `conditions.json` says. With the module of the rules if the server has it,
// else with the view's own step. The console stays empty, no mirror is wrong, and no step fails.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Browser } from "./browser.mjs";
import { delayed } from "./delayed.mjs";
import { asset, main, say, until, url } from "./support.mjs";

const SECONDS = 30;
const conditions = JSON.parse(readFileSync(asset("sdk/src/conditions.json"), "utf8"));

main(async () => {
  const { status } = await fetch(new URL("/rules/arena.wasm", url), { method: "HEAD" });
  const source = status === 200 ? "module" : "function";
  const { round_trip_ms, jitter_ms, loss } = conditions.find(({ name }) => name === "average");
  const line = await delayed(url, round_trip_ms, { jitter: jitter_ms, loss });
  const browser = await Browser.start();
  const ada = await browser.visit("Ada", undefined, line);
  await ada.page.locator("[data-game=arena] button.primary").click();
  await ada.playing();
  await until(`the source of the steps is a ${source}`, () =>
    ada.page.evaluate((source) => window.tickcast.room.stats.prediction?.source === source, source),
  );
  await ada.page.mouse.move(900, 300);
  await ada.page.mouse.down();
  const { stats, faults, ticks, walked } = await ada.page.evaluate(play, SECONDS);
  const { prediction, resyncs, rtt } = stats;
  say(
    `${ticks} ticks with a ${source}, ${Math.round(rtt)} ms there and back, ${walked} units drawn: ${JSON.stringify(prediction)}`,
  );
  assert.deepEqual([ada.complaints, faults, resyncs], [[], [], 0]);
  assert.equal(prediction.source, source, "the rules have not failed");
  assert.ok(walked > SECONDS, `the avatar was drawn over ${walked} units`);
  assert.ok(prediction.error.p50 <= 1 / 16, `half of the predictions are off by ${prediction.error.p50} units`);
  await browser.close();
});

/** Runs in the page. Walks about for some seconds of the match, and returns what happened. */
async function play(seconds) {
  const { room } = window.tickcast;
  const faults = [];
  room.onFault((error) => faults.push(String(error)));
  room.onDesync((desync) => faults.push(desync));
  const send = (type, code) => window.dispatchEvent(new KeyboardEvent(type, { code, bubbles: true }));
  const begun = room.tick;
  let [held, last, walked] = [undefined, undefined, 0];
  while (room.status === "playing" && room.tick < begun + seconds * room.hz) {
    await new Promise(requestAnimationFrame);
    const code = ["KeyD", "KeyW", "KeyA", "KeyS"][Math.floor(room.tick / room.hz) % 4];
    if (code !== held) {
      if (held) send("keyup", held);
      send("keydown", code);
      held = code;
    }
    const { drawn } = window.tickcast.state() ?? {};
    if (drawn && last) walked += Math.min(1, Math.hypot(drawn.x - last.x, drawn.y - last.y));
    last = drawn;
  }
  if (held) send("keyup", held);
  return { stats: room.stats, faults, ticks: room.tick - begun, walked: Math.round(walked) };
}
