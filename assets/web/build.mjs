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
  entryPoints: { app: "src/main.tsx" },
  outdir: out,
  write: false,
  metafile: true,
  bundle: true,
  // A module that `import()` names becomes a file of its own, which the page loads when it needs it.
  splitting: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  // The view of a game lies beside its rules, from where this package's node_modules are not found.
  nodePaths: [join(here, "../node_modules"), join(here, "node_modules")],
  alias: {
    "@tickcast/client/inspector": join(here, "../sdk/src/inspector/index.ts"),
    "@tickcast/client": join(here, "../sdk/src/index.ts"),
    "@tickcast/web/view": join(here, "src/view.ts"),
    "@tickcast/web/dom": join(here, "src/dom.ts"),
  },
  logLevel: "warning",
});
const bundled = new Map(outputFiles.map(({ path, contents }) => [path, Buffer.from(contents)]));
/** The files that each file imports, by their paths. */
const imports = new Map(
  Object.entries(metafile.outputs).map(([path, { imports }]) => [
    resolve(here, path),
    imports.filter(({ external }) => !external).map(({ path, kind }) => ({ path: resolve(here, path), kind })),
  ]),
);
const names = new Map();
let page = await readFile(join(here, "src/index.html"), "utf8");
for (const entry of ["app.js", "app.css"]) {
  if (!page.includes(`"${entry}"`)) throw new Error(`index.html does not name ${entry}`);
  page = page.replace(`"${entry}"`, `"${await saveHashed(join(out, entry))}"`);
}
await save("index.html", Buffer.from(preloading(page)));

/** Writes a file, after those that it imports, with a hash of its content in its name. Returns the name. */
async function saveHashed(path) {
  if (names.has(path)) return names.get(path);
  let text = bundled.get(path).toString();
  for (const { path: imported } of imports.get(path) ?? []) {
    text = text.replaceAll(parse(imported).base, await saveHashed(imported));
  }
  const { name, ext } = parse(path);
  // The server knows a hash by its at least 16 hexadecimal digits. A file that came of `import()` has another one already.
  const plain = name.replace(/-[A-Z0-9]{8}$/, "");
  const hashed = `${plain}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}${ext}`;
  names.set(path, hashed);
  await save(hashed, Buffer.from(text));
  return hashed;
}

/** Lets the page load what its script imports at once with the script, and not one after the other. */
function preloading(page) {
  const needed = new Set();
  const visit = (path) => {
    for (const { path: imported, kind } of imports.get(path) ?? []) {
      if (kind !== "import-statement" || needed.has(imported)) continue;
      needed.add(imported);
      visit(imported);
    }
  };
  visit(join(out, "app.js"));
  const links = [...needed].map((path) => `    <link rel="modulepreload" href="${names.get(path)}">\n`);
  return page.replace("  </head>", `${links.join("")}  </head>`);
}

/** Writes a file and its compressed forms. */
async function save(name, contents) {
  await writeFile(join(out, name), contents);
  await writeFile(join(out, `${name}.gz`), gzipSync(contents, { level: constants.Z_BEST_COMPRESSION }));
  await writeFile(join(out, `${name}.br`), brotliCompressSync(contents));
}

const client = dirname(createRequire(import.meta.url).resolve("socket.io-client/package.json"));
await copyFile(join(client, "dist/socket.io.min.js"), join(out, "socket.io.js"));
