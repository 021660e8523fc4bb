// The views of the lobby: Reload stays, Back leads to the one before, and a device without a network is told at once. The queue and the
// end of its match lead to the next one.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await history(ada);
  await offline(ada);
  await queue(ada);
  assert.deepEqual(ada.complaints, []);
  await browser.close();
});

const hash = ({ page }) => new URL(page.url()).hash;

async function history(ada) {
  const { page } = ada;
  const views = page.getByRole("navigation", { name: "Views" });
  await views.getByRole("link", { name: "Friends" }).click();
  await page.getByRole("heading", { name: "Party" }).waitFor();
  await views.getByRole("link", { name: "Ranks" }).click();
  const ranks = page.getByRole("region", { name: "Arena · 2 on 2" });
  await ranks.getByText("Nobody has played a rated match yet. Your rating is 1500.").waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Party" }).waitFor();
  await views.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Volume").fill("40");
  await page.reload();
  await page.getByLabel("Volume").waitFor();
  assert.equal(await page.getByLabel("Volume").inputValue(), "40");
  await page.goBack();
  await page.getByRole("heading", { name: "Party" }).waitFor();
  assert.equal(hash(ada), "#/friends");
  await page.goBack();
  await page.locator("article.card").first().waitFor();
  say("Reload stays in a view, and Back leads to the one before");

  // A match has the place of one view in the history.
  await views.getByRole("link", { name: "Friends" }).click();
  await views.getByRole("link", { name: "Play" }).click();
  await page.locator("[data-game=arena] button.primary").click();
  await ada.playing();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await page.locator("article.card").first().waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Party" }).waitFor();
  await page.goForward();
  await page.locator("article.card").first().waitFor();
  say("a match that was left is not in the way of Back");
}

async function offline(ada) {
  const alert = ada.page.getByRole("alert").getByText(/offline/);
  await ada.page.context().setOffline(true);
  await alert.waitFor();
  await ada.page.context().setOffline(false);
  await alert.waitFor({ state: "detached" });
  say("a device without a network is told at once");
}

async function queue(ada) {
  const { page } = ada;
  await page.getByRole("button", { name: /^2 on 2/ }).click();
  const bar = page.getByRole("region", { name: "Queue" });
  await bar.getByText("Place 1 · 1 player of 4 waits").waitFor();
  assert.equal(await page.getByLabel("Your name").isDisabled(), true, "another name would leave the queue");
  await bar.getByRole("button", { name: "Leave the queue" }).click();
  await bar.waitFor({ state: "detached" });
  const { connect } = await bundled();
  const bob = await connect(url, { name: "Bob" });
  const waits = () => bob.matchmaking.enqueue("arena", { mode: "default" });
  const theirs = waits();
  await page.getByRole("button", { name: "Free for all" }).click();
  await (await theirs).leave();
  await ada.playing();
  const { mode } = await page.evaluate(() => ({ mode: window.tickcast.room.mode }));
  assert.equal(mode, "default");
  const room = () => page.evaluate(() => window.tickcast.room?.id);
  // The end of a match, told by the page's own room.
  await page.evaluate(() => {
    const { room } = window.tickcast;
    window.first = room;
    const { handlers } = room[Symbol.for("tickcast.inner")];
    handlers.over({ reason: "finished", message: "", winners: [room.seat] });
  });
  const dialog = page.getByRole("dialog");
  await dialog.getByText("You win!").waitFor();
  const next = waits();
  await dialog.getByRole("button", { name: "Next match" }).click();
  // Another seat, perhaps in the same room: a public match that goes on takes who queues for its mode.
  await until("the next match", () => page.evaluate(() => ![window.first, undefined].includes(window.tickcast.room)));
  assert.equal((await next).id, await room());
  bob.close();
  say("the end of a match from a queue leads to the next one");
}
