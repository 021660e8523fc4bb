// Names and clicks in the lobby: a click that comes with a new name, a click while the list changes, and names that the server
// refuses.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { guest } from "./guests.mjs";
import { answer, main, say, until } from "./support.mjs";

const PLAY = "[data-game=arena] button.primary";
const JOIN = ".rooms li button";

main(async () => {
  const browser = await Browser.start();
  await nameAndPlay(browser);
  await joinWhileTheListChanges(browser);
  await refusedName(browser);
  await refusedStoredName(browser);
  await browser.close();
});

/** Presses a button, waits for something to happen, and only then lets go. */
async function clickSlowly({ page }, selector, meanwhile) {
  const button = page.locator(selector).first();
  await button.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await button.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await meanwhile();
  await page.mouse.up();
}

const session = ({ page }) => page.evaluate(() => window.tickcast?.server?.session?.name);

async function nameAndPlay(browser) {
  const ada = await browser.visit("Ada");
  await ada.page.getByLabel("Your name").fill("Zoe");
  await clickSlowly(ada, PLAY, () => until("the server knows Zoe", async () => (await session(ada)) === "Zoe"));
  await ada.playing();
  assert.deepEqual([await ada.names(), ada.complaints], [["Zoe"], []]);
  await ada.close();
  say("a click on Play right after typing a name starts a match under that name");
}

async function joinWhileTheListChanges(browser) {
  const [ada, host] = [await browser.visit("Ada"), await guest("Cy")];
  const rooms = () => ada.page.locator(JOIN).count();
  await answer(host.lobby, "create", { game: "arena" });
  const before = await until("a room is listed", async () => (await rooms()) || undefined);
  await clickSlowly(ada, JOIN, async () => {
    await answer(host.lobby, "create", { game: "arena" });
    await until("another room is listed", async () => (await rooms()) > before);
  });
  await ada.playing();
  await ada.close();
  host.go();
  say("a click on Join counts although the list changes meanwhile");
}

async function refusedName(browser) {
  const ada = await browser.visit("Ada");
  const name = ada.page.getByLabel("Your name");
  await name.fill("Bot 3");
  await ada.page.locator(PLAY).click();
  await ada.page.getByRole("status").getByText("Your name is still Ada.").waitFor();
  assert.deepEqual([await name.inputValue(), await ada.state()], ["Ada", undefined]);
  await ada.picture("refused-name");
  await ada.page.reload();
  await until("Ada is back", async () => (await session(ada)) === "Ada");
  assert.equal(await name.inputValue(), "Ada", "the refused name was not saved");
  await ada.page.locator(PLAY).click();
  await ada.playing();
  assert.deepEqual(await ada.names(), ["Ada"]);
  await ada.close();
  say("a name that the server refuses is not kept, and the player goes on under the old one");
}

async function refusedStoredName(browser) {
  const eve = await browser.open("Eve", () => localStorage.setItem("tickcast.name", "Bot 3"));
  await eve.page.getByRole("status").getByText("You need another name.").waitFor();
  await eve.page.locator(PLAY).click();
  await eve.playing();
  assert.deepEqual(eve.complaints, []);
  await eve.close();
  say("a stored name that the server refuses does not lock the player out");
}
