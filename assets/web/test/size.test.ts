// The size of the page as a visitor loads it: the page, what it names, and the list of rooms and the chat, which it loads at once. What
// it loads later is not counted: the modules of rules, the prediction, the inspector, and what draws QR codes.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, expect, test } from "vitest";

/** In bytes, with brotli. */
const BUDGET = 80_000;

const out = mkdtempSync(join(tmpdir(), "tickcast-page-"));
afterAll(() => rmSync(out, { recursive: true }));
execFileSync(process.execPath, [fileURLToPath(new URL("../build.mjs", import.meta.url)), out]);

test("the first load stays below its budget", () => {
  const page = readFileSync(join(out, "index.html"), "utf8");
  const files = [...page.matchAll(/(?:src|href)="([^":]+\.(?:js|css))"/g)].map(([, name]) => name ?? "");
  expect(files.filter((name) => name.endsWith(".css"))).toHaveLength(1);
  expect(files.filter((name) => /^app-.*\.js$/.test(name))).toHaveLength(1);
  const atOnce = readdirSync(out).filter((name) => /^lobby_code-.*\.js$/.test(name));
  expect(atOnce).toHaveLength(1);
  const sizes = ["index.html", ...files, ...atOnce].map((name) => readFileSync(join(out, `${name}.br`)).length);
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  expect(size).toBeGreaterThan(BUDGET / 4);
  expect(size, "bytes with brotli").toBeLessThanOrEqual(BUDGET);
});

test("what draws QR codes is a file of its own", () => {
  const files = readdirSync(out).filter((name) => name.endsWith(".js"));
  const drawing = files.filter((name) => readFileSync(join(out, name), "utf8").includes("maskPattern"));
  expect(drawing).toHaveLength(1);
  expect(drawing[0]).not.toMatch(/^app-/);
});
