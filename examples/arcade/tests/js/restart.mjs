// The server stops and comes back. The lobby says so. The page in a match says so, too, and then offers another match.

import { Browser } from "./browser.mjs";
import { main, say, server } from "./support.mjs";

const PATIENCE = { timeout: 60_000 };

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  const { page } = ada;
  await page.locator("[data-game=arena] button", { hasText: "Play" }).click();
  await ada.playing();
  const bob = await browser.visit("Bob");
  // The lobby is there before the connection under the new name is.
  await bob.page.waitForFunction(() => window.tickcast.server.session.name === "Bob");

  await server("stop");
  await bob.page.getByRole("alert").getByText("Connection lost").waitFor(PATIENCE);
  await bob.picture("lobby-reconnecting");
  say("the lobby says that it reconnects");
  await page.getByRole("alert").getByText("reconnecting").waitFor(PATIENCE);
  await ada.picture("reconnecting");
  say("the page says that it reconnects");

  await server("start");
  await bob.page
    .getByRole("alert")
    .getByText("Connection lost")
    .waitFor({ state: "hidden", ...PATIENCE });
  await bob.page.locator("[data-game=arena] button.primary").click();
  await bob.playing();
  await bob.close();
  say("the lobby goes on");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("The match has ended").waitFor(PATIENCE);
  await dialog.getByText("the server has restarted").waitFor(PATIENCE);
  await ada.picture("ended");
  say(`the page says: ${(await dialog.innerText()).replaceAll("\n", " | ")}`);
  await dialog.getByRole("button", { name: "Play again" }).click(PATIENCE);
  await ada.playing();
  await ada.walk();
  say("one click starts another match");
  await browser.close();
});
