// The page below a prefix, in Chromium: one click, and a match. Its guest is kept for this path alone.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say, url } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.locator("[data-game=arena] button", { hasText: "Play" }).click();
  await ada.playing();
  say("one click, and Ada plays");
  const stored = await ada.page.evaluate(() => Object.keys(localStorage).sort());
  const { origin, pathname } = new URL(url);
  assert.deepEqual(stored, [`tickcast.name:${pathname}`, `tickcast:guest:${origin}${pathname.slice(0, -1)}`]);
  assert.deepEqual(ada.complaints, []);
  await browser.close();
});
