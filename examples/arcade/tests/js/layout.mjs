// How the page looks: nothing lies on anything else on small screens, the light scheme is light, and texts can be read.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { guest } from "./guests.mjs";
import { answer, main, next, packages, say, until, url } from "./support.mjs";

const { io } = packages.sdk("socket.io-client");

const SIZES = [
  [390, 844],
  [320, 568],
  [844, 390],
  [760, 1000],
  [901, 700],
  [1280, 800],
];
const PARTS = ".bar button, .ping, .arena-clock, .arena-hud-scores, .arena-hp, .arena-ammo";

main(async () => {
  const browser = await Browser.start();
  await smallScreens(browser);
  await schemes(browser);
  await sides(browser);
  await browser.close();
});

async function smallScreens(browser) {
  const ada = await browser.visit("A name that is quite long");
  for (const [width, height] of SIZES) {
    await ada.page.setViewportSize({ width, height });
    const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `the lobby is ${wide} px wide on a screen of ${width}`);
    if (width === 390) await ada.picture("lobby-390");
  }
  await ada.page.getByRole("button", { name: "Open a private Arena room" }).click();
  await ada.playing();
  await ada.page.waitForFunction(() => document.querySelectorAll(".arena-hud-scores li").length >= 6);
  for (const [width, height] of SIZES) {
    await ada.page.setViewportSize({ width, height });
    const { overlaps, rows } = await ada.page.evaluate(findOverlaps, { parts: PARTS, width, height });
    await ada.picture(`match-${width}`);
    assert.deepEqual(overlaps, [], `at ${width} x ${height}`);
    assert.ok(rows >= 4, `${rows} scores are shown at ${width} x ${height}`);
  }
  assert.deepEqual(ada.complaints, []);
  await ada.close();
  say("nothing lies on anything else, and four scores are shown, on every screen");
}

/** Runs in the page. Lists the parts that lie on each other or leave the screen, and counts the scores that are shown. */
function findOverlaps({ parts, width, height }) {
  const boxes = [...document.querySelectorAll(parts)].map((node) => ({
    name: node.className || node.textContent,
    box: node.getBoundingClientRect(),
  }));
  const overlaps = [];
  boxes.forEach(({ name, box }, at) => {
    if (box.left < 0 || box.top < 0 || box.right > width || box.bottom > height)
      overlaps.push(`${name} leaves the screen`);
    for (const other of boxes.slice(at + 1)) {
      const apart =
        box.right <= other.box.left ||
        other.box.right <= box.left ||
        box.bottom <= other.box.top ||
        other.box.bottom <= box.top;
      if (!apart) overlaps.push(`${name} on ${other.name}`);
    }
  });
  const shown = [...document.querySelectorAll(".arena-hud-scores li")].filter((row) => row.offsetHeight > 0);
  return { overlaps, rows: shown.length };
}

async function schemes(browser) {
  const bob = await browser.visit("Bob");
  const grounds = [];
  for (const colorScheme of ["dark", "light"]) {
    await bob.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { ground, contrasts } = await bob.page.evaluate(readColours);
    await bob.picture(`lobby-${colorScheme}`);
    grounds.push(ground);
    const weak = contrasts.filter(({ contrast }) => contrast < 4.5);
    assert.deepEqual(weak, [], `too little contrast in the ${colorScheme} scheme`);
    assert.ok(contrasts.length >= 10, `only ${contrasts.length} texts were found`);
  }
  assert.ok(grounds[0] < 0.05 && grounds[1] > 0.7, `the grounds are as bright as ${grounds}`);
  assert.deepEqual(bob.complaints, []);
  await bob.close();
  say("the light scheme is light, the dark one is dark, and each text can be read on its ground");
}

/** Runs in the page. Returns the brightness of the ground, and the contrast of each text to what is behind it. */
function readColours() {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const pixel = (...styles) => {
    pen.clearRect(0, 0, 1, 1);
    for (const style of styles) {
      pen.fillStyle = style;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (...styles) => {
    const [r, g, b] = pixel(...styles)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    return layers;
  };
  const texts = [...document.querySelectorAll("#app *")].filter(
    (node) =>
      [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent.trim()) &&
      node.offsetHeight > 1 &&
      // A gradient has no background colour.
      getComputedStyle(node).backgroundImage === "none" &&
      !node.disabled,
  );
  const contrasts = texts.map((node) => {
    const ground = behind(node);
    const [a, b] = [luminance(...ground), luminance(...ground, getComputedStyle(node).color)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return { text: node.textContent, contrast: Math.round(contrast * 100) / 100 };
  });
  return { ground: luminance(...behind(document.querySelector(".lobby"))), contrasts };
}

/** A match of two teams of two: a page and three others. The page enters by the room's id, which gives its person the same seat. */
async function sides(browser) {
  const ada = await browser.visit("Ada");
  const others = await Promise.all(["Bob", "Cy", "Dee"].map(guest));
  const room = ada.page.evaluate(async () => {
    return (await window.tickcast.server.matchmaking.enqueue("arena", { mode: "2v2" })).id;
  });
  const seats = others.map(async ({ socket, hears }) => {
    await answer(socket, "enqueue", { game: "arena", mode: "2v2" });
    await answer(socket, "accept", { check: (await hears("ready_check")).check });
    const { ticket } = await hears("matched");
    const seat = io(`${url}/gameplay`, { forceNew: true, auth: { ticket } });
    await next(seat, "welcome");
    return seat;
  });
  const id = await room;
  await ada.page.evaluate((id) => sessionStorage.setItem("tickcast.room", id), id);
  await ada.page.reload();
  await ada.playing();
  const colours = await until("four scores are shown", async () => {
    const dots = await ada.page.evaluate(() =>
      [...document.querySelectorAll(".arena-hud-scores .arena-dot")].map((dot) => dot.style.background),
    );
    return dots.length === 4 && dots;
  });
  const counts = [...new Set(colours)].map((one) => colours.filter((colour) => colour === one).length);
  assert.deepEqual(counts, [2, 2], `the colours are ${colours}`);
  await ada.picture("sides");
  await ada.close();
  for (const seat of await Promise.all(seats)) seat.disconnect();
  for (const other of others) other.go();
  say("two teams of two have two colours");
}
