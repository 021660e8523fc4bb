// How the page looks: nothing lies on anything else on small screens, the light scheme is light, and texts can be read.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, say, until, url } from "./support.mjs";

const SIZES = [
  [390, 844],
  [320, 568],
  [844, 390],
  [760, 1000],
  [1101, 700],
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

/**
 * A match of two teams of two: a page and three others. The page enters by the room's id, which gives its person the same seat. All
 * fight until everything that has a colour has been seen.
 */
async function sides(browser) {
  const ada = await browser.visit("Ada", recordStyles);
  const { connect } = await bundled();
  const others = await Promise.all(["Bob", "Cy", "Dee"].map((name) => connect(url, { name })));
  const [id, ...rooms] = await Promise.all([
    ada.page.evaluate(async () => (await window.tickcast.server.matchmaking.enqueue("arena", { mode: "2v2" })).id),
    ...others.map(({ matchmaking }) => matchmaking.enqueue("arena", { mode: "2v2" })),
  ]);
  await ada.page.evaluate((id) => sessionStorage.setItem("tickcast.room", id), id);
  await ada.page.reload();
  const { seat } = await ada.playing();
  const colours = await until("four scores are shown", async () => {
    const dots = await ada.page.evaluate(() =>
      [...document.querySelectorAll(".arena-hud-scores .arena-dot")].map((dot) => dot.style.background),
    );
    return dots.length === 4 && dots;
  });
  const counts = [...new Set(colours)].map((one) => colours.filter((colour) => colour === one).length);
  assert.deepEqual(counts, [2, 2], `the colours are ${colours}`);
  await ada.picture("sides");

  const hues = [...new Set(colours.map(hueOf))].sort();
  const told = new Set();
  // The lobby has a picture with more colours.
  await ada.page.evaluate(() => window.styles.clear());
  await ada.page.mouse.move(640, 200);
  await ada.page.mouse.down();
  await until("all that has a colour is seen", async () => {
    for (const room of rooms) fight(room, seat);
    const { styles, names } = await ada.page.evaluate(() => ({
      styles: [...window.styles],
      names: [...document.querySelectorAll(".arena-feed span")].map((name) => name.style.color).filter(Boolean),
    }));
    for (const name of names) told.add(hueOf(name));
    return told.size > 1 && hues.every((hue) => STYLES.every((style) => styles.includes(`hsl(${hue} 85% ${style})`)));
  });
  await ada.page.mouse.up();
  await ada.picture("sides-fight");
  const drawn = await ada.page.evaluate(() => [...window.styles]);
  const strange = drawn.filter((style) => !hues.includes(hueOf(style)));
  assert.deepEqual(strange, [], `nothing has the colour of a seat, the sides have the hues ${hues}`);
  assert.deepEqual([...told].sort(), hues);
  assert.deepEqual(ada.complaints, []);
  await ada.close();
  for (const other of others) other.close();
  say("two teams of two have two colours: avatars, dots, shots, scores and the feed");
}

/** Walks and shoots at the player of a seat, or at the nearest enemy if that one is a friend. Turns aside where walls are. */
function fight(room, seat) {
  const avatars = room.view("Pos", "Side", "Seat", "Hp").filter(({ Hp }) => Hp > 0);
  const me = avatars.find(({ Seat }) => Seat === room.seat);
  if (!me) return;
  const way = (to) => ({ x: to.Pos.at.x - me.Pos.at.x, y: to.Pos.at.y - me.Pos.at.y });
  const distance = (to) => Math.hypot(way(to).x, way(to).y);
  const enemies = avatars.filter(({ Side }) => Side !== me.Side).sort((a, b) => distance(a) - distance(b));
  const target = avatars.find((one) => one.Seat === seat && one.Side !== me.Side) ?? enemies[0];
  if (!target) return;
  const { x, y } = way(target);
  const eighth = Math.round(Math.atan2(y, x) / (Math.PI / 4)) + (room.tick % 90 < 45 ? 0 : 2 - 4 * (room.seat % 2));
  const dir = ["E", "NE", "N", "NW", "W", "SW", "S", "SE"][(eighth + 8) % 8];
  const nearest = way(enemies[0] ?? target);
  room.input({ dir, aim: Math.atan2(nearest.y, nearest.x), fire: room.tick % 10 < 8, reload: room.tick % 200 < 5 });
}

/** The lightness and opacity in which avatars, dots on the small map and shots are drawn, and nothing else. */
const STYLES = ["66% / 1", "62% / 1", "92% / 0.9"];

/** The hue of a colour of a seat. Browsers tell colours of elements as red, green and blue. */
function hueOf(colour) {
  const [, hue] = /^hsl\((\d+) /.exec(colour) ?? [];
  if (hue) return Number(hue);
  const [r, g, b] = colour.match(/[\d.]+/g).map(Number);
  const most = Math.max(r, g, b);
  const chroma = most - Math.min(r, g, b);
  const sector = most === r ? (g - b) / chroma : most === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
  return Math.round((sector * 60 + 360) % 360);
}

/** Runs in the page. Records the colours of seats that are drawn with, which all have the same saturation. */
function recordStyles() {
  window.styles = new Set();
  const record = (style) => {
    if (typeof style === "string" && /^hsl\(\d+ 85% /.test(style)) window.styles.add(style);
  };
  const { prototype } = CanvasRenderingContext2D;
  for (const property of ["fillStyle", "strokeStyle"]) {
    const { get, set } = Object.getOwnPropertyDescriptor(prototype, property);
    Object.defineProperty(prototype, property, {
      get,
      set(style) {
        record(style);
        set.call(this, style);
      },
    });
  }
  const { addColorStop } = CanvasGradient.prototype;
  CanvasGradient.prototype.addColorStop = function (offset, style) {
    record(style);
    addColorStop.call(this, offset, style);
  };
}
