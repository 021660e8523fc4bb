import { expect, test } from "vitest";

import { decodeFrame } from "../src/frame.js";
import { Mirror } from "../src/mirror.js";
import { Playback } from "../src/playback.js";
import { frame, schemas } from "./support.js";

const HZ = 30;
const MS = 1000 / HZ;
const FIRST = 100;

/** The same numbers each time, from 0 to 1 (mulberry32). */
function dice(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Ten seconds of an entity that moves two columns (one unit) a tick, over a line with this delay one way. Returns how far it moved from each
 * drawn picture to the next, in units a tick, and how old the picture was, in ticks; the first two seconds are left out.
 */
function watch(way: () => number): { speeds: number[]; ages: number[] } {
  const stage = new Playback(schemas, HZ, { late: false });
  const mirror = new Mirror(schemas);
  const truth = (now: number): number => FIRST + now / MS;
  stage.restart(0, FIRST);
  const arrivals: { at: number; bytes: Uint8Array }[] = [];
  for (let n = 0, at = 0; n < 10 * HZ; n++) {
    // TCP keeps the order: a late frame holds up those behind it.
    at = Math.max(at, n * MS + way());
    arrivals.push({
      at,
      bytes: n === 0 ? frame(0, FIRST, 0, 0, 0, [-1, 2, [0], 0, 0]) : frame(1, FIRST + n, 1, 0, 0, [1, 1, [0], [2]]),
    });
  }
  const speeds: number[] = [];
  const ages: number[] = [];
  let last: number | undefined;
  for (let now = 0; now < 9_800; now += 1000 / 60) {
    while ((arrivals[0]?.at ?? Infinity) <= now) {
      const { at, bytes } = arrivals.shift() ?? { at: 0, bytes: new Uint8Array() };
      const read = decodeFrame(bytes, schemas);
      stage.arrived(at, read, 0);
      const applied = mirror.apply(read);
      if (applied) stage.record(applied);
    }
    if (stage.timeIsDue(now)) {
      const [there, back] = [way(), way()];
      stage.timeTold(now, now + there + back, truth(now + there), 0);
    }
    const x = (stage.view(now, ["Pos"])[0] as { Pos: { at: { x: number } } } | undefined)?.Pos.at.x;
    if (x === undefined) continue;
    if (last !== undefined && now > 2_000) {
      speeds.push((x - last) / (1000 / 60 / MS));
      ages.push(truth(now) - FIRST - x);
    }
    last = x;
  }
  return { speeds, ages };
}

const most = (values: number[]): number => Math.max(...values);
const least = (values: number[]): number => Math.min(...values);

test("on a quick line the picture is two ticks old and moves evenly", () => {
  const { speeds, ages } = watch(() => 5);
  expect(most(ages)).toBeLessThan(2.1);
  expect(least(speeds)).toBeGreaterThan(0.95);
  expect(most(speeds)).toBeLessThan(1.05);
});

test("on a slow line it is as old as the way makes it", () => {
  const { speeds, ages } = watch(() => 80);
  expect(most(ages)).toBeLessThan(4);
  expect(least(speeds)).toBeGreaterThan(0.95);
  expect(most(speeds)).toBeLessThan(1.05);
});

test("jitter makes it older, but not uneven", () => {
  const roll = dice(7);
  const { speeds, ages } = watch(() => 30 + roll() * 40);
  expect(most(ages)).toBeLessThan(6);
  expect(least(speeds)).toBeGreaterThan(0.85);
  expect(most(speeds)).toBeLessThan(1.15);
});

test("rare stalls of the line stop it for a moment, and it is never far behind", () => {
  const roll = dice(7);
  const { speeds, ages } = watch(() => (roll() < 0.01 ? 250 : 20));
  expect(most(ages)).toBeLessThan(15);
  expect(least(speeds)).toBeGreaterThanOrEqual(0);
  expect(speeds.filter((speed) => speed < 0.5).length / speeds.length).toBeLessThan(0.1);
});
