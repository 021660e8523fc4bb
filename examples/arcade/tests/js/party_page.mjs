// Friends on the page: a party by its link, its chat, a queue with a ready check, and one match for all. And somebody who is muted.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

main(async () => {
  const { connect } = await bundled();
  const other = (name) => connect(url, { name });
  const browser = await Browser.start();
  const [ada, bob] = await gather(browser);
  await chat(ada, bob);
  await muting(ada, await other("Troll"));
  await play(ada, bob, await Promise.all(["Eve", "Kim", "Gus"].map(other)));
  await privateRoom(ada, bob);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await browser.close();
});

const link = ({ page }, name) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
const members = ({ page }) => page.getByRole("list", { name: "Members of your party" }).locator("li");

/** Ada creates a party, and Bob opens its link. */
async function gather(browser) {
  const ada = await browser.visit("Ada");
  await link(ada, "Friends");
  await ada.page.getByRole("button", { name: "Create a party" }).click();
  const address = await ada.page.getByLabel("Link: Join my party").inputValue();
  await ada.page.getByRole("img", { name: "QR code: Join my party" }).waitFor();
  const bob = await browser.visit("Bob");
  await bob.page.goto(address);
  for (const one of [ada, bob]) {
    await until("both see both", async () => (await members(one).count()) === 2).catch(async (error) => {
      throw new Error(`${error.message}. The page of ${one.name} shows: ${await one.page.innerText("body")}`);
    });
  }
  assert.equal(new URL(bob.page.url()).hash, "#/friends");
  await bob.page.getByRole("button", { name: "I am ready" }).click();
  await members(ada).filter({ hasText: "Bob" }).getByText("ready", { exact: true }).waitFor();
  await ada.picture("party");
  say("a link leads into a party, whose members see who is ready");
  return [ada, bob];
}

/** A message of Ada is unread until Bob looks at it. */
async function chat(ada, bob) {
  await link(ada, "Chat");
  await ada.page.getByRole("link", { name: "Party" }).click();
  await ada.page.getByLabel("Message to Party").fill("Shall we?");
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("log").getByText("Shall we?").waitFor();
  await bob.page.getByRole("link", { name: "Chat 1 unread message" }).click();
  await bob.page.getByRole("link", { name: "Party 1 unread message" }).click();
  await bob.page.getByRole("log").getByText("Shall we?").waitFor();
  await bob.page.getByRole("link", { name: "Chat", exact: true }).waitFor();
  await ada.picture("chat");
  // A line to one person alone.
  await bob.page.getByRole("log").getByRole("link", { name: "Ada" }).click();
  await bob.page.getByLabel("Message to Ada").fill("Only for you");
  await bob.page.keyboard.press("Enter");
  await ada.page.getByRole("link", { name: "Bob 1 unread message" }).click();
  await ada.page.getByRole("log").getByText("Only for you").waitFor();
  await ada.picture("chat-private");
  say("messages are unread until somebody looks at them");
}

/** Somebody who is muted is not heard, and is heard again when that ends. */
async function muting(ada, troll) {
  const { page } = ada;
  await page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: "Lobby" }).click();
  const heard = (text) => page.getByRole("log").getByText(text);
  await troll.lobby.chat.say("lobby", "First");
  await heard("First").waitFor();
  await link(ada, "Friends");
  await page.getByRole("button", { name: "Mute Troll" }).click();
  await page.getByRole("button", { name: "Unmute Troll" }).waitFor();
  await troll.lobby.chat.say("lobby", "Second");
  await link(ada, "Chat");
  await page.getByLabel("Message to Lobby").fill("Peace");
  await page.keyboard.press("Enter");
  await heard("Peace").waitFor();
  assert.equal(await heard("First").count(), 0);
  assert.equal(await heard("Second").count(), 0);
  await link(ada, "Friends");
  await page.getByRole("button", { name: "Unmute Troll" }).click();
  await troll.lobby.chat.say("lobby", "Third");
  await link(ada, "Chat");
  await heard("Third").waitFor();
  troll.close();
  say("somebody who is muted is not heard");
}

/** The leader queues for both. The first check fails, because Eve declines, and the second one starts the match. */
async function play(ada, bob, [eve, kim, gus]) {
  await link(ada, "Friends");
  assert.ok(
    await bob.page
      .getByRole("button", { name: /2 on 2/ })
      .isDisabled()
      .catch(() => true),
  );
  await ada.page.getByRole("button", { name: /^2 on 2/ }).click();
  await bob.page.getByRole("region", { name: "Queue" }).getByText("with your party").waitFor();
  await ada.page.getByText(/Place 1/).waitFor();
  await ada.picture("queue");
  const declined = eve.matchmaking
    .enqueue("arena", { mode: "2v2", onReadyCheck: () => false })
    .catch(({ code }) => code);
  const kims = kim.matchmaking.enqueue("arena", { mode: "2v2" });
  await accept(ada, bob);
  assert.equal(await declined, "unready");
  await ada.page.getByText("You are back in the queue").waitFor();
  say("who was ready waits again after somebody has declined");

  const guss = gus.matchmaking.enqueue("arena", { mode: "2v2" });
  await accept(ada, bob);
  const seats = await Promise.all([ada, bob].map((one) => one.playing()));
  const rooms = await Promise.all(
    [ada, bob].map(({ page }) =>
      page.evaluate(() => ({ id: window.tickcast.room.id, team: window.tickcast.room.team })),
    ),
  );
  assert.deepEqual(rooms[0], rooms[1]);
  assert.notEqual(seats[0].seat, seats[1].seat);
  const others = await Promise.all([kims, guss]);
  assert.ok(others.every(({ id }) => id === rooms[0].id));
  for (const one of [eve, kim, gus]) one.close();
  say("a party of two plays in one team, by the page alone");
}

/** The leader opens a private room, and the others join it with a click. */
async function privateRoom(ada, bob) {
  for (const { page } of [ada, bob]) {
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
  }
  await link(ada, "Friends");
  await ada.page.getByText("Or open a private room for the party").click();
  await ada.page.getByRole("button", { name: "Open a private Arena room" }).click();
  await ada.playing();
  await bob.page.getByText("Ada has opened a private room for the party.").waitFor();
  await bob.picture("called");
  await bob.page.getByRole("button", { name: "Join the room" }).click();
  await bob.playing();
  const codes = await Promise.all([ada, bob].map(({ page }) => page.evaluate(() => window.tickcast.room.code)));
  assert.equal(codes[0], codes[1]);
  say("a private room of the leader calls the party");
}

/** Both see the ready check with the time that is left, and accept it. */
async function accept(...visitors) {
  for (const one of visitors) {
    const dialog = one.page.getByRole("dialog");
    await dialog.getByText("Match found").waitFor();
    assert.match(await dialog.getByRole("timer").innerText(), /^0:\d\d$/);
    await one.picture("ready");
    await dialog.getByRole("button", { name: "Ready" }).click();
  }
}
