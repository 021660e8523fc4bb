// Chromium, and the page in it.

import { join } from "node:path";

import { packages, until, url } from "./support.mjs";

const { chromium } = packages.tests("playwright-core");

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // A page behind another one must go on drawing.
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];
const SIZE = { width: 1280, height: 800 };
const KEYS = [
  ["KeyD", 1, 0],
  ["KeyW", 0, 1],
  ["KeyA", -1, 0],
  ["KeyS", 0, -1],
];

export class Browser {
  #chromium;

  static async start() {
    const browser = new Browser();
    browser.#chromium = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });
    return browser;
  }

  /** A visitor of their own, in the lobby. */
  async visit(name) {
    const visitor = await this.open(name);
    await visitor.page.getByLabel("Your name").fill(name);
    await visitor.page.keyboard.press("Enter");
    await visitor.page.locator("article.card").first().waitFor();
    return visitor;
  }

  /** A visitor who has not said their name. `script` runs in the page before anything else does. */
  async open(name, script = () => {}) {
    const page = await this.#chromium.newPage({ viewport: SIZE });
    const visitor = new Visitor(page, name);
    await page.addInitScript(script);
    await page.goto(url);
    return visitor;
  }

  close() {
    return this.#chromium.close();
  }
}

export class Visitor {
  /** What the page's console and its scripts complained of. */
  complaints = [];

  constructor(page, name) {
    this.page = page;
    this.name = name;
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  /** Waits until the visitor has an avatar. */
  async playing() {
    return until(`${this.name} plays`, async () => {
      const state = await this.state();
      return state?.status === "playing" && state.me ? state : undefined;
    });
  }

  state() {
    return this.page.evaluate(() => window.tickcast.state());
  }

  /** All avatars that the page knows of. */
  avatars() {
    return this.page.evaluate(() =>
      [...(window.tickcast.room?.entities ?? [])]
        .filter(({ Pos }) => Pos)
        .map(({ id, Seat, Pos, Hp, Frags }) => ({ id, seat: Seat, x: Pos.at.x, y: Pos.at.y, hp: Hp, frags: Frags })),
    );
  }

  /** Who plays, bots aside. */
  names() {
    return this.page.evaluate(() =>
      window.tickcast.room.seats.filter(({ status }) => status === "playing").map(({ name }) => name),
    );
  }

  picture(name) {
    return this.page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) });
  }

  /** Holds keys until one of them has walked the avatar a unit its way; walls and deaths may call for another. Returns the key. */
  async walk() {
    for (let attempt = 0; attempt < 12; attempt++) {
      const [key, x, y] = KEYS[attempt % KEYS.length];
      await this.page.keyboard.down(key);
      const way = await this.page.evaluate(watchWalk, { x, y });
      await this.page.keyboard.up(key);
      if (way.along >= 1 && way.aside < 0.5) return key;
    }
    throw new Error("the avatar did not walk as the keys said");
  }
}

/** In the page: how far the avatar walks along a direction and aside, in at most two seconds of the match's time. */
async function watchWalk({ x, y }) {
  const SETTLED = 8;
  const way = { along: 0, aside: 0 };
  let begun;
  let last;
  for (;;) {
    await new Promise(requestAnimationFrame);
    const { tick, me } = window.tickcast.state() ?? {};
    if (tick === undefined) return way;
    begun ??= tick;
    const step = last && me && { x: me.x - last.x, y: me.y - last.y };
    const alive = step && me.hp > 0 && Math.hypot(step.x, step.y) <= (tick - last.tick) * 0.22 + 0.1;
    // The first ticks may still obey an older key.
    if (alive && last.tick >= begun + SETTLED) {
      way.along += step.x * x + step.y * y;
      way.aside += Math.abs(step.x * y) + Math.abs(step.y * x);
    }
    last = me && { x: me.x, y: me.y, tick };
    if (way.along >= 1 || tick > begun + SETTLED + 60) return way;
  }
}
