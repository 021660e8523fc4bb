// The size of the SDK as a page loads it, bundled by esbuild: minified, beside `socket.io-client`, and after gzip.

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { expect, test } from "vitest";

/** In bytes. */
const BUDGET = 18_000;

const { outputFiles, metafile } = await build({
  absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
  entryPoints: ["src/index.ts"],
  outdir: "out",
  write: false,
  metafile: true,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: "es2022",
  external: ["socket.io-client"],
});

test("the SDK adds no more than its budget to a page that plays without prediction", () => {
  const main = outputFiles.find(({ path }) => basename(path) === "index.js");
  const size = gzipSync(main?.contents ?? new Uint8Array(), { level: 9 }).length;
  expect(size).toBeGreaterThan(BUDGET / 2);
  expect(size, "bytes after gzip").toBeLessThanOrEqual(BUDGET);
});

test("what is loaded later is a file for each purpose, and these share no other one with the rest", () => {
  const files = Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, { inputs }]) => [
      basename(path).replace(/-[A-Z0-9]+\.js$/, ".js"),
      Object.keys(inputs).map((input) => basename(input)),
    ]),
  );
  expect(Object.keys(files).sort()).toEqual([
    "commands.js",
    "index.js",
    "inflate.js",
    "lobby_code.js",
    "packed.js",
    "predict.js",
    "scout.js",
  ]);
  expect(files["predict.js"]).toContain("rules_module.ts");
  expect(files["lobby_code.js"]).toContain("wait.ts");
  expect(files["index.js"]).not.toContain("rollback.ts");
  expect(files["index.js"]).not.toContain("wait.ts");
});
