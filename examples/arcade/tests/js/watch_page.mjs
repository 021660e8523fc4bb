// Watching a match from the list of rooms: a reload goes on watching, Back asks, and a seat can be taken.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

main(async () => {
  const { connect } = await bundled();
  const host = await connect(url, { name: "Host" });
  const played = await host.lobby.quick("arena");
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.getByRole("button", { name: /^Watch Arena/ }).click();
  await watches(ada, played.id);
  assert.equal(await ada.page.locator(".arena-hp").isVisible(), false, "who watches has no health");
  await ada.picture("watch");
  await ada.page.reload();
  await watches(ada, played.id);
  say("a reload goes on watching");

  await ada.page.goBack();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByText("Leave the match?").waitFor();
  await dialog.getByRole("button", { name: "Keep playing" }).click();
  await watches(ada, played.id);
  await ada.page.goBack();
  await dialog.waitFor();
  await ada.page.goBack();
  await ada.page.locator("article.card").first().waitFor();
  assert.equal(await ada.page.evaluate(() => window.tickcast.room), undefined);
  say("Back asks, and leaves for who goes back again");

  await ada.page.getByRole("button", { name: /^Watch Arena/ }).click();
  await watches(ada, played.id);
  await ada.page.getByRole("button", { name: "Take a seat" }).click();
  await ada.playing();
  assert.equal(await ada.page.evaluate(() => window.tickcast.room.id), played.id);
  assert.equal(new URL(ada.page.url()).hash, "");
  await ada.page.reload();
  await ada.playing();
  assert.equal(await ada.page.evaluate(() => window.tickcast.room.id), played.id);
  say("who watches can take a seat, and keeps it over a reload");
  await privateRoom(await browser.visit("Bob"), await host.lobby.create("arena", { private: true }));
  assert.deepEqual(ada.complaints, []);
  await browser.close();
  host.close();
});

/** A private room is watched by its code, and a reload does not take a seat there. */
async function privateRoom({ page, complaints }, { id, code }) {
  await page.getByLabel("Code of a private room").fill(code.toLowerCase());
  await page.getByRole("button", { name: "Watch", exact: true }).click();
  await watches({ page }, id);
  await page.reload();
  await watches({ page }, id);
  await page.getByRole("button", { name: "Take a seat" }).click();
  await until("Bob plays", () => page.evaluate(() => window.tickcast.state()?.me !== undefined));
  assert.equal(new URL(page.url()).hash.toUpperCase(), `#${code}`);
  assert.deepEqual(complaints, []);
  say("a private room is watched by its code");
}

/** Waits until a visitor watches a room, and sees avatars there. */
async function watches({ page }, id) {
  await page.getByRole("region", { name: "Watching" }).waitFor();
  await until("the match is seen", async () => {
    const { room, entities } = await page.evaluate(() => ({
      room: window.tickcast.room?.spectating && window.tickcast.room.id,
      entities: window.tickcast.state()?.entities,
    }));
    return room === id && entities > 1;
  });
}
