import { expect, test } from "vitest";

import { clock, count, listed, sentence } from "../src/words.ts";

test("a message of an error becomes a sentence", () => {
  expect(sentence(new Error("no room has that id"))).toBe("No room has that id.");
  expect(sentence("Really?")).toBe("Really?");
});

test("numbers have their noun, and names their commas", () => {
  expect([count(0, "bot"), count(1, "bot"), count(2, "bot")]).toEqual(["0 bots", "1 bot", "2 bots"]);
  expect([listed([]), listed(["Ada"]), listed(["Ada", "Bob"]), listed(["Ada", "Bob", "Cy"])]).toEqual([
    "",
    "Ada",
    "Ada and Bob",
    "Ada, Bob and Cy",
  ]);
});

test("a time is told in minutes and seconds", () => {
  expect([clock(-1), clock(5), clock(65.4)]).toEqual(["0:00", "0:05", "1:05"]);
});
