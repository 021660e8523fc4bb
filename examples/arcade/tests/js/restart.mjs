// The server stops during a match and comes back without it. The page says so, and offers another match.

import { Browser } from "./browser.mjs";
import { main, say, server } from "./support.mjs";

const PATIENCE = { timeout: 60_000 };

main(async () => {
  const browser = await Browser.start();
  const ada = await browser.visit("Ada");
  const { page } = ada;
  await page.locator("article.card button", { hasText: "Play" }).click();
  await ada.playing();

  await server("stop");
  await page.getByRole("alert").getByText("reconnecting").waitFor(PATIENCE);
  await ada.picture("reconnecting");
  say("the page says that it reconnects");

  await server("start");
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
