// Tactics in Chromium: twenty seconds against a bot by the mouse, then against a friend by keys, with what either side is sent.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, packages, say, until, url } from "./support.mjs";

const { source } = packages.tests("axe-core");
/** How long Ada plays against the bot, in milliseconds. */
const PLAYED = 20_000;
const SIZES = [
  [390, 844],
  [844, 390],
  [1440, 900],
];

main(async () => {
  const { connect } = await bundled();
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await ada.page.getByRole("button", { name: "Open a private Tactics room" }).click();
  await ada.playing();
  await againstABot(ada);
  const { code } = await ada.page.evaluate(() => ({ code: window.tickcast.room.code }));
  const bob = await connect(url, { name: "Bob" });
  const theirs = await bob.lobby.joinCode(code);
  await againstAFriend(ada, theirs);
  await looks(ada);
  await watched(await bob.lobby.spectateCode(code));
  await ends(ada, theirs);
  assert.deepEqual(ada.complaints, []);
  await browser.close();
  bob.close();
});

/** Plays by the mouse. A game that ends is followed by another one. */
async function againstABot(ada) {
  const { page } = ada;
  const deadline = performance.now() + PLAYED;
  const done = { moves: 0, blows: 0, turns: 0 };
  let spent = new Set();
  while (performance.now() < deadline) {
    const over = page.getByRole("dialog").getByRole("button", { name: "Play again" });
    if (await over.isVisible()) {
      await ada.picture("tactics-over");
      await page.waitForTimeout(800);
      await over.click();
      await ada.playing();
    }
    const state = await ada.state();
    if (!state?.table || state.playing || state.table.turn !== state.seat || state.status !== "playing") {
      await page.waitForTimeout(50);
      continue;
    }
    checkSent(await sent(page), state.seat);
    const unit = state.pieces.find(({ own, ready, key }) => own && ready && !spent.has(key));
    if (!unit) {
      await page.getByRole("button", { name: "End turn" }).click();
      done.turns += 1;
      spent = new Set();
      await until("the turn has passed", async () => {
        const now = await ada.state();
        return now?.status !== "playing" || now.table?.turn !== state.seat || now.table.round > state.table.round;
      });
      continue;
    }
    spent.add(unit.key);
    await click(page, unit.pixel);
    const did = await acts(ada, unit);
    if (did) done[did] += 1;
  }
  await ada.picture("tactics-bot");
  assert.ok(done.moves > 5 && done.turns > 1, `Ada has played little: ${JSON.stringify(done)}`);
  say(`twenty seconds against a bot: ${JSON.stringify(done)}`);
}

/** Strikes an enemy in range with the selected unit, or moves it ahead. Returns what it did. */
async function acts(ada, unit) {
  const { page } = ada;
  const { reach, targets } = await until("the unit is selected", async () => {
    const state = await ada.state();
    return state.selected === unit.key ? state : undefined;
  });
  if (targets.length > 0) {
    await click(page, targets[0].pixel);
    await until("the blow is struck", async () => !(await has(ada, unit.key, ({ ready }) => ready)));
    return "blows";
  }
  if (reach.length === 0) return undefined;
  // Own units begin below, and the enemy's above.
  const ahead = reach.reduce((best, hex) => (hex.pixel.y < best.pixel.y ? hex : best));
  await click(page, ahead.pixel);
  await until("the unit has moved", async () => !(await has(ada, unit.key, ({ moves }) => moves === unit.moves)));
  return "moves";
}

const has = async (ada, key, is) => (await ada.state())?.pieces?.some((piece) => piece.key === key && is(piece));

const click = (page, { x, y }) => page.mouse.click(x, y);

