// The inspector in Chromium: `I` opens it, it measures, simulates a line, finds out rules with a changed constant, records and leaves
// nothing behind.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { Browser } from "./browser.mjs";
import { main, say, until } from "./support.mjs";

const KEYS = ["KeyD", "KeyW", "KeyA", "KeyS"];
/** The speed of an avatar in units per second, as in the rules of arena. */
const WALK = 6.5;

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.locator("[data-game=arena] button.primary").click();
  await ada.playing();
  await ada.page.evaluate(countListeners);
  const untouched = await ada.page.evaluate(attached);
  assert.equal(untouched.loaded, 0, "the page loads no inspector before it is opened");

  await ada.page.keyboard.press("KeyI");
  const panel = ada.page.getByRole("complementary", { name: "Inspector" });
  await panel.waitFor();
  const figure = (name) => ada.page.evaluate(readFigure, name);
  await until("figures", async () => (await figure("Round trip")) > 0 && (await figure("Down")) > 100);
  say(`round trip ${await figure("Round trip")} ms, down ${await figure("Down")} B/s`);
  const open = await ada.page.evaluate(attached);
  assert.equal(open.loaded, 1);
  assert.deepEqual(open.own, ["emit", "timeout"]);
  await ada.picture("inspector");

  await ada.page.getByRole("radio", { name: "average" }).check();
  await until("the round trip rises", async () => (await figure("Round trip")) >= 80);
  assert.equal(await ada.page.getByRole("slider", { name: "Round trip" }).inputValue(), "100");
  await records(ada);
  await fits(ada, panel);
  await ada.page.getByRole("radio", { name: "off" }).check();
  await findsChangedRules(ada);
  await showsEntities(panel);

  await ada.page.keyboard.press("KeyI");
  await panel.waitFor({ state: "detached" });
  assert.deepEqual({ ...(await ada.page.evaluate(attached)), loaded: 0 }, untouched, "nothing is left attached");
  assert.deepEqual(ada.complaints, []);
  await ada.close();
  await browser.close();
});

/** Runs in the page. Counts the listeners that come to the room's channel and go, by event. */
function countListeners() {
  const { channel } = window.tickcast.room[Symbol.for("tickcast.inner")];
  window.listeners = { s: 0, e: 0, welcome: 0, over: 0 };
  for (const [name, change] of [
    ["on", 1],
    ["off", -1],
  ]) {
    const plain = channel[name].bind(channel);
    channel[name] = (event, listener) => {
      if (event in window.listeners) window.listeners[event] += change;
      return plain(event, listener);
    };
  }
}

/** Runs in the page. What hangs on the room's channel, and how many files of the inspector have been loaded. */
function attached() {
  const { channel, draws } = window.tickcast.room[Symbol.for("tickcast.inner")];
  const own = ["emit", "timeout"].filter((name) => Object.hasOwn(channel, name));
  const listeners = { ...window.listeners };
  const loaded = performance.getEntriesByType("resource").filter(({ name }) => /\/inspector-/.test(name)).length;
  return { own, listeners, draws, loaded };
}

/** Runs in the page. The number of a figure. */
function readFigure(name) {
  const shadow = document.querySelector(".tickcast-inspector")?.shadowRoot;
  const term = [...(shadow?.querySelectorAll("dt") ?? [])].find((node) => node.textContent === name);
  const text = term?.nextElementSibling?.textContent ?? "";
  return Number.parseFloat(text) * (/k/.test(text) ? 1000 : 1);
}

