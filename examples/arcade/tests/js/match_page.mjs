// A match on the page: scores while Tab is held, chat on Enter, other keys, a vote, and Back.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

main(async () => {
  const { connect } = await bundled();
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.getByRole("button", { name: "Open a private Arena room" }).click();
  await ada.playing();
  const { code } = await ada.page.evaluate(() => ({ code: window.tickcast.room.code }));
  const bob = await browser.visit("Bob");
  await bob.page.goto(ada.page.url());
  await bob.playing();
  await scores(ada);
  await chat(ada, bob);
  await keys(ada);
  await vote(ada, bob, await (await connect(url, { name: "Cy" })).lobby.joinCode(code));
  await back(ada);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await browser.close();
});

async function scores(ada) {
  const { page } = ada;
  const board = page.getByRole("region", { name: "Scoreboard" });
  await page.keyboard.down("Tab");
  await board.getByRole("list", { name: "Scores" }).getByText("Ada").waitFor();
  await ada.picture("scoreboard");
  // Longer than a press that moves the focus.
  await page.waitForTimeout(400);
  await page.keyboard.up("Tab");
  await board.waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.className), "stage", "the match has the keys again");
  say("the scores are shown while Tab is held");
}

async function chat(ada, bob) {
  await ada.page.keyboard.press("Enter");
  const line = ada.page.getByLabel("Message to Room");
  await line.waitFor();
  await until("the line has the focus", () => line.evaluate((node) => node === document.activeElement));
  await ada.page.keyboard.type("wad here");
  await ada.page.keyboard.press("Enter");
  await bob.page.getByRole("list", { name: "Room chat" }).getByText("wad here").waitFor();
  await line.waitFor({ state: "detached" });
  await bob.page.getByRole("button", { name: /^Chat 1 unread/ }).click();
  await bob.page.getByRole("log").getByText("wad here").waitFor();
  await bob.picture("match-chat");
  await bob.page.keyboard.press("Escape");
  await bob.page.getByRole("log").waitFor({ state: "detached" });
  assert.equal(await bob.page.getByRole("dialog").count(), 0, "Escape closes the chat and asks nothing");
  say("Enter opens the chat of the match");
}

/** The key L walks to the right instead of D. */
async function keys(ada) {
  const { page } = ada;
  await page.getByRole("button", { name: "Menu" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Walk right: D" }).click();
  await page.keyboard.press("l");
  await dialog.getByRole("button", { name: "Walk right: L" }).waitFor();
  await dialog.getByRole("button", { name: "Walk left: A" }).click();
  await page.keyboard.press("i");
  await dialog.getByText("The page needs this key itself.").waitFor();
  await ada.picture("menu");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.evaluate(() => {
    const { room } = window.tickcast;
    const send = room.input.bind(room);
    room.input = (input) => {
      window.lastInput = input;
      send(input);
    };
  });
  const sends = (dir) =>
    until(`the view sends ${dir}`, async () => (await page.evaluate(() => window.lastInput?.dir)) === dir);
  await page.keyboard.down("l");
  await sends("E");
  await page.keyboard.up("l");
  await sends("None");
  await page.keyboard.down("d");
  await page.keyboard.down("w");
  await sends("N");
  await page.keyboard.up("w");
  await page.keyboard.up("d");
  await page.reload();
  await ada.playing();
  const stored = await page.evaluate(() => JSON.parse(localStorage.getItem("tickcast.choices")).keys.arena);
  assert.deepEqual(stored, { right: "KeyL" });
  say("a key can be changed, and the choice is remembered");
}

async function vote(ada, bob, cy) {
  const { page } = ada;
  await page.getByRole("button", { name: "Menu" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Vote to remove Cy" }).click();
  await dialog.getByText("You have voted to remove Cy.").waitFor();
  await bob.page.getByText("Vote to remove Cy: 1 of 2.").waitFor();
  await bob.picture("vote");
  const over = new Promise((resolve) => cy.onOver(resolve));
  await bob.page.keyboard.press("v");
  assert.equal((await over).reason, "kicked");
  await bob.page.getByText("The vote has removed Cy.").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  say("a vote removes a player");
}

async function back(ada) {
  await ada.page.goBack();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await ada.page.locator("article.card").first().waitFor();
  assert.equal(new URL(ada.page.url()).hash, "");
  say("Back asks before it leaves");
}
