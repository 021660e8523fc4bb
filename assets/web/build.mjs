// Bundles the page into a folder: `npm run build -w web -- <outdir>`.
//
// The SDK is bundled from its sources and needs no build of its own.
//
// Each file but the page itself has a hash of its content in its name, so that browsers keep it for good. Beside each file are its
// compressed forms, `.gz` and `.br`, which the server sends to browsers that take them.

import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, parse, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] && resolve(process.env.INIT_CWD ?? process.cwd(), process.argv[2]);
if (!out) {
  console.error("usage: npm run build -w web -- <outdir>");
  process.exit(1);
}

await mkdir(out, { recursive: true });
const { outputFiles, metafile } = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts" },
  outdir: out,
  write: false,
  metafile: true,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  // The view of a game lies beside its rules, from where this package's node_modules are not found.
  nodePaths: [join(here, "../node_modules"), join(here, "node_modules")],
  alias: {
    "@tickcast/client/inspector": join(here, "../sdk/src/inspector/index.ts"),
    "@tickcast/client": join(here, "../sdk/src/index.ts"),
    "@tickcast/web/view": join(here, "src/view.ts"),
  },
  logLevel: "warning",
});
const files = new Map(outputFiles.map(({ path, contents }) => [resolve(path), contents]));
const imports = new Map(
  Object.entries(metafile.outputs).map(([path, { imports }]) => [
    resolve(here, path),
    imports.filter(({ external }) => !external).map(({ path }) => resolve(here, path)),
  ]),
);
const hashed = new Map();
let page = await readFile(join(here, "src/index.html"), "utf8");
for (const path of files.keys()) {
  const name = await saveHashed(path);
  if (dirname(path) === out) page = page.replace(`"${parse(path).base}"`, `"${name}"`);
}
for (const name of ["app.js", "app.css"]) {
  if (page.includes(`"${name}"`)) throw new Error(`the build made no ${name}`);
}
await save("index.html", Buffer.from(page));

/** Saves a file under a name with a hash of its content, after those that it imports, whose names it contains. Returns the name. */
async function saveHashed(path) {
  if (hashed.has(path)) return hashed.get(path);
  let contents = files.get(path);
  const { name, ext } = parse(path);
  for (const imported of imports.get(path) ?? []) {
    const replaced = await saveHashed(imported);
    contents = Buffer.from(
      Buffer.from(contents)
        .toString()
        .replaceAll(`"./${parse(imported).base}"`, `"./${replaced}"`),
    );
  }
  // The server knows a hash by its at least 16 hexadecimal digits. A chunk has another already.
  const to = `${name.replace(/-[A-Z0-9]{8}$/, "")}-${createHash("sha256").update(contents).digest("hex").slice(0, 16)}${ext}`;
  hashed.set(path, to);
  await save(to, contents);
  return to;
}

/** Writes a file and its compressed forms. */
async function save(name, contents) {
  await writeFile(join(out, name), contents);
  await writeFile(join(out, `${name}.gz`), gzipSync(contents, { level: constants.Z_BEST_COMPRESSION }));
  await writeFile(join(out, `${name}.br`), brotliCompressSync(contents));
}

const client = dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json"));
await copyFile(join(client, "dist/socket.io.min.js"), join(out, "socket.io.js"));
