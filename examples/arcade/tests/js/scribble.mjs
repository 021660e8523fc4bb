// Scribble in Chromium: Ada draws with a finger on a phone, Bob guesses at a desk, beside bots. Both see the same picture, also after a
// reload, and the word is with Ada alone.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, packages, say, until } from "./support.mjs";

const { source } = packages.tests("axe-core");
/** How long the match is played, in milliseconds. */
const PLAYED = 20_000;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, deviceScaleFactor: 2 };
const SIZES = [
  [390, 844],
  [844, 390],
  [1440, 900],
];

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada", undefined, undefined, PHONE);
  const { page } = ada;
  const touch = new Finger(page, await page.context().newCDPSession(page));
  await page.locator("#scribble-seconds").selectOption("120");
  await page.locator("#scribble-bots").selectOption("easy");
  await page.getByRole("button", { name: "Open a private Scribble room" }).click();
  await ada.playing();
  const began = performance.now();
  const bob = await browser.visit("Bob");
  await bob.goto(`#${await page.evaluate(() => window.tickcast.room.code)}`);
  await bob.playing();

  await look(ada, "choosing");
  const word = await choose(ada, bob, touch);
  await draws(ada, bob, touch);
  await undoes(ada, bob, touch);
  await comesBack(ada, bob);
  await look(ada, "drawing");
  await look(bob, "guessing");
  await guesses(ada, bob, word);
  await page
    .getByRole("log")
    .getByText(/^Bot \d+: \w+/)
    .first()
    .waitFor();
  say(`bots guess, too, within ${Math.round((performance.now() - began) / 1_000)} s`);
  await keepsDrawing(ada, bob, touch, began);
  assert.deepEqual([ada.complaints, bob.complaints], [[], []]);
  await browser.close();
});

/** A finger on the screen. Playwright's own `tap` does nothing once a finger has been moved. */
class Finger {
  constructor(page, session) {
    this.page = page;
    this.session = session;
  }

  async tap(locator) {
    await locator.click({ trial: true });
    const { x, y, width, height } = await locator.boundingBox();
    await this.send("touchStart", { x: x + width / 2, y: y + height / 2, id: 1 });
    await this.send("touchEnd");
  }

  /** Draws a spiral on the sheet. */
  async spiral(turns) {
    const { x, y, width, height } = await this.page.locator(".scribble-sheet").boundingBox();
    const at = (k) => {
      const [angle, far] = [(k / 30) * 2 * Math.PI, 0.05 + (0.4 * k) / (30 * turns)];
      return { x: x + width * (0.5 + far * Math.cos(angle)), y: y + height * (0.5 + far * Math.sin(angle)), id: 1 };
    };
    await this.send("touchStart", at(0));
    for (let k = 1; k <= 30 * turns; k++) await this.send("touchMove", at(k));
    await this.send("touchEnd");
  }

  send(type, ...touchPoints) {
    return this.session.send("Input.dispatchTouchEvent", { type, touchPoints });
  }
}

const picture = async (visitor) => (await visitor.state()).picture.shown;
/** The strokes and points of a picture. */
const sizeOf = (print) => print.split(":").slice(0, 2).map(Number);

/** Chooses a word, which nobody else can read anywhere. */
async function choose(ada, bob, touch) {
  const choices = ada.page.locator(".scribble-choice");
  await choices.first().waitFor();
  assert.equal(await choices.count(), 3);
  await bob.page.getByText("Ada chooses a word.").first().waitFor();
  assert.equal(await bob.page.locator(".scribble-choice").count(), 0);
  const word = await choices.nth(1).innerText();
  await touch.tap(choices.nth(1));
  await ada.page.getByText(`The word: ${word}`).waitFor({ state: "attached" });
  await bob.page
    .getByText(`${word.replaceAll(" ", "").length} letters: blank`)
    .first()
    .waitFor({ state: "attached" });
  const held = await bob.page.evaluate(() => JSON.stringify([...window.tickcast.room.entities]));
  const letters = [...word].map((letter) => letter.charCodeAt(0)).join();
  assert.ok(!held.includes(letters), "Bob's mirror has the word");
  say(`Ada draws, and Bob sees ${word.length} blanks`);
  return word;
}

async function draws(ada, bob, touch) {
  await touch.spiral(2);
  await touch.tap(ada.page.getByRole("button", { name: "Blue", exact: true }));
  await touch.tap(ada.page.getByRole("button", { name: "Thick pen" }));
  await touch.spiral(1);
  const [strokes, points] = sizeOf(await picture(ada));
  assert.equal(strokes, 2);
  assert.ok(points > 60, `${points} points`);
  await same(ada, bob);
  const last = await bob.page.evaluate(
    () => [...window.tickcast.room.entities].findLast(({ Ink }) => Ink?.stroke === 1).Ink,
  );
  assert.deepEqual([last.color, last.width], [9, 2]);
  say(`a finger draws ${points} points, and both canvases have the same pixels`);
}