/** A friend takes the bot's seat, and a game begins anew. Each side is sent its own units, and both the same figures. */
async function againstAFriend(ada, theirs) {
  const { page } = ada;
  await until("both see a new game", async () => {
    const [ours, other] = [await sent(page), sentTo(theirs)];
    return ours.units.length === 6 && other.units.length === 6 && ours.round === 1 && other.round === 1;
  });
  const seat = await page.evaluate(() => window.tickcast.room.seat);
  if ((await ada.state()).table.turn !== seat) await theirs.command("EndTurn", true);
  await until("it is Ada's turn", async () => (await ada.state()).table.turn === seat);
  // Keys select one unit after the other, until one can go up.
  let state;
  const isAhead = () => state.reach.some(({ hex }) => hex.q === state.cursor.q && hex.r === state.cursor.r);
  do {
    await page.keyboard.press("n");
    await page.keyboard.press("ArrowUp");
    state = await ada.state();
  } while (!isAhead());
  const { selected } = state;
  const before = state.pieces.find(({ key }) => key === selected);
  await page.keyboard.press("Space");
  await until("the unit has moved", async () => (await ada.state()).undoable === 1);
  checkSent(await sent(page), seat);
  const heard = sentTo(theirs);
  checkSent(heard, theirs.seat);
  assert.deepEqual(heard.figures, [], "the friend sees nobody");
  await page.keyboard.press("u");
  await until("the move is taken back", async () => (await ada.state()).undoable === 0);
  const after = (await ada.state()).pieces.find(({ key }) => key === selected);
  assert.deepEqual(after.hex, before.hex);
  await page.getByText("You take a move back.").waitFor();
  await page.keyboard.press("e");
  await until("the turn has passed", async () => (await ada.state()).table.turn !== seat);
  await page.getByText("Bob is to move.").waitFor();
  say("keys move a unit, take that back and end the turn, and the friend is sent nothing of it");
}

/** Everything that a client has been sent of the units. */
function sentTo({ entities, seat }) {
  const all = [...entities];
  const units = all.flatMap(({ Unit }) => (Unit ? [Unit.number] : []));
  const figures = all.flatMap(({ Figure }) => (Figure ? [`${Figure.side}/${Figure.number}`] : []));
  return { seat, units, figures, round: all.find(({ Table }) => Table)?.Table.round };
}

/** The same of the page's client. */
const sent = (page) =>
  page.evaluate(`(${sentTo})({ entities: window.tickcast.room.entities, seat: window.tickcast.room.seat })`);

/** Each side has units of its own with different numbers. A unit of the enemy would be one number twice, or a seventh. */
function checkSent({ units, figures }, seat) {
  assert.equal(new Set(units).size, units.length, `units ${units}`);
  assert.ok(units.length <= 6, `units ${units}`);
  const own = figures.filter((figure) => figure.startsWith(`${seat}/`));
  assert.ok(
    own.every((figure) => units.includes(Number(figure.slice(2)))),
    `figures ${figures}, units ${units}`,
  );
}

/** The match can be read in three sizes, and axe finds nothing wrong. */
async function looks(ada) {
  const { page } = ada;
  await page.evaluate(source);
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(200);
    const found = await page.evaluate(look);
    await ada.picture(`tactics-${width}`);
    assert.deepEqual(found.violations, [], `${width} x ${height}`);
    assert.deepEqual(found.overlaps, [], `${width} x ${height}`);
  }
}

/** Runs in the page. */
async function look() {
  const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const [panel, bar] = [box(".tactics-panel"), box(".bar")];
  const overlaps = [];
  if (panel.left < 0 || panel.top < 0 || panel.right > innerWidth || panel.bottom > innerHeight + 1)
    overlaps.push("the panel leaves the screen");
  if (bar.right > panel.left && bar.bottom > panel.top && bar.top < panel.bottom)
    overlaps.push("the bar lies on the panel");
  for (const { key, pixel } of window.tickcast.state().pieces) {
    const isFree = document.elementFromPoint(pixel.x, pixel.y)?.classList.contains("stage");
    if (!isFree) overlaps.push(`something lies on unit ${key}`);
  }
  return {
    overlaps,
    violations: violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`),
  };
}

/** Spectators see what both players see, and later. */
async function watched(watching) {
  await until("the spectator sees the match", () => sentTo(watching).round !== undefined);
  assert.deepEqual(sentTo(watching).units, [], "no unit that only its side knows of");
  await watching.leave();
  say("a spectator is sent nothing that is hidden");
}

async function ends(ada, theirs) {
  const { page } = ada;
  await theirs.command("Resign", true);
  const dialog = page.getByRole("dialog");
  await dialog.getByText("You win!").waitFor();
  await dialog.getByText("A player has resigned.").waitFor();
  assert.equal((await sent(page)).figures.length, 12, "everything is shown at the end");
  await ada.picture("tactics-won");
  await page.waitForTimeout(800);
  await dialog.getByRole("button", { name: "Back to the lobby" }).click();
  await page.locator("article.card").first().waitFor();
  await ada.picture("tactics-lobby");
  say("a resignation ends the game and shows everything");
}
