import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

type Imports = ReadonlyMap<string, readonly string[]>;

/** The relative imports of every source file, those of types included, or without them. */
function importsOf(folder: URL, types = true): Imports {
  const files = readdirSync(fileURLToPath(folder), { recursive: true, encoding: "utf8" });
  return new Map(
    files
      .filter((name) => name.endsWith(".ts"))
      .map((name) => {
        const text = readFileSync(new URL(name, folder), "utf8");
        const found = [...text.matchAll(/^(?:import|export)( type)? [^;]*? from "(\.[a-z_./-]+)\.js"/gm)];
        const kept = found.filter(([, type]) => types || !type).map(([, , target]) => target);
        const later = [...text.matchAll(/\bimport\("(\.[a-z_./-]+)\.js"\)/g)].map(([, target]) => target);
        return [name, [...kept, ...later].map((target) => posix.join(posix.dirname(name), `${target}.ts`))];
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
  expect(imports.get("inspector/wire.ts")).toContain("inner.ts");
  expect(findCircle(imports)).toBeUndefined();
});

test("the SDK and its inspector share no code, so that a page without the inspector loads none of it", () => {
  const isInspector = (name: string): boolean => name.startsWith("inspector/");
  const crossing = [...importsOf(new URL("../src/", import.meta.url), false)].flatMap(([name, targets]) =>
    targets.filter((target) => isInspector(name) !== isInspector(target)).map((target) => `${name} -> ${target}`),
  );
  expect(crossing).toEqual([]);
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
