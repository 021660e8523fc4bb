// The own avatar in Chromium at a round trip of 100 ms: with prediction it moves in the picture after a key, without it only after
// the round trip and the delay of the picture.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { delayed } from "./delayed.mjs";
import { main, say, until, url } from "./support.mjs";

const ROUND_TRIP = 100;
const KEYS = ["KeyD", "KeyW", "KeyA", "KeyS"];

main(async () => {
  const browser = await Browser.start();
  const address = await delayed(url, ROUND_TRIP);
  const predicted = await measure(browser, address);
  const plain = await measure(browser, `${address}?predict=off`);
  say(`pictures from the key to the own movement: ${predicted} with prediction, ${plain} without`);
  // Four of the six may be in the way of a wall, a shot, or a busy machine.
  assert.ok(predicted[1] <= 1, `with prediction ${predicted}`);
  assert.ok(Math.min(...plain) >= 5, `without prediction ${plain}`);
  await browser.close();
});

/** Returns after how many pictures the avatar moved, sorted, for some presses of keys. */
async function measure(browser, address) {
  const ada = await browser.visit("Ada", undefined, address);
  await ada.page.locator("article.card button.primary").click();
  await ada.playing();
  await until("the server's time is known", () => ada.page.evaluate(() => window.tickcast.room.stats.rtt > 0));
  const counts = [];
  for (let n = 0; counts.length < 6 && n < 30; n++) {
    const count = await ada.page.evaluate(press, KEYS[n % KEYS.length]);
    if (count !== undefined) counts.push(count);
  }
  assert.deepEqual(ada.complaints, []);
  const { prediction } = await ada.page.evaluate(() => window.tickcast.room.stats);
  say(`${address}: ${JSON.stringify(prediction)}`);
  await ada.close();
  return counts.sort((a, b) => a - b);
}

/** Runs in the page. Holds a key while the avatar stands, until it is drawn elsewhere. Returns the number of whole pictures before. */
async function press(code) {
  const picture = () => new Promise(requestAnimationFrame);
  const drawn = () => window.tickcast.state()?.drawn;
  const moved = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) > 1e-3;
  const send = (type) => window.dispatchEvent(new KeyboardEvent(type, { code, bubbles: true }));
  let still = 0;
  for (let last; still < 20; ) {
    await picture();
    const at = drawn();
    still = at && last && !moved(at, last) ? still + 1 : 0;
    last = at;
  }
  const from = drawn();
  const alive = () => window.tickcast.state()?.me?.hp > 0;
  if (!alive()) return undefined;
  send("keydown");
  let count;
  for (let n = 0; n < 60 && count === undefined; n++) {
    // This callback runs after the one in which the view draws, which was registered before.
    await picture();
    if (moved(drawn(), from)) count = n;
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  send("keyup");
  return alive() ? count : undefined;
}
