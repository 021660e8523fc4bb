// Chromium with the page.

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
  // A page in the background must go on drawing.
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

  /** Opens a page, enters a name, and waits for the lobby. `script` runs before the page's own scripts. `device` has options of a context. */
  async visit(name, script, address, device) {
    const visitor = await this.open(name, script, address, device);
    await visitor.page.getByLabel("Your name").fill(name);
    await visitor.page.keyboard.press("Enter");
    await visitor.page.locator("article.card").first().waitFor();
    return visitor;
  }

  /** Opens a page without entering a name. `script` runs before the page's own scripts. */
  async open(name, script = () => {}, address = url, device = {}) {
    const context = await this.#chromium.newContext({ viewport: SIZE, ignoreHTTPSErrors: true, ...device });
    await context.addInitScript(script);
    return new Visitor(await context.newPage(), name).goto("", address);
  }

  close() {
    return this.#chromium.close();
  }
}

export class Visitor {
  /** The errors of the page's console and scripts. */
  complaints = [];

  constructor(page, name) {
    this.page = page;
    this.name = name;
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  /** Goes to the page, with a hash if it is given. */
  async goto(hash = "", address = url) {
    const { origin, pathname, search } = new URL(address);
    await this.page.goto(`${origin}${pathname.replace(/\/*$/, "/")}${search}${hash}`);
    return this;
  }

  /** Opens the page in another window of the same browser, as the same person. */
  async otherWindow() {
    return new Visitor(await this.page.context().newPage(), this.name).goto();
  }

  close() {
    return this.page.context().close();
  }

  /** Waits until the visitor has an avatar. */
  async playing() {
    try {
      return await until(`${this.name} plays`, async () => {
        const state = await this.state();
        return state?.status === "playing" && state.me ? state : undefined;
      });
    } catch (error) {
      await this.picture(`${this.name}-does-not-play`);
      throw new Error(`${error.message}. The page shows: ${await this.page.innerText("body")}`, {
        cause: this.complaints,
      });
    }
  }

  state() {
    return this.page.evaluate(() => window.tickcast?.state());
  }

  /** Returns all avatars in the page's mirror. */
  avatars() {
    return this.page.evaluate(() =>
      [...(window.tickcast.room?.entities ?? [])]
        .filter(({ Pos }) => Pos)
        .map(({ id, Seat, Pos, Hp, Frags }) => ({ id, seat: Seat, x: Pos.at.x, y: Pos.at.y, hp: Hp, frags: Frags })),
    );
  }

  /** Returns the names of the players, without bots. */
  names() {
    return this.page.evaluate(() =>
      window.tickcast.room.seats.filter(({ status }) => status === "playing").map(({ name }) => name),
    );
  }

  picture(name) {
    return this.page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) });
  }

  /** Holds one key after another until one has moved the avatar by a unit: walls and deaths stop it. Returns the key. */
  async walk() {
    for (let attempt = 0; attempt < 12; attempt++) {
      const [key, x, y] = KEYS[attempt % KEYS.length];
      await this.page.keyboard.down(key);
      const way = await this.page.evaluate(watchWalk, { x, y });
      await this.page.keyboard.up(key);
      if (way.along >= 1 && way.aside < 0.5) return key;
    }
    throw new Error("no key moved the avatar in its direction");
  }
}

/** Runs in the page. Measures how far the avatar walks along a direction and across it, for at most two seconds of the match. */
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
    // In the first ticks, the input of an older key may still act.
    if (alive && last.tick >= begun + SETTLED) {
      way.along += step.x * x + step.y * y;
      way.aside += Math.abs(step.x * y) + Math.abs(step.y * x);
    }
    last = me && { x: me.x, y: me.y, tick };
    if (way.along >= 1 || tick > begun + SETTLED + 60) return way;
  }
}
