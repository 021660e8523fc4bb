// The playground of a game that the page has no view of: from its card in the lobby, by keys, by the screen and by forms. Its address
// can be loaded again, and that of a game that is not hosted says so.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, packages, say, until } from "./support.mjs";

const { source } = packages.tests("axe-core");
const SIZES = [
  [390, 844],
  [844, 390],
  [1440, 900],
];

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  const { page } = ada;
  await page.setViewportSize({ width: 1440, height: 900 });
  await ada.picture("playground-card");
  const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  assert.ok(!loaded.some((name) => /mount-|playground-/.test(name)), "the lobby has loaded the playground");
  await page.getByRole("link", { name: "Playground" }).click();
  await plays(ada);
  assert.equal(new URL(page.url()).hash, "#/play/yard");
  await page.getByRole("heading", { name: "Inspector" }).waitFor();
  say("the card of a game without a view leads to the playground, with the inspector open");
  await steers(ada);
  await commands(ada);
  await look(ada);
  await again(ada);
  assert.deepEqual(ada.complaints, []);
  await browser.close();
});

async function plays(visitor) {
  await visitor.playing();
  await visitor.page.getByRole("img", { name: /^2 entities by Pos\.at$/ }).waitFor();
  // What has no place is in a table.
  await visitor.page.getByRole("cell", { name: "price 7, left 3" }).waitFor();
}

const event = ({ page }, text) => page.getByRole("list", { name: /^Events/ }).getByText(text);
const at = async (visitor) => (await visitor.state()).me.Pos.at;

async function steers(ada) {
  const { page } = ada;
  const { x } = await at(ada);
  await page.keyboard.down("KeyD");
  await until("a key moves the avatar to the right", async () => (await at(ada)).x > x + 1);
  await page.keyboard.up("KeyD");
  const { x: still } = await until("it stands still", async () => {
    const before = await at(ada);
    await page.waitForTimeout(150);
    return (await at(ada)).x === before.x && before;
  });
  const pad = await page.locator(".pg-pad").boundingBox();
  await page.mouse.move(pad.x + 5, pad.y + pad.height / 2);
  await page.mouse.down();
  await until("the stick moves it to the left", async () => (await at(ada)).x < still - 0.5);
  await page.mouse.up();
  await page.keyboard.press("Space");
  await event(ada, "seat 1").first().waitFor();
  await page.getByRole("button", { name: /^honk/ }).click();
  await until("two events", async () => (await event(ada, "seat 1").count()) === 2);
  await page.getByLabel(/^speed/).fill("2.5");
  assert.equal(await page.getByLabel(/^speed/).inputValue(), "2.5");
  say("keys, a stick, a button and a slider steer");
}

async function commands(ada) {
  const { page } = ada;
  const form = page.getByRole("form", { name: "dye" });
  await form.getByRole("button", { name: "Send dye" }).click();
  await form.getByText("Enter a number.").waitFor();
  assert.equal(await form.getByLabel("coats").evaluate((field) => field === document.activeElement), true);
  await form.getByLabel("colour").selectOption("Blue");
  await form.getByLabel("name").fill("Grüße");
  await form.getByLabel("coats").fill("256");
  await form.getByLabel("pattern", { exact: true }).fill("0aff1");
  await form.getByRole("button", { name: "Send dye" }).click();
  await form.getByText("Enter a number from 0 to 255.").waitFor();
  await form.getByText("Enter pairs of hexadecimal digits, like 0a ff.").waitFor();
  await form.getByLabel("coats").fill("3");
  await form.getByLabel("pattern", { exact: true }).fill("0a ff 10");
  await form.getByLabel("shiny").check();
  await form.getByRole("button", { name: "Send dye" }).click();
  await form.getByText(/^Taken in tick \d+\.$/).waitFor();
  await event(ada, "letters 5, bytes 3, coats 4").waitFor();
  assert.equal((await ada.state()).me.Paint, "Blue");
  const file = { name: "pattern.bin", mimeType: "application/octet-stream", buffer: Buffer.from([1, 2, 3, 4, 5]) };
  await form.getByLabel("pattern: file").setInputFiles(file);
  await form.getByRole("button", { name: "Send dye" }).click();
  await event(ada, "letters 5, bytes 5, coats 4").waitFor();
  await page.getByRole("button", { name: "Send undo" }).click();
  await until("a command without fields acts", async () => (await ada.state()).me.Paint === "Red");
  // A refusal, as the room tells it.
  await page.evaluate(() => {
    const { room } = window.tickcast;
    room.command = async () => {
      delete room.command;
      throw new Error("too many commands, wait a little");
    };
  });
  await page.getByRole("button", { name: "Send undo" }).click();
  await page.getByText("Refused: Too many commands, wait a little.").waitFor();
  say("commands are forms, and tell what is wrong");
}

/** Looks at the playground in all sizes. */
async function look(ada) {
  const { page } = ada;
  const labels = page.getByLabel("Labels");
  await labels.selectOption("Paint");
  await labels.selectOption("");
  await page.evaluate(source);
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    const isWide = width > 1100;
    if (isWide !== (await page.locator(".match.inspecting").count()) > 0) await page.keyboard.press("KeyI");
    const found = await page.evaluate(check);
    await ada.picture(`playground-${width}`);
    assert.deepEqual(found.violations, [], `${width} x ${height}`);
    assert.ok(found.wide <= width, `it is ${found.wide} px wide on a screen of ${width}`);
  }
  await page.getByLabel("Positions").selectOption("none: tables");
  await page.getByRole("table", { name: /Seat, Pos, Paint/ }).waitFor();
  assert.deepEqual((await page.evaluate(check)).violations, [], "tables");
  say("axe finds nothing wrong in three sizes");
}

async function again(ada) {
  const { page } = ada;
  const before = await page.evaluate(() => window.tickcast.room.id);
  await page.reload();
  await plays(ada);
  assert.equal(await page.evaluate(() => window.tickcast.room.id), before);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await page.getByRole("link", { name: "Playground" }).waitFor();
  // As a link, and as an address that is typed.
  for (const before of [undefined, "about:blank"]) {
    if (before) await page.goto(before);
    await ada.goto("#/play/nowhere");
    await page.getByText('There is no game "nowhere" here.').waitFor();
  }
  say("its address can be loaded again, and that of an unknown game says so");
}

/** Runs in the page. */
async function check() {
  const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
  return {
    violations: violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`),
    wide: document.documentElement.scrollWidth,
  };
}
