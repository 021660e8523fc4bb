// Swarm on the page: a cell eats, grows and splits among bots, by mouse and keys, and on a phone by touch.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say, until } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.locator("[data-game=swarm] button.primary").click();
  await ada.playing();
  await ada.page.evaluate(() => {
    window.desyncs = 0;
    window.tickcast.room.onDesync(() => window.desyncs++);
  });
  await crumbs(ada);
  await graze(ada);
  await split(ada);
  await watched(browser, ada);
  assert.deepEqual([ada.complaints, await ada.page.evaluate(() => window.desyncs)], [[], 0]);
  await browser.close();
});

const swarm = ({ page }) => page.evaluate(() => window.tickcast.state());

/** Dozens of crumbs are in the picture, also in a corner of the world. */
async function crumbs(ada) {
  await until("crumbs are in the picture", async () => (await swarm(ada)).inView >= 30);
  say("a picture has the crumbs around the cell");
}

/** The mouse leads the cell around until it has grown. */
async function graze(ada) {
  const { width, height } = ada.page.viewportSize();
  await until("the cell grows, or its player comes back", async () => {
    // A wide circle, once in 15 seconds.
    const turn = performance.now() / 2400;
    await ada.page.mouse.move(width / 2 + 200 * Math.cos(turn), height / 2 + 200 * Math.sin(turn));
    return ((await swarm(ada)).me?.mass ?? 0) >= 44;
  });
  await ada.picture("swarm");
  say("a cell that goes over crumbs grows");
}

/** Space splits a cell that is large enough. */
async function split(ada) {
  await ada.page.keyboard.down("KeyD");
  await until("the cell has split", async () => {
    const { me } = await swarm(ada);
    if ((me?.cells ?? 0) > 1) return true;
    await ada.page.keyboard.press("Space");
    await ada.page.waitForTimeout(100);
    return false;
  });
  await ada.page.keyboard.up("KeyD");
  await ada.picture("swarm-split");
  say("Space splits it");
}

/** Somebody else watches the match on a phone. */
async function watched(browser, ada) {
  const { id } = await ada.page.evaluate(() => ({ id: window.tickcast.room.id }));
  const eve = await browser.visit("Eve");
  await eve.page.setViewportSize({ width: 390, height: 844 });
  await eve.page.goto(`${new URL(eve.page.url()).origin}/#/watch/${id}`);
  await until("who watches sees cells", async () => ((await swarm(eve))?.inView ?? 0) > 0);
  await eve.picture("swarm-watched");
  assert.deepEqual(eve.complaints, []);
  say("who watches sees the largest cell");
}