/** Waits until both have the same picture, to the pixel. */
async function same(ada, bob) {
  await until("both see the same picture", async () => (await picture(ada)) === (await picture(bob)));
  const pixels = ({ page }) =>
    page.evaluate(
      () =>
        new Promise((resolve) =>
          requestAnimationFrame(() => resolve(document.querySelector(".scribble-sheet").toDataURL())),
        ),
    );
  const [here, there] = await Promise.all([pixels(ada), pixels(bob)]);
  assert.ok(here === there, "the canvases differ");
}

async function undoes(ada, bob, touch) {
  await touch.tap(ada.page.getByRole("button", { name: "Undo" }));
  await until("the stroke is gone", async () => sizeOf(await picture(ada))[0] === 1);
  await same(ada, bob);
  // The pen by keys: down, to the right, up.
  await ada.page.locator(".scribble-sheet").focus();
  for (const key of ["Space", "ArrowRight", "ArrowRight", "ArrowDown", "Space"]) await ada.page.keyboard.press(key);
  assert.deepEqual(sizeOf(await picture(ada))[0], 2);
  await same(ada, bob);
  say("a stroke is taken back, and keys draw as well");
}

async function comesBack(ada, bob) {
  await bob.page.reload();
  await bob.playing();
  await same(ada, bob);
  say("Bob reloads the page, and sees the whole picture");
}

/** A wrong guess is heard by all, a near one by nobody else, and a right one is not shown. */
async function guesses(ada, bob, word) {
  const field = bob.page.getByLabel("Your guess");
  const guess = async (text) => {
    await bob.page.waitForTimeout(500);
    await field.fill(text);
    await field.press("Enter");
  };
  const log = (visitor) => visitor.page.getByRole("log");
  await guess("zebu");
  await log(ada).getByText("Bob: zebu").waitFor();
  await guess(`${word}s`);
  await log(bob).getByText(`“${word}s” is close!`).waitFor();
  await guess(word.toUpperCase());
  await log(ada).getByText("Bob has found the word").waitFor();
  await log(bob).getByText("You have found the word").waitFor();
  assert.equal(await log(ada).getByText(word).count(), 0, "neither the near guess nor the right one is shown");
  await bob.page.getByRole("list", { name: "Scores" }).locator(".scribble-mine.scribble-knows").waitFor();
  await Promise.all([ada.picture("scribble-phone"), bob.picture("scribble-desk")]);
  say("guesses are judged");
}

/** Draws and clears until the time is over. */
async function keepsDrawing(ada, bob, touch, began) {
  while (performance.now() - began < PLAYED) {
    await touch.spiral(1);
    await ada.page.waitForTimeout(300);
  }
  await same(ada, bob);
  await touch.tap(ada.page.getByRole("button", { name: "Clear" }));
  await until("the sheet is empty", async () => (await picture(bob)).startsWith("0:"));
  await same(ada, bob);
  say("the sheet is cleared");
}

/** axe finds nothing wrong in any size, and nothing is beyond the screen. */
async function look(visitor, name) {
  const { page } = visitor;
  const before = page.viewportSize();
  await page.evaluate(source);
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(50);
    const found = await page.evaluate(check);
    await visitor.picture(`scribble-${name}-${width}`);
    assert.deepEqual(found.violations, [], `${name}, ${width} x ${height}`);
    assert.deepEqual(found.beyond, [], `${name}, ${width} x ${height}`);
  }
  await page.setViewportSize(before);
}

/** Runs in the page. */
async function check() {
  const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
  const parts = [
    ...document.querySelectorAll(".bar button, .scribble-sheet, .scribble button, .scribble input, .scribble-word"),
  ];
  const seen = parts.map((node) => [node, node.getBoundingClientRect()]).filter(([, { width }]) => width > 0);
  const beyond = seen.filter(
    ([, { left, top, right, bottom }]) => left < 0 || top < 0 || right > innerWidth || bottom > innerHeight,
  );
  const sheet = document.querySelector(".scribble-sheet").getBoundingClientRect();
  const over = seen.filter(
    ([node, { left, top, right, bottom }]) =>
      !node.closest(".scribble-paper") &&
      Math.min(right, sheet.right) - Math.max(left, sheet.left) > 1 &&
      Math.min(bottom, sheet.bottom) - Math.max(top, sheet.top) > 1,
  );
  return {
    violations: violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`),
    beyond: [
      ...beyond.map(([node]) => `${node.outerHTML} is beyond`),
      ...over.map(([node]) => `${node.outerHTML} is over the sheet`),
    ],
  };
}
