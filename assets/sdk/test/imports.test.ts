import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

type Imports = ReadonlyMap<string, readonly string[]>;

/** The relative imports of every source file, those of types included. */
function importsOf(folder: URL): Imports {
  const files = readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith(".ts"));
  return new Map(
    files.map((name) => {
      const text = readFileSync(new URL(name, folder), "utf8");
      const targets = [...text.matchAll(/\bfrom "\.\/([a-z_-]+)\.js"/g)].map(([, target]) => `${target}.ts`);
      return [name, targets];
    }),
  );
}

/** The first circle that a depth-first search meets, such as `["a.ts", "b.ts", "a.ts"]`. */
function findCircle(imports: Imports): string[] | undefined {
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const target of imports.get(name) ?? []) {
      const circle = visit(target, [...path, name]);
      if (circle) return circle;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of imports.keys()) {
    const circle = visit(name, []);
    if (circle) return circle;
  }
  return undefined;
}

test("the sources import each other without a circle", () => {
  const imports = importsOf(new URL("../src/", import.meta.url));
  expect(imports.get("room.ts")).toContain("messages.ts");
  expect(findCircle(imports)).toBeUndefined();
});

test("the search finds a circle of any length", () => {
  const imports = new Map([
    ["top.ts", ["a.ts", "leaf.ts"]],
    ["a.ts", ["leaf.ts", "b.ts"]],
    ["b.ts", ["c.ts"]],
    ["c.ts", ["a.ts"]],
    ["leaf.ts", []],
  ]);
  expect(findCircle(imports)).toEqual(["a.ts", "b.ts", "c.ts", "a.ts"]);
  expect(findCircle(new Map([["a.ts", ["a.ts"]]]))).toEqual(["a.ts", "a.ts"]);
});