async function records(ada) {
  const saved = ada.page.waitForEvent("download", { timeout: 60_000 });
  await ada.page.getByRole("button", { name: "Record 10 s" }).click();
  const download = await saved;
  const text = await readFile(await download.path(), "utf8");
  const report = JSON.parse(text);
  assert.match(download.suggestedFilename(), /^tickcast-arena-.*\.json$/);
  assert.equal(report.conditions.round_trip_ms, 100);
  assert.ok(report.samples.length >= 30, `${report.samples.length} samples in ten seconds`);
  assert.ok(report.messages.some(({ way, event }) => way === "down" && event === "s"));
  assert.ok(report.messages.some(({ way, event }) => way === "up" && event === "i"));
  assert.ok(text.length < 1_500_000, `${text.length} bytes`);
  assert.ok(!text.includes("Ada") && !text.includes("resume"), "a recording has no names and no token");
  say(`a recording of ${text.length} bytes with ${report.messages.length} messages`);
}

/** The panel leaves room for the match on small screens, and does not leave the screen. */
async function fits(ada, panel) {
  const before = ada.page.viewportSize();
  for (const [width, height] of [
    [390, 844],
    [844, 390],
  ]) {
    await ada.page.setViewportSize({ width, height });
    await ada.picture(`inspector-${width}`);
    const box = await panel.boundingBox();
    assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height);
    assert.ok(box.width * box.height < 0.5 * width * height, `half of ${width} x ${height} is the match's`);
  }
  await ada.page.setViewportSize(before);
}

/** With the right rules the panel blames nobody; with those of another speed it does. */
async function findsChangedRules(ada) {
  const red = ada.page.locator(".tickcast-inspector.corrections");
  await until("the right rules are not blamed", async () => (await red.count()) === 0);
  let walked = 0;
  let source;
  await until("the rate of corrections goes red", async () => {
    source = await ada.page.evaluate(predictWrongly, WALK);
    for (let n = 0; n < 8; n++) {
      const key = KEYS[walked++ % KEYS.length];
      await ada.page.keyboard.down(key);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await ada.page.keyboard.up(key);
      if ((await red.count()) > 0) return true;
    }
    return undefined;
  });
  await ada.page.getByText("Does this client step by other rules than the server?").waitFor();
  await ada.picture("inspector-corrections");
  say(
    `${source} with another speed has ${await ada.page.evaluate(readFigure, "Corrections a minute")} corrections a minute`,
  );
}

/** Runs in the page. Predicts with the server's module with another speed, or with such a step where the server has no module. */
async function predictWrongly(walk) {
  const { room } = window.tickcast;
  const file = performance.getEntriesByType("resource").find(({ name }) => /\/rules\/arena\.wasm/.test(name));
  if (file) {
    const module = new DataView(await (await fetch(file.name)).arrayBuffer());
    let changed = 0;
    // The compiler puts the ways of all directions into a table, so signs differ.
    for (let at = 0; at + 4 <= module.byteLength; at++) {
      const value = module.getFloat32(at, true);
      if (Math.abs(value) !== walk) continue;
      module.setFloat32(at, 1.5 * value, true);
      changed++;
    }
    if (changed === 0) throw new Error(`the module has no constant ${walk}`);
    await room.predictWith(module.buffer);
    return "the module";
  }
  const ways = { E: [1, 0], N: [0, 1], W: [-1, 0], S: [0, -1] };
  room.predict(["Pos", "Aim", "Hp"], (me, { dir, aim }, { dt }) => {
    const [x, y] = (me.Hp > 0 && ways[dir]) || [0, 0];
    me.Pos.at = { x: me.Pos.at.x + x * 1.5 * walk * dt, y: me.Pos.at.y + y * 1.5 * walk * dt };
    if (me.Hp > 0) me.Aim = aim;
  });
  return "a step";
}

/** The own entity is the first of the tree, and has the server's values beside the drawn ones. */
async function showsEntities(panel) {
  await panel.getByText("Entities", { exact: true }).click();
  const own = panel.getByText(/\(own\)/).first();
  await own.click();
  const row = panel.getByRole("row", { name: /^Pos at/ });
  await row.first().waitFor();
  assert.match(await row.first().innerText(), /^Pos\s+at \(x .* y .*\)\s+at \(x .* y .*\)/);
}
