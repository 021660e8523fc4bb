// The page in Chromium: one click, a match against bots, and a second visitor in the same room.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { main, say, until } from "./support.mjs";

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  assert.match(await ada.page.locator("[data-game=arena] h1").first().innerText(), /arena/i);
  await ada.picture("lobby");
  await ada.page.locator("[data-game=arena] button", { hasText: "Play" }).click();
  const { seat, entities } = await ada.playing();
  assert.ok(entities > 1, `${entities} entities, so no bots`);
  say(`one click, and Ada has seat ${seat} among ${entities} entities`);

  await ada.page.mouse.move(900, 300);
  say(`${await ada.walk()} walks the avatar`);
  await watchFight(ada, seat);
  await ada.picture("match");
  const bob = await joinByListing(browser, ada);
  assert.deepEqual([ada.complaints, bob.complaints], [[], []]);
  await renameAtOnce(browser);
  await obeyPolicy(ada.page);
  await browser.close();
});

/** The page may compile the rules of a game, and runs no script but the server's own. */
async function obeyPolicy(page) {
  const [compiles, injected, evaluated] = await page.evaluate(async () => {
    const module = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.body.append(script);
    let evaluated = true;
    try {
      new Function("return 1")();
    } catch {
      evaluated = false;
    }
    return [module instanceof WebAssembly.Module, window.injected === true, evaluated];
  });
  assert.deepEqual({ compiles, injected, evaluated }, { compiles: true, injected: false, evaluated: false });
  say("the page compiles a module, and runs no script from elsewhere");
}

/** Changes the name several times before the server answers. The page must ignore answers to the old names. */
async function renameAtOnce(browser) {
  const eve = await browser.open("Eve", () => {
    const names = ["Adam", "Eva", "Eve"];
    new MutationObserver(() => {
      const input = document.querySelector("#name");
      if (!input) return;
      // All names change before the first one is connected.
      for (const name of names.splice(0)) {
        input.value = name;
        input.dispatchEvent(new Event("change"));
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await eve.page.locator("[data-game=arena] button", { hasText: "Play" }).click();
  await eve.playing();
  assert.ok((await eve.names()).includes("Eve"));
  assert.deepEqual(eve.complaints, []);
  say("a visitor who changes the name before the lobby is there plays under the last name");
}

/** Waits until an avatar loses health or scores. */
async function watchFight(visitor, seat) {
  const before = await visitor.avatars();
  assert.ok(before.some((avatar) => avatar.seat !== seat));
  await until("somebody is hurt", async () => {
    const now = await visitor.avatars();
    return now.some(({ id, hp, frags }) => {
      const then = before.find((avatar) => avatar.id === id);
      return then && (hp !== then.hp || frags !== then.frags);
    });
  });
  say("the bots fight");
}

async function joinByListing(browser, ada) {
  const bob = await browser.visit("Bob");
  const join = bob.page.locator(".rooms li button", { hasText: "Join" }).first();
  await join.waitFor();
  await bob.picture("listing");
  await join.click();
  const { seat } = await bob.playing();
  const [here, there] = await Promise.all([ada, bob].map(({ page }) => page.evaluate(() => window.tickcast.room.id)));
  assert.equal(here, there);
  const { seat: adas } = await ada.playing();
  assert.notEqual(seat, adas);
  await until("both see each other", async () => {
    const [seen, met] = await Promise.all([ada.avatars(), bob.avatars()]);
    return seen.some((avatar) => avatar.seat === seat) && met.some((avatar) => avatar.seat === adas);
  });
  assert.deepEqual(await Promise.all([ada.names(), bob.names()]), [
    ["Ada", "Bob"],
    ["Ada", "Bob"],
  ]);
  const before = (await bob.avatars()).find((avatar) => avatar.seat === adas);
  await ada.walk();
  await until("Bob sees Ada walk", async () => {
    const now = (await bob.avatars()).find((avatar) => avatar.seat === adas);
    return now && Math.hypot(now.x - before.x, now.y - before.y) > 0.3;
  });
  await Promise.all([ada.picture("two-ada"), bob.picture("two-bob")]);
  say("two visitors in one room see each other");
  return bob;
}
