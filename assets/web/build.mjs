// Bundles the page into a folder: `npm run build -w web -- <outdir>`.
//
// The SDK is bundled from its sources and needs no build of its own.

import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] && resolve(process.env.INIT_CWD ?? process.cwd(), process.argv[2]);
if (!out) {
  console.error("usage: npm run build -w web -- <outdir>");
  process.exit(1);
}

await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  // The view of a game lies beside its rules, from where this package's node_modules are not found.
  nodePaths: [join(here, "../node_modules"), join(here, "node_modules")],
  alias: {
    "@tickcast/client": join(here, "../sdk/src/index.ts"),
    "@tickcast/web/view": join(here, "src/view.ts"),
  },
  logLevel: "warning",
});
await copyFile(join(here, "src/index.html"), join(out, "index.html"));

const client = dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json"));
await copyFile(join(client, "dist/socket.io.min.js"), join(out, "socket.io.js"));
