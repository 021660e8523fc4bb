// The split view in Chromium: two players of one match side by side, each with a line of its own.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say, until, url } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.locator("[data-game=arena] .split-link").click();
  await ada.page.waitForURL(/\?split=arena$/);
  const sides = await until("two players", () => players(ada.page));
  assert.equal(sides[0].room, sides[1].room, "they play in one match");
  assert.notEqual(sides[0].seat, sides[1].seat);
  assert.ok(sides[0].code, "the room is private");
  const names = await until("both have names", async () => {
    const taken = (await players(ada.page))[0].names;
    return taken.includes("Left") && taken.includes("Right") && taken;
  });
  assert.ok(names.length > 2, `bots fill: ${names}`);

  const left = ada.page.getByRole("region", { name: "Left player" });
  const right = ada.page.getByRole("region", { name: "Right player" });
  await left.getByRole("combobox").selectOption("off");
  await right.getByRole("combobox").selectOption("average");
  assert.match(await right.innerText(), /100 ± 15 ms, 2% lost/);
  const trips = await until("the right line is longer", async () => {
    const [a, b] = [await trip(ada.page, 0), await trip(ada.page, 1)];
    return b >= 80 && b > a + 40 && [a, b];
  });
  say(`round trips of ${trips.map((trip) => Math.round(trip)).join(" and ")} ms`);
  assert.deepEqual(
    (await players(ada.page)).map(({ draws }) => draws),
    [true, false],
  );
  await right.getByRole("checkbox", { name: "Prediction" }).check();
  await until("the switch predicts", async () => (await players(ada.page)).every(({ draws }) => draws));

  await inspectorSetsSwitches(ada.page, right);
  await keysPlayBoth(ada.page);
  await ada.picture("split");
  for (const [width, height] of [
    [390, 844],
    [844, 390],
  ]) {
    await ada.page.setViewportSize({ width, height });
    const boxes = await ada.page.evaluate(() =>
      [...document.querySelectorAll("iframe")].map((frame) => frame.getBoundingClientRect().toJSON()),
    );
    for (const { x, y, right: end, bottom } of boxes) assert.ok(x >= 0 && y >= 0 && end <= width && bottom <= height);
    assert.ok(boxes.every((box) => box.height > 200));
    await ada.picture(`split-${width}`);
  }
  await ada.page.getByRole("link", { name: "Leave" }).click();
  await ada.page.waitForURL(new URL(".", url).href);
  await ada.page.locator("article.card").first().waitFor();
  assert.deepEqual(ada.complaints, []);
  await ada.close();
  await browser.close();
});

/** The players of both sides; `undefined` until both play. */
function players(page) {
  return page.evaluate(() => {
    const sides = [...document.querySelectorAll("iframe")].map(({ contentWindow }) => {
      const { room, state } = contentWindow.tickcast ?? {};
      if (!room || !state()?.me) return undefined;
      const { draws } = room[Symbol.for("tickcast.inner")];
      return { room: room.id, seat: room.seat, code: room.code, names: room.seats.map(({ name }) => name), draws };
    });
    return sides.length === 2 && sides.every(Boolean) ? sides : undefined;
  });
}

/** The switches say what the inspector of a side has set. */
async function inspectorSetsSwitches(page, right) {
  const inside = right.locator("iframe").contentFrame();
  const line = right.getByRole("combobox").first();
  await inside.locator("canvas").first().click();
  await page.keyboard.press("KeyI");
  await inside.getByRole("slider", { name: "Round trip" }).fill("310");
  await until("the switch follows the slider", async () => (await line.inputValue()) === "own");
  assert.match(await right.locator(".split-says").innerText(), /^310 ± 15 ms/);
  await inside.getByRole("radio", { name: "good" }).check();
  await until("the switch follows the profile", async () => (await line.inputValue()) === "good");
  await page.keyboard.press("KeyI");
}

/** A round trip of a side, in milliseconds. */
function trip(page, side) {
  return page.evaluate(async (side) => {
    const { room } = document.querySelectorAll("iframe")[side].contentWindow.tickcast;
    const { channel } = room[Symbol.for("tickcast.inner")];
    const sent = performance.now();
    await channel.timeout(5_000).emitWithAck("t");
    return performance.now() - sent;
  }, side);
}

/** A key that is held on the left makes both avatars walk. */
async function keysPlayBoth(page) {
  const wanted = () =>
    page.evaluate(() => {
      const sides = [...document.querySelectorAll("iframe")].map(
        ({ contentWindow }) => contentWindow.tickcast.state()?.me,
      );
      return sides.map((me) => me && { x: me.x, y: me.y });
    });
  await page.frames()[1].locator("canvas.stage").focus();
  const moved = [false, false];
  let n = 0;
  await until("both avatars walk", async () => {
    const before = await wanted();
    const key = ["KeyD", "KeyW", "KeyA", "KeyS"][n++ % 4];
    await page.keyboard.down(key);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await page.keyboard.up(key);
    const after = await wanted();
    for (const side of [0, 1]) {
      const [a, b] = [before[side], after[side]];
      if (a && b && Math.hypot(a.x - b.x, a.y - b.y) > 0.5) moved[side] = true;
    }
    return moved[0] && moved[1];
  });
}
