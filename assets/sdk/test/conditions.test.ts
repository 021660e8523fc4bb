import { expect, test } from "vitest";

import { profiles } from "../src/inspector/conditions.js";

test("each profile says how long the way is, how it varies and what is lost", () => {
  expect(profiles.map(({ name }) => name)).toEqual(["lan", "good", "average", "poor", "mobile"]);
  for (const { round_trip_ms, jitter_ms, loss } of profiles) {
    expect(jitter_ms).toBeLessThanOrEqual(round_trip_ms);
    expect(loss).toBeGreaterThanOrEqual(0);
    expect(loss).toBeLessThan(1);
  }
});

test("a mobile line is dead for a while, again and again", () => {
  expect(profiles.filter(({ blackout }) => blackout).map(({ name }) => name)).toEqual(["mobile"]);
  expect(profiles.at(-1)?.blackout?.for_s).toBe(2);
});
