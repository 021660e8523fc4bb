// Keys and buttons of the mouse in a match: what is let go stops, the focus does not matter, and nobody leaves by accident.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say, until } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.locator("[data-game=arena] button.primary").click();
  await ada.playing();
  await ada.page.mouse.move(640, 500);
  await ada.page.evaluate(watchInputs);
  await modifiers(ada);
  await mouseButtons(ada);
  await focusedButton(ada);
  await escapeAsks(ada);
  assert.deepEqual(ada.complaints, []);
  await browser.close();
});

/** Runs in the page. Keeps the last input that the view has sent. */
function watchInputs() {
  const { room } = window.tickcast;
  const send = room.input.bind(room);
  room.input = (input) => {
    window.lastInput = input;
    send(input);
  };
}

/** Waits until the view sends such an input. */
function sends({ page }, what, wanted) {
  return until(what, async () => {
    const input = await page.evaluate(() => window.lastInput);
    return input && Object.entries(wanted).every(([field, value]) => input[field] === value);
  });
}

async function modifiers(ada) {
  const { keyboard } = ada.page;
  for (const key of ["Control", "Alt", "Shift"]) {
    await keyboard.down("KeyW");
    await sends(ada, "W walks north", { dir: "N" });
    await keyboard.down(key);
    await keyboard.up("KeyW");
    await keyboard.up(key);
    await sends(ada, `nothing is held after W went up while ${key} was held`, { dir: "None" });
  }
  say("a key that goes up while Control is held is up");
}

async function mouseButtons(ada) {
  const { mouse } = ada.page;
  await mouse.down();
  await sends(ada, "the left button shoots", { fire: true });
  await mouse.down({ button: "right" });
  await mouse.up();
  await sends(ada, "the left button is up while the right one is held", { fire: false });
  await mouse.up({ button: "right" });
  say("a button of the mouse that goes up while another is held is up");
}

async function focusedButton(ada) {
  const { keyboard } = ada.page;
  await keyboard.press("Tab");
  assert.equal(await ada.page.evaluate(() => document.activeElement.className), "leave");
  await keyboard.down("KeyD");
  await keyboard.down("Space");
  await sends(ada, "keys play while a button has the focus", { dir: "E", fire: true });
  await keyboard.up("Space");
  await keyboard.up("KeyD");
  await sends(ada, "no key is held any more", { dir: "None", fire: false });
  assert.equal(await ada.page.getByRole("dialog").count(), 0);
  await ada.playing();
  say("Tab and then Space shoots, and does not leave");
}

async function escapeAsks(ada) {
  const { keyboard } = ada.page;
  const dialog = ada.page.getByRole("dialog");
  await keyboard.down("KeyA");
  await sends(ada, "A walks west", { dir: "W" });
  await keyboard.press("Escape");
  await dialog.getByText("Leave the match?").waitFor();
  await ada.picture("leave");
  await keyboard.up("KeyA");
  await sends(ada, "a key that goes up under the question is up", { dir: "None" });
  await keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await ada.playing();
  await keyboard.press("Escape");
  await dialog.getByRole("button", { name: "Leave" }).click();
  await ada.page.locator("article.card").first().waitFor();
  say("Escape asks before it leaves");
}
