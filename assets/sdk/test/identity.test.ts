// Where a guest's token is kept.

import { expect, test } from "vitest";

import { Identity } from "../src/identity.js";

/** The key under which the guest of a server is looked for. */
function key(url: string): string | undefined {
  let asked: string | undefined;
  const getItem = (name: string) => {
    asked = name;
    return null;
  };
  new Identity(url, { storage: { getItem, setItem: () => undefined, removeItem: () => undefined } });
  return asked;
}

test("servers below one origin keep their guests apart", () => {
  expect(key("https://play.test/a/")).toBe("tickcast:guest:https://play.test/a");
  expect(key("https://play.test/b")).toBe("tickcast:guest:https://play.test/b");
  expect(key("https://play.test/")).toBe("tickcast:guest:https://play.test");
  expect(key("https://play.test:443")).toBe(key("https://play.test/"));
});
