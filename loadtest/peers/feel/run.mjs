// Plays in Chromium, for `loadtest feel`. The argument is one JSON object: what `page.mjs` needs, the file of the system's seat, and
// Chromium; the folder of a film, if one is wanted. Prints the traces as one line of JSON.

import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const assets = new URL("../../../assets/", import.meta.url);
const from = (folder) => createRequire(new URL(`${folder}package.json`, assets));
const path = (file, base = import.meta.url) => fileURLToPath(new URL(file, base));

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  // The page's own address is not one of this machine, as the page comes from here.
  "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
];

const { seat, rooms, film, chromium, ...options } = JSON.parse(process.argv[2]);
const browser = await from("")("playwright-core").chromium.launch({ executablePath: chromium, args: ARGUMENTS });
try {
  const page = await browser.newPage({ viewport: { width: 640, height: 400 } });
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  // The page needs no server: it is served here, as one of the direct address.
  await page.route("**/feel.html", (route) =>
    route.fulfill({ contentType: "text/html", body: "<!doctype html><canvas width=640 height=400></canvas>" }),
  );
  await page.goto(`${options.direct}/feel.html`);
  await page.addScriptTag({ content: await bundled() });
  if (film) await shoot(page);
  const traces = [];
  for (const room of rooms) traces.push(await page.evaluate((all) => window.feel(all), { ...options, ...room }));
  const epoch = await page.evaluate(() => performance.timeOrigin);
  console.log(JSON.stringify({ epoch, rooms: traces, complaints }));
} finally {
  await browser.close();
}

/** Films a dodge with and without prediction. Writes each picture, and a strip of all. */
async function shoot(page) {
  mkdirSync(film, { recursive: true });
  const write = (name, picture) => writeFileSync(join(film, `${name}.png`), Buffer.from(picture, "base64"));
  const rows = [];
  for (const predict of [true, false]) {
    const name = predict ? "with prediction" : "without prediction";
    const pictures = await page.evaluate((all) => window.film(all), { ...options, predict });
    for (const [n, picture] of pictures.entries()) write(`${name.replace(" ", "-")}-${n + 1}`, picture);
    rows.push({ name, pictures });
  }
  write("strip", await page.evaluate((all) => window.strip(all), rows));
}

/** The page's script, with the seat of one system. */
async function bundled() {
  const entry = `
    import { film, strip } from ${JSON.stringify(path("film.mjs"))};
    import { play } from ${JSON.stringify(path("page.mjs"))};
    import { enter } from ${JSON.stringify(path(seat))};
    window.feel = (options) => play(enter, options);
    window.film = (options) => film(enter, options);
    window.strip = strip;
  `;
  const { outputFiles } = await from("web/")("esbuild").build({
    stdin: { contents: entry, resolveDir: path(".") },
    alias: { "@tickcast/client": path("sdk/src/index.ts", assets) },
    bundle: true,
    format: "iife",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].text;
}
