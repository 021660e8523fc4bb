// The own avatar in Chromium at a round trip of 100 ms: with prediction it moves and shoots in the picture after a key, without it
// only after the round trip and the delay of the picture.

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
  const counts = (presses) => presses.map(({ count }) => count).sort((a, b) => a - b);
  for (const [what, made] of [
    ["movement", ({ presses }) => presses],
    ["shot", ({ shots }) => shots],
  ]) {
    const [ahead, behind] = [made(predicted), made(plain)];
    say(`pictures from the key to the own ${what}: ${counts(ahead)} with prediction, ${counts(behind)} without`);
    // A wall or a shot of another may be in the way of two.
    assert.ok(counts(ahead)[3] <= 1, `with prediction, the picture after the key has the ${what}`);
    assert.ok(
      behind.every(({ told }) => told),
      `without prediction, the server tells of the ${what} first`,
    );
  }
  assert.ok(
    predicted.shots.filter(({ told }) => !told).length > 3,
    "with prediction, shots are drawn before the server tells of them",
  );
  await browser.close();
});

/** Returns for some presses of keys after how many pictures the avatar moved or shot, and whether the server had told of it by then. */
async function measure(browser, address) {
  const ada = await browser.visit("Ada", undefined, address);
  await ada.page.locator("[data-game=arena] button.primary").click();
  await ada.playing();
  await until("the server's time is known", () => ada.page.evaluate(() => window.tickcast.room.stats.rtt > 0));
  const [presses, shots] = [[], []];
  for (let n = 0; presses.length < 6 && n < 30; n++) {
    const made = await ada.page.evaluate(press, KEYS[n % KEYS.length]);
    if (made) presses.push(made);
  }
  assert.equal(presses.length, 6, "the avatar moves");
  for (let n = 0; shots.length < 6 && n < 30; n++) {
    const made = await ada.page.evaluate(shoot);
    if (made) shots.push(made);
  }
  assert.equal(shots.length, 6, "the avatar shoots");
  assert.deepEqual(ada.complaints, []);
  const { prediction } = await ada.page.evaluate(() => window.tickcast.room.stats);
  say(`${address}: ${JSON.stringify(prediction)}`);
  await ada.close();
  return { presses, shots };
}

/** Runs in the page. Holds a key while the avatar stands, until it is drawn elsewhere. `undefined` if it falls or does not move. */
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
  const newest = () => window.tickcast.state()?.me;
  const before = newest();
  if (!(before?.hp > 0)) return undefined;
  send("keydown");
  let made;
  for (let count = 0; count < 60 && !made; count++) {
    // This callback runs after the one in which the view draws, which was registered before.
    await picture();
    if (moved(drawn(), from)) made = { count, told: moved(newest(), before) };
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  send("keyup");
  return newest()?.hp > 0 ? made : undefined;
}

/** Runs in the page. Presses the trigger when no own shot flies, until one is drawn. `undefined` if the avatar falls. */
async function shoot() {
  const picture = () => new Promise(requestAnimationFrame);
  const { room } = window.tickcast;
  const drawn = () => window.tickcast.state().fired;
  const told = () => [...room.entities].some(({ Seat, Shot }) => Shot && Seat === room.seat);
  const send = (type) => window.dispatchEvent(new KeyboardEvent(type, { code: "Space", bubbles: true }));
  const isSafe = () => room.me("Shield")?.Shield.until > room.tick;
  // The pause of the gun is over, and so are a reload and the protection after a spawn.
  for (let calm = 0; calm < 20; calm++) {
    await picture();
    if (told() || isSafe() || !(room.me("Ammo")?.Ammo > 0) || !(window.tickcast.state().me?.hp > 0)) calm = 0;
  }
  const before = drawn();
  let isTold = false;
  const stop = room.onSpawn(({ Seat, Shot }) => {
    if (Shot && Seat === room.seat) isTold = true;
  });
  send("keydown");
  let made;
  for (let count = 0; count < 60 && !made; count++) {
    await picture();
    if (drawn() > before) made = { count, told: isTold };
  }
  send("keyup");
  stop();
  return window.tickcast.state().me?.hp > 0 ? made : undefined;
}
