// Packs @tickcast/client as it would be published, installs the tarball into an empty Vite project, and type-checks,
// bundles and runs a program there: `npm run --prefix assets test:pack`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const assets = fileURLToPath(new URL(".", import.meta.url));
const { version: vite } = createRequire(import.meta.url)("vite/package.json");
const { version: typescript } = createRequire(import.meta.url)("typescript/package.json");
const NPM_OPTIONS = ["--no-audit", "--no-fund", "--loglevel=error"];

/** The settings that `npm create vite` writes for TypeScript without a framework, and the checking of libraries turned on. */
const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    module: "ESNext",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    moduleResolution: "bundler",
    types: ["vite/client"],
    strict: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ["src"],
};

const MAIN = `
import { connect, type Room, TickcastError } from "@tickcast/client";
import type { Inspector } from "@tickcast/client/inspector";

interface Yard {
  components: { Seat: number; Pos: { at: { x: number; y: number } } };
  events: { Hit: { victim: number } };
  input: { dir: "None" | "E"; fire: boolean };
}

async function play(): Promise<void> {
  const server = await connect("http://localhost:3000", { name: "Ada" });
  const room: Room<Yard> = await server.lobby.quick<Yard>("yard");
  room.on("Hit", ({ victim }) => console.log(victim));
  room.input({ dir: "E" });
  for (const { Pos } of room.view("Pos")) console.log(Pos.at.x);
  // @ts-expect-error: a component that the game does not have
  room.view("Speed");
  addEventListener("keydown", ({ code }) => code === "KeyI" && void open(room));
}

async function open(room: Room<Yard>): Promise<Inspector> {
  const { inspect, profiles, simulate } = await import("@tickcast/client/inspector");
  simulate(room, profiles.find(({ name }) => name === "poor") ?? null);
  return inspect(room, { parent: document.body });
}

play().catch((error: unknown) => console.log(error instanceof TickcastError ? error.code : error));
`;

async function run(program, args, cwd) {
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, shell: process.platform === "win32" });
    return stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(" ")} failed\n${error.stdout}${error.stderr}`);
  }
}

/** The path of the tarball, whose contents have been checked. */
async function pack(folder) {
  const [{ filename, files }] = JSON.parse(
    await run("npm", ["pack", "--json", "--pack-destination", folder], join(assets, "sdk")),
  );
  const paths = files.map(({ path }) => path);
  for (const path of [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "package.json",
    "dist/index.js",
    "dist/index.d.ts",
    "dist/inspector/index.js",
    "dist/inspector/index.d.ts",
  ]) {
    assert.ok(paths.includes(path), `the package has no ${path}: ${paths.join(" ")}`);
  }
  const strays = paths.filter(
    (path) =>
      !/^(dist\/(inspector\/)?[a-z_]+\.(js|js\.map|d\.ts)|dist\/conditions\.json|LICENSE-[A-Z]+|README\.md|package\.json)$/.test(
        path,
      ),
  );
  assert.deepEqual(strays, [], "the package has files that nobody needs");
  console.log(`packed ${filename}: ${paths.length} files`);
  return join(folder, filename);
}

async function createProject(folder, tarball) {
  await mkdir(join(folder, "src"), { recursive: true });
  const project = {
    name: "empty",
    private: true,
    type: "module",
    dependencies: { "@tickcast/client": `file:${tarball}` },
    devDependencies: { typescript, vite },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(project));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await writeFile(join(folder, "index.html"), '<script type="module" src="/src/main.ts"></script>');
  await writeFile(join(folder, "src/main.ts"), MAIN);
  await run("npm", ["install", ...NPM_OPTIONS], folder);
  console.log(`installed into a project with vite ${vite} and typescript ${typescript}`);
}

const folder = await mkdtemp(join(tmpdir(), "tickcast-pack-"));
try {
  const tarball = await pack(folder);
  const project = join(folder, "project");
  await createProject(project, tarball);
  await run("npx", ["tsc"], project);
  console.log("type-checked");
  await run("npx", ["vite", "build"], project);
  const built = await readdir(join(project, "dist/assets"));
  const script = (start) => {
    const name = built.find((name) => name.startsWith(start) && name.endsWith(".js"));
    assert.ok(name, `there is no script ${start}: ${built.join(" ")}`);
    return readFile(join(project, "dist/assets", name), "utf8");
  };
  const [main, later] = [await script("index-"), await script("predict-")];
  assert.match(main, /socket\.io-msgpack/);
  assert.ok(later.includes("tc_advance") && !main.includes("tc_advance"), "prediction is loaded with the rest");
  console.log(`built ${main.length} bytes of JavaScript, and ${later.length} that come when a room predicts`);
  const names = await run(
    "node",
    ["-p", "import('@tickcast/client').then((sdk) => console.log(Object.keys(sdk).join()))"],
    project,
  );
  assert.match(names, /FrameError,PredictionError,TickcastError,connect/);
  console.log("imported in Node");
} finally {
  await rm(folder, { recursive: true, force: true });
}
