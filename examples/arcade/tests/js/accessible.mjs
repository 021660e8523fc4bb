// Every view and every question of the page, in three sizes and both schemes: axe finds nothing wrong, and nothing is wider than the
// screen.

import assert from "node:assert/strict";

import { Browser } from "./browser.mjs";
import { bundled } from "./bundled.mjs";
import { main, packages, say, until, url } from "./support.mjs";

const { source } = packages.tests("axe-core");
const SIZES = [
  [390, 844],
  [844, 390],
  [1440, 900],
];

main(async () => {
  const { connect } = await bundled();
  const others = await Promise.all(["Bob", "Cy", "Dee"].map((name) => connect(url, { name })));
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  await until("the server knows Ada", () => ada.page.evaluate(() => window.tickcast.server.session.name === "Ada"));
  const counts = [];
  for (const [name, show] of [...lobby(ada, others), ...match(ada, others)]) {
    await show();
    counts.push(await look(ada, name));
  }
  assert.ok(
    counts.every((passes) => passes > 5),
    `axe has looked at little: ${counts}`,
  );
  assert.deepEqual(ada.complaints, []);
  await browser.close();
  for (const other of others) other.close();
  say(`${counts.length} states without a violation`);
});

/** The views of the lobby, each with the way there from the one before. */
function lobby({ page }, [bob]) {
  const view = (name) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
  return [
    [
      "play",
      async () => {
        await bob.lobby.create("arena");
        await page.locator(".rooms li").first().waitFor();
      },
    ],
    [
      "refused",
      async () => {
        await page.getByLabel("Your name").fill("Bot 3");
        await page.keyboard.press("Enter");
        await page.getByText("Your name is still Ada.").waitFor();
      },
    ],
    ["friends", () => view("Friends")],
    [
      "party",
      async () => {
        await page.getByRole("button", { name: "Create a party" }).click();
        await page.getByRole("img", { name: /^QR code/ }).waitFor();
      },
    ],
    [
      "chat",
      async () => {
        await view("Chat");
        await bob.lobby.chat.say("lobby", `Come to ${url}/#ABCD, or say why not`);
        await page.getByRole("log").getByText("say why not").waitFor();
      },
    ],
    ["person", () => page.getByRole("log").getByRole("link", { name: "Bob" }).click()],
    [
      "invited",
      async () => {
        await bob.lobby.party.create();
        await bob.lobby.party.invite(await page.evaluate(() => window.tickcast.server.session.user));
        await page.getByText("Bob invites you to a party.").waitFor();
      },
    ],
    ["met", () => view("Friends")],
    ["ranks", () => view("Ranks")],
    ["settings", () => view("Settings")],
  ];
}

/** A queue, a ready check, and what can be over a match. */
function match({ page }, others) {
  const dialog = page.getByRole("dialog");
  const close = async () => {
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  };
  return [
    [
      "queue",
      async () => {
        await page.getByRole("button", { name: "Not now" }).click();
        await page.getByRole("link", { name: "Play" }).click();
        await page.getByRole("button", { name: /^2 on 2/ }).click();
        await page.getByText("Place 1").waitFor();
      },
    ],
    [
      "ready",
      async () => {
        await others[0].lobby.party.leave();
        for (const { matchmaking } of others) void matchmaking.enqueue("arena", { mode: "2v2" });
        await dialog.getByText("Match found").waitFor();
      },
    ],
    [
      "match",
      async () => {
        await dialog.getByRole("button", { name: "Ready" }).click();
        await until("Ada plays", () => page.evaluate(() => window.tickcast.state()?.me !== undefined));
      },
    ],
    ["leaving", () => page.keyboard.press("Escape")],
    [
      "menu",
      async () => {
        await close();
        await page.getByRole("button", { name: "Menu" }).click();
      },
    ],
    [
      "match-chat",
      async () => {
        await close();
        await page.keyboard.press("Enter");
        await page.getByLabel("Message to Room").waitFor();
      },
    ],
    [
      "invite",
      async () => {
        await page.keyboard.press("Escape");
        await page.keyboard.press("Escape");
        await dialog.getByRole("button", { name: "Leave" }).click();
        await page.getByRole("button", { name: "Open a private Arena room" }).click();
        await page.getByRole("button", { name: /^Code / }).click();
        await dialog.getByRole("img", { name: /^QR code/ }).waitFor();
      },
    ],
    [
      "over",
      async () => {
        await close();
        // The end of a match, told by the page's own room.
        await page.evaluate(() => {
          const { room } = window.tickcast;
          room[Symbol.for("tickcast.inner")].handlers.over({ reason: "finished", message: "", winners: [room.seat] });
        });
        await dialog.getByRole("button", { name: "Play again" }).click({ trial: true });
      },
    ],
    [
      "watching",
      async () => {
        await dialog.getByRole("button", { name: "Back to the lobby" }).click();
        await page
          .getByRole("button", { name: /^Watch Arena/ })
          .first()
          .click();
        await page.getByRole("region", { name: "Watching" }).waitFor();
      },
    ],
    [
      "split",
      async () => {
        await page.goto(`${url}/?split=arena`);
        await until("two players", () => page.evaluate(playsInBoth));
      },
    ],
  ];
}

/** Runs in the page. Whether both sides of the split view play. */
function playsInBoth() {
  const sides = [...document.querySelectorAll("iframe")].map(
    ({ contentWindow }) => contentWindow.tickcast?.state()?.me,
  );
  return sides.length === 2 && sides.every(Boolean);
}

/** Looks at a state in all sizes and in both schemes. Returns how many rules of axe it passes. */
async function look(ada, name) {
  const { page } = ada;
  await page.evaluate(source);
  let passes = Number.POSITIVE_INFINITY;
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      const found = await page.evaluate(check);
      await ada.picture(`look-${name}-${colorScheme}-${width}`);
      assert.deepEqual(found.violations, [], `${name}, ${colorScheme}, ${width} x ${height}`);
      assert.ok(found.wide <= width, `${name} is ${found.wide} px wide on a screen of ${width}`);
      passes = Math.min(passes, found.passes);
    }
  }
  return passes;
}

/** Runs in the page. */
async function check() {
  const { violations, passes } = await window.axe.run(document, { resultTypes: ["violations"] });
  return {
    violations: violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`),
    passes: passes.length,
    wide: document.documentElement.scrollWidth,
  };
}
