// Ways back into a match: another round in a private room, the same seat in another window, and a reload of the page. And the
// link to a private room.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { guest } from "./guests.mjs";
import { answer, main, say, until } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  await playAgain(browser);
  await otherWindow(browser);
  await reload(browser);
  await shareLink(browser);
  await browser.close();
});

/** Waits until a visitor plays, and returns the room and the seat. */
async function place(visitor) {
  const { seat } = await visitor.playing();
  return { seat, room: await visitor.page.evaluate(() => window.tickcast.room.id) };
}

/** Ada holds the trigger when the match ends. Her page must not start another one. */
async function playAgain(browser) {
  const host = await guest("Cy");
  const { code } = await answer(host.lobby, "create", { game: "arena", config: { frag_limit: 1 }, private: true });
  const [ada, bob] = [await browser.open("Ada"), await browser.open("Bob")];
  for (const { page } of [ada, bob]) {
    await page.locator("article.card").first().waitFor();
    await page.goto("about:blank");
  }
  await Promise.all([ada, bob].map((visitor) => visitor.goto(`#${code}`)));
  const first = await Promise.all([ada, bob].map(place));
  assert.equal(first[0].room, first[1].room);
  await ada.page.keyboard.down("Space");
  const dialogs = [ada, bob].map(({ page }) => page.getByRole("dialog"));
  await Promise.all(dialogs.map((dialog) => dialog.getByRole("button", { name: "Play again" }).waitFor()));
  // Again: the system repeats a key that is held.
  await ada.page.keyboard.down("Space");
  await ada.page.keyboard.up("Space");
  await ada.page.waitForTimeout(1_000);
  assert.equal((await ada.state()).status, "over");
  say("a trigger that is held at the end of a match starts no other one");

  const scores = await dialogs[0].getByRole("list", { name: "Final scores" }).locator("li").allInnerTexts();
  assert.ok(scores.length >= 4 && /\n1$/.test(scores[0]), `the final scores are ${scores}`);
  assert.equal(await covered(ada), undefined);
  await ada.picture("scores");
  say(`the end of a match shows ${scores.length} scores`);

  await Promise.all(dialogs.map((dialog) => dialog.getByRole("button", { name: "Play again" }).click()));
  const second = await until("both play again", async () => {
    const places = await Promise.all([ada, bob].map(place));
    return places.every(({ room }) => room !== first[0].room) && places;
  });
  assert.equal(second[0].room, second[1].room);
  assert.equal(new URL(ada.page.url()).hash, `#${code}`);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  for (const one of [ada, bob]) await one.close();
  host.go();
  say("friends who play again meet in another private room with the same code");
}

/** Returns the first score that something else covers. */
function covered({ page }) {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll("dialog li")];
    return rows.find((row) => {
      const { left, top, width, height } = row.getBoundingClientRect();
      return !row.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    })?.innerText;
  });
}

async function otherWindow(browser) {
  const here = await browser.visit("Dee");
  await here.page.locator("[data-game=arena] button.primary").click();
  const first = await place(here);
  const there = await here.otherWindow();
  await there.page.locator("[data-game=arena] button.primary").click();
  assert.deepEqual(await place(there), first);
  const dialog = here.page.getByRole("dialog");
  await dialog.getByText("You are playing in another window").waitFor();
  assert.equal(await dialog.getByText("has ended").count(), 0);
  await here.picture("other-window");
  await dialog.getByRole("button", { name: "Play here" }).click();
  assert.deepEqual(await place(here), first);
  await there.page.getByRole("dialog").getByText("You are playing in another window").waitFor();
  await here.close();
  say("a match that goes on in another window can be taken back");
}

async function reload(browser) {
  const eve = await browser.visit("Eve");
  await eve.page.locator("[data-game=arena] button.primary").click();
  const before = await place(eve);
  await eve.page.reload();
  assert.deepEqual(await place(eve), before);
  say("a reload of the page returns to the same seat");

  await eve.page.keyboard.press("Escape");
  await eve.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await eve.page.locator("article.card").first().waitFor();
  await eve.page.reload();
  await eve.page.locator("article.card").first().waitFor();
  assert.equal(await eve.state(), undefined);
  await eve.close();
  say("a reload in the lobby stays in the lobby");
}

/** Opens the invitation, copies its link, and returns the link and what the page says about it. */
async function copyLink({ page }) {
  await page.getByRole("button", { name: /^Code / }).click();
  const dialog = page.getByRole("dialog");
  const link = await dialog.getByLabel("Link: Play with me").inputValue();
  await dialog.getByRole("img", { name: /^QR code/ }).waitFor();
  await dialog.getByRole("button", { name: "Copy the link" }).click();
  const said = dialog.getByRole("status").filter({ hasText: /link/i });
  await said.waitFor();
  return { link, said: await said.innerText() };
}

async function shareLink(browser) {
  const open = async (script) => {
    const visitor = await browser.open("Fay", script);
    await visitor.page.getByRole("button", { name: "Open a private Arena room" }).click();
    await visitor.playing();
    return visitor;
  };
  // On plain http there is no `navigator.clipboard`.
  const plain = await open(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await plain.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copied = await copyLink(plain);
  assert.deepEqual(copied, { link: plain.page.url(), said: "Link copied" });
  await plain.page.getByRole("button", { name: "Back to the match" }).click();
  await plain.page.getByRole("dialog").waitFor({ state: "detached" });
  await plain.close();

  const without = await open(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.execCommand = () => false;
  });
  const { said } = await copyLink(without);
  assert.match(said, /^Copy the link above by hand/);
  await without.picture("link");
  await without.close();
  say("the page says that a link was copied only if it was");
}
