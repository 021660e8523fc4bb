// Two windows of a made game: both take seats, draw and predict, and a window loads again when the page is built anew.
// `node two_windows.mjs URL CHROMIUM predicts`; it ends when the page has been built anew. Without a module, browsers do not predict.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../../assets/package.json", import.meta.url))("playwright-core");
const [url, executablePath, prediction] = process.argv.slice(2);
const predicts = prediction === "predicts";
/** The longest that a step may take on a slow and busy machine. */
const PATIENCE_MS = 300_000;

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const windows = [await open(), await open()];
for (const { page, complaints, told, answers } of windows) {
  await page.getByRole("status").getByText("You are in seat").waitFor();
  await page.waitForFunction(isDrawn);
  const hasModule = () => answers.includes("200 /rules/my-game.wasm");
  while (predicts ? !hasModule() : told.length === 0) await page.waitForTimeout(50);
  assert.deepEqual(complaints, []);
  if (predicts) assert.deepEqual(told, [], "the module is taken");
}
console.log("plays in two windows");
await windows[0].page.waitForEvent("load", { timeout: 4 * PATIENCE_MS });
await windows[0].page.getByRole("status").getByText("You are in seat").waitFor();
console.log("loaded again");
await browser.close();

async function open() {
  const page = await (await browser.newContext()).newPage();
  const complaints = [];
  const told = [];
  const answers = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("response", (response) => answers.push(`${response.status()} ${new URL(response.url()).pathname}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
    if (message.type() === "info") told.push(message.text());
  });
  await page.goto(url);
  return { page, complaints, told, answers };
}

/** Runs in the page: returns whether the canvas has more than one colour. */
function isDrawn() {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value !== 0);
}
