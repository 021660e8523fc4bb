import { describe, expect, test } from "vitest";

import { decodeFrame } from "../src/frame.js";
import { Mirror } from "../src/mirror.js";
import { Playback } from "../src/playback.js";
import { frame, schemas } from "./support.js";

const HZ = 30;
const MS = 1000 / HZ;
const FIRST = 100;

/** A reproducible sequence of numbers from 0 to 1 (mulberry32). */
function dice(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Plays ten seconds of an entity that moves two steps (one unit) per tick, over a connection with this one-way latency.
 * Returns the movement between consecutive pictures, in units per tick, and the age of each picture, in ticks. The first
 * two seconds are omitted.
 */
function play(way: () => number): { speeds: number[]; ages: number[]; underruns: number; jitter: number } {
  const playback = new Playback(schemas, HZ, { late: false });
  const mirror = new Mirror(schemas);
  const truth = (now: number): number => FIRST + now / MS;
  playback.restart(0, FIRST);
  const arrivals: { at: number; bytes: Uint8Array }[] = [];
  for (let n = 0, at = 0; n < 10 * HZ; n++) {
    // TCP keeps the order: a late frame delays those behind it.
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
      playback.arrived(at, read, { taken: 0, seq: 0, behind: 0 });
      const applied = mirror.apply(read);
      if (applied) playback.record(applied);
    }
    if (playback.timeIsDue(now)) {
      const [there, back] = [way(), way()];
      playback.timeTold(now, now + there + back, truth(now + there), 0);
    }
    const x = (playback.view(now, ["Pos"])[0] as { Pos: { at: { x: number } } } | undefined)?.Pos.at.x;
    if (x === undefined) continue;
    if (last !== undefined && now > 2_000) {
      speeds.push((x - last) / (1000 / 60 / MS));
      ages.push(truth(now) - FIRST - x);
    }
    last = x;
  }
  return { speeds, ages, underruns: playback.underruns, jitter: playback.jitter };
}

const most = (values: number[]): number => Math.max(...values);
const least = (values: number[]): number => Math.min(...values);

test("on a fast connection the picture is two ticks old and moves evenly", () => {
  const { speeds, ages } = play(() => 5);
  expect(most(ages)).toBeLessThan(2.1);
  expect(least(speeds)).toBeGreaterThan(0.95);
  expect(most(speeds)).toBeLessThan(1.05);
});

test("on a slow connection the picture is as old as the latency requires", () => {
  const { speeds, ages } = play(() => 80);
  expect(most(ages)).toBeLessThan(4);
  expect(least(speeds)).toBeGreaterThan(0.95);
  expect(most(speeds)).toBeLessThan(1.05);
});

test("jitter makes the picture older, but not uneven", () => {
  const roll = dice(7);
  const { speeds, ages } = play(() => 30 + roll() * 40);
  expect(most(ages)).toBeLessThan(6);
  expect(least(speeds)).toBeGreaterThan(0.85);
  expect(most(speeds)).toBeLessThan(1.15);
});

test("a rare stall stops the picture briefly and leaves no delay", () => {
  const roll = dice(7);
  const { speeds, ages } = play(() => (roll() < 0.01 ? 250 : 20));
  expect(most(ages)).toBeLessThan(15);
  expect(least(speeds)).toBeGreaterThanOrEqual(0);
  expect(speeds.filter((speed) => speed < 0.5).length / speeds.length).toBeLessThan(0.1);
});

test("on a line that loses packets the picture goes on, as old as the way and its jitter require", () => {
  const roll = dice(7);
  const { speeds, ages } = play(() => 50 + 7.5 * (2 * roll() - 1) + (roll() < 0.02 ? 150 : 0));
  const oldest = [...ages].sort((a, b) => a - b)[Math.floor(0.95 * ages.length)] ?? Infinity;
  // A way, a tick, and the jitter of two frames.
  expect(oldest * MS).toBeLessThan(50 + MS + 30);
  expect(speeds.filter((speed) => speed < 0.5).length / speeds.length).toBeLessThan(0.01);
});

test("jitter is measured, and a frame that came too late for its picture is counted", () => {
  const even = play(() => 20);
  expect(even.underruns).toBe(0);
  expect(even.jitter).toBeLessThan(1);
  const roll = dice(7);
  const uneven = play(() => 30 + roll() * 40);
  expect(uneven.jitter).toBeGreaterThan(3);
  expect(uneven.jitter).toBeLessThan(20);
  const stalls = dice(7);
  expect(play(() => (stalls() < 0.01 ? 250 : 20)).underruns).toBeGreaterThan(5);
});

test("a world in which nothing happens for a while has no underruns", () => {
  const playback = new Playback(schemas, HZ, { late: false });
  const mirror = new Mirror(schemas);
  playback.restart(0, FIRST);
  playback.timeTold(0, 0, FIRST, 0);
  const take = (now: number, bytes: Uint8Array): void => {
    const read = decodeFrame(bytes, schemas);
    playback.arrived(now, read, { taken: 0, seq: 0, behind: 0 });
    const applied = mirror.apply(read);
    if (applied) playback.record(applied);
  };
  take(0, frame(0, FIRST, 0, 0, 0, [-1, 2, [0], 0, 0]));
  take(MS, frame(1, FIRST + 1, 1, 0, 0, [1, 1, [0], [2]]));
  for (let now = 0; now <= 40 * MS; now += MS / 2) playback.view(now, ["Pos"]);
  take(40 * MS, frame(1, FIRST + 40, 39, 0, 0, [1, 1, [0], [2]]));
  expect(playback.underruns).toBe(0);
  for (let now = 40 * MS; now <= 45 * MS; now += MS / 2) playback.view(now, ["Pos"]);
  take(45 * MS, frame(1, FIRST + 41, 1, 0, 0, [1, 1, [0], [2]]));
  expect(playback.underruns).toBe(1);
});

describe("the local time", () => {
  /** The local time in ticks, and how much it is behind, each 10 ms after `lead` ticks were added to the target. */
  function follow(lead: number, ms: number): { tick: number; behind: number }[] {
    const playback = new Playback(schemas, HZ, { late: false });
    playback.timeTold(0, 0, FIRST, 0);
    expect(playback.local(0)).toEqual({ tick: FIRST + 1, behind: 0 });
    // An input that came late by all but one of these ticks.
    const late = decodeFrame(frame(0, FIRST, 0, 1, 1 - lead), schemas);
    playback.arrived(0, late, { taken: 1, seq: 1, behind: 0 });
    const times: { tick: number; behind: number }[] = [];
    for (let now = 10; now <= ms; now += 10) times.push(playback.local(now) ?? { tick: NaN, behind: NaN });
    return times;
  }

  test("runs 5% faster until it has reached its target", () => {
    // Four ticks take 80 ticks at a twentieth.
    const times = follow(4, 3_000);
    const speeds = times.slice(1).map(({ tick }, k) => ((tick - (times[k]?.tick ?? 0)) * MS) / 10);
    expect(most(speeds)).toBeCloseTo(1.05, 6);
    expect(least(speeds)).toBeCloseTo(1, 6);
    expect(times[255]?.behind).toBeGreaterThan(0.1);
    expect(times[270]?.behind).toBeCloseTo(0, 6);
  });

  test("jumps to a target that is more than a quarter of a second away", () => {
    expect(follow(7, 10)[0]?.behind).toBeGreaterThan(6);
    expect(follow(8, 10)[0]?.behind).toBe(0);
  });
});
