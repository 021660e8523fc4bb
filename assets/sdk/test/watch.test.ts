// The inspector's measurements in a match, in virtual time.

import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { profiles } from "../src/inspector/conditions.js";
import { MOST_CORRECTIONS, Watch } from "../src/inspector/watch.js";
import { loadPredict } from "../src/predict_later.js";
import { Match, step } from "./walking.js";

// The room predicts at once.
beforeAll(async () => void (await loadPredict()));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const average = profiles.find(({ name }) => name === "average") ?? null;

/** A match whose player predicts with some rules, walks to and fro, and is watched. */
async function watched(rules: typeof step = step): Promise<{ match: Match; watch: Watch }> {
  const match = new Match({ rtt: 20 });
  await match.play(0.5);
  match.room.predict(["Pos", "Aim", "Hp"], rules as never);
  return { match, watch: new Watch(match.room, () => undefined) };
}

async function walk(match: Match, seconds: number): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    match.room.input({ dir: n % 2 ? "E" : "W" });
    await match.play(1, () => match.room.view("Pos"));
  }
}

test("rules with one changed constant are found out by the rate of corrections", async () => {
  const changed: typeof step = (me, input, { dt }) => step(me, input, { dt: dt * 1.2 });
  const wrong = await watched(changed);
  await walk(wrong.match, 10);
  expect(wrong.watch.correctionRate).toBeGreaterThan(2 * MOST_CORRECTIONS);
  const right = await watched();
  await walk(right.match, 10);
  expect(right.watch.correctionRate).toBeLessThan(MOST_CORRECTIONS / 4);
});

test("right rules are not blamed for a bad line", async () => {
  const { match, watch } = await watched();
  watch.simulate(average);
  await walk(match, 15);
  expect(watch.correctionRate).toBeLessThan(MOST_CORRECTIONS / 2);
});

test("the figures show a simulated line, and the match goes on over it", async () => {
  const { match, watch } = await watched();
  await walk(match, 3);
  const before = watch.meter.samples.at(-1);
  expect(before?.rtt).toBeGreaterThan(19);
  expect(before?.rtt).toBeLessThan(60);
  expect(before?.down).toBeGreaterThan(300);
  expect(before?.up).toBeGreaterThan(0);
  expect(before?.gap).toBeLessThan(60);
  watch.simulate(average);
  await walk(match, 12);
  const after = watch.meter.samples.at(-1);
  expect(after?.rtt).toBeGreaterThan(before?.rtt ?? Infinity);
  expect(after?.rtt).toBeGreaterThan(90);
  expect(after?.lead).toBeGreaterThan((before?.lead ?? Infinity) + 0.5);
  match.room.input({ dir: "N" });
  await match.play(1);
  expect(match.me.Pos.at.y).toBeGreaterThan(12);
});

test("what is predicted is drawn or not, and the prediction goes on", async () => {
  const { match, watch } = await watched();
  watch.simulate(average);
  match.room.input({ dir: "E" });
  /** How far the picture is behind the server, by `me` and by `view`, in units. */
  const behind = async (): Promise<number[]> => {
    await match.play(3);
    const drawn = [match.room.me("Pos"), match.room.view("Pos")[0]];
    return drawn.map((entity) => match.me.Pos.at.x - entity?.Pos.at.x);
  };
  for (const units of await behind()) expect(units).toBeLessThan(0.1);
  watch.draws = false;
  for (const units of await behind()) expect(units).toBeGreaterThan(0.3);
  expect(match.room.stats.prediction?.error.p95).toBeLessThan(1 / 16);
  watch.close();
  for (const units of await behind()) expect(units).toBeLessThan(0.1);
});

test("ten seconds are recorded, and fewer if the inspector closes", async () => {
  const { match, watch } = await watched();
  const whole = watch.record();
  expect(watch.record()).toBeUndefined();
  await walk(match, 11);
  const report = await whole;
  expect(report?.messages.filter(({ event }) => event === "s").length).toBeGreaterThan(280);
  expect(report?.samples).toHaveLength(40);
  expect(report?.entities).toEqual([{ id: 5, Seat: 2, Pos: { at: { x: 10, y: 10 } }, Aim: 0, Hp: 100 }]);
  expect(JSON.parse(JSON.stringify(report)).game).toBe("walk");
  const part = watch.record();
  await walk(match, 1);
  watch.close();
  expect((await part)?.samples).toHaveLength(4);
});

test("what happened is noted", async () => {
  const { match, watch } = await watched();
  match.disconnect();
  await match.play(0.2);
  match.reconnect();
  await match.play(0.2);
  expect(watch.notes.map(({ text, isBad }) => [text, isBad])).toEqual([
    ["reconnecting", true],
    ["playing", false],
  ]);
});

test("a closed inspector leaves the room as it was", async () => {
  const match = new Match({ rtt: 20 });
  await match.play(0.5);
  const state = (): unknown => [match.channel.listening(), Object.keys(match.channel).sort(), vi.getTimerCount()];
  // At rest, the timers of the fake line come and go with its traffic.
  match.runs = false;
  await match.play(1);
  const before = state();
  const watch = new Watch(match.room, () => undefined);
  watch.simulate(average);
  watch.draws = false;
  await match.play(3);
  expect(state()).not.toEqual(before);
  watch.close();
  await match.play(1);
  expect(state()).toEqual(before);
  watch.close();
  expect(state()).toEqual(before);
});
