// A gamepad, two thumbs and the sound of arena's page: they come and go, and what was chosen is remembered.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say, until } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada", plugs);
  await ada.page.getByRole("button", { name: "Open a private Arena room" }).click();
  await ada.playing();
  await ada.page.evaluate(watchInputs);
  await gamepad(ada);
  await sound(ada);
  await thumbs(ada);
  assert.deepEqual(ada.complaints, []);
  await browser.close();
});

/** Runs in the page before its own scripts: gamepads that the test holds. */
function plugs() {
  window.pads = [null, null];
  navigator.getGamepads = () => window.pads;
}

/** Runs in the page. Keeps the last input that the view has sent, and whether any fired or reloaded. */
function watchInputs() {
  const { room } = window.tickcast;
  const send = room.input.bind(room);
  window.reloads = 0;
  room.input = (input) => {
    window.lastInput = input;
    if (input.reload) window.reloads += 1;
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

/** Plugs a gamepad in, with its sticks and the buttons that are held; removes it without an argument. */
function plug({ page }, axes, held = []) {
  return page.evaluate(
    ({ axes, held }) => {
      const buttons = Array.from({ length: 17 }, (_, k) => ({
        pressed: held.includes(k),
        value: held.includes(k) ? 1 : 0,
      }));
      window.pads = [null, axes ? { connected: true, mapping: "standard", axes, buttons } : null];
    },
    { axes, held },
  );
}

async function gamepad(ada) {
  await plug(ada, [1, 0, 0, -1], [7]);
  await sends(ada, "the gamepad walks, aims and fires", { dir: "E", aim: Math.PI / 2, fire: true });
  await plug(ada, [0.1, 0.1, 0, 0], []);
  await sends(ada, "sticks near their rest do nothing, and the gun points where it did", {
    dir: "None",
    aim: Math.PI / 2,
    fire: false,
  });
  const before = await ada.page.evaluate(() => window.reloads);
  await plug(ada, [0, 0, 0, 0], [2]);
  await until("a button reloads", () => ada.page.evaluate((before) => window.reloads > before, before));
  await plug(ada, [-1, 0, 0, 0], [7]);
  await sends(ada, "the gamepad walks west", { dir: "W", fire: true });
  await plug(ada);
  await sends(ada, "nothing is held after the gamepad was removed", { dir: "None", fire: false });
  assert.equal(await ada.page.evaluate(() => window.reloads), before + 1, "a button that is held reloads once");
  await ada.page.mouse.move(900, 400);
  await until("the mouse aims again", () => ada.page.evaluate(() => Math.abs(window.lastInput.aim) < 0.5));
  say("a gamepad plays, and may be removed at any time");
}

const state = ({ page }) => page.evaluate(() => window.tickcast.state().sound);

async function sound(ada) {
  const { page } = ada;
  await page.mouse.click(900, 400);
  await until("sound plays after a gesture", async () => (await state(ada)) === "running");
  const hide = (hidden) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await until("a hidden page is silent", async () => (await state(ada)) === "suspended");
  await hide(false);
  await until("and plays again when it is seen", async () => (await state(ada)) === "running");
  const mute = page.getByRole("button", { name: "Mute" });
  assert.equal(await mute.getAttribute("aria-pressed"), "false");
  await mute.focus();
  await page.keyboard.press("Enter");
  await until("the button mutes", async () => (await state(ada)) === "suspended");
  await page.reload();
  await ada.playing();
  assert.equal(await mute.getAttribute("aria-pressed"), "true", "the choice is remembered");
  await page.keyboard.press("m");
  await until("a key turns the sound on", async () => (await state(ada)) === "running");
  assert.equal(await mute.getAttribute("aria-pressed"), "false");
  say("sound starts with a gesture, rests while nobody sees the page, and can be muted");
}

async function thumbs(ada) {
  const { page } = ada;
  await page.evaluate(watchInputs);
  const touch = await page.context().newCDPSession(page);
  await page.setViewportSize({ width: 844, height: 390 });
  await touch.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 5 });
  await page.evaluate(() => localStorage.removeItem("tickcast.arena.thumbs"));
  await page.reload();
  await ada.playing();
  await page.evaluate(watchInputs);
  const hint = page.locator(".arena-hint");
  await hint.waitFor();
  await ada.picture("thumbs-hint");
  const points = (...at) => at.map(([x, y], id) => ({ x, y, id }));
  const send = (type, ...at) => touch.send("Input.dispatchTouchEvent", { type, touchPoints: points(...at) });
  await send("touchStart", [120, 280], [700, 280]);
  await send("touchMove", [120, 240], [730, 280]);
  await sends(ada, "the left thumb walks, the right one aims", { dir: "N", aim: 0, fire: false });
  await send("touchMove", [120, 240], [760, 280]);
  await sends(ada, "and fires in the ring", { dir: "N", aim: 0, fire: true });
  await ada.picture("thumbs");
  await send("touchEnd");
  await sends(ada, "nothing is held after the thumbs are up", { dir: "None", fire: false });
  await hint.waitFor({ state: "detached" });
  await page.reload();
  await ada.playing();
  assert.equal(await hint.count(), 0, "who knows it is not told again");
  say("two thumbs walk, aim and fire, and the hint goes away");
}
