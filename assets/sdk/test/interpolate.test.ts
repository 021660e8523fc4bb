import { describe, expect, test } from "vitest";

import { Timeline } from "../src/interpolate.js";
import { feed, schemas } from "./support.js";

/** A mirror whose frames are recorded. */
function stage(
  keep = 60,
  beyond?: { hz: number; seat?: number | undefined },
): {
  timeline: Timeline;
  take(...parts: unknown[]): void;
  at(tick: number, ...names: string[]): unknown[];
} {
  const timeline = new Timeline(schemas, keep, beyond);
  const { take } = feed();
  return {
    timeline,
    take(...parts) {
      const applied = take(...parts);
      if (!applied) throw new Error("the frame does not fit");
      timeline.record(applied);
    },
    at: (tick, ...names) =>
      timeline.sample(
        tick,
        names.map((name) => schemas.id(name)),
      ),
  };
}

const POS = 0b10;

describe("between two frames", () => {
  test("vectors and floats move linearly, other values stay", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, 2 ** 52 + 0b110, [0], 0, 0, 100, 0, 1, 0]);
    take(1, 11, 1, 0, 0, [1, 0b11, [0], [4], [8]], [2, 1, [0], [-50]], [52, 0b101, [0], [1], [10]]);
    const [half] = at(10.5, "Pos", "Hp", "Mood");
    expect(half).toEqual({
      id: 0,
      Pos: { at: { x: 1, y: 2 } },
      Hp: 100,
      Mood: { kind: "calm", awake: true, size: 0.5 },
    });
    const [full] = at(11, "Pos", "Hp", "Mood");
    expect(full).toEqual({ id: 0, Pos: { at: { x: 2, y: 4 } }, Hp: 50, Mood: { kind: "wild", awake: true, size: 1 } });
  });

  test("an angle turns the shorter way, also across zero", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, 0b1000, [-2], 250, 2]);
    take(1, 11, 1, 0, 0, [3, 1, [-2], [8, -8]]);
    const aims = at(10.25, "Aim").map((e) => Math.round(((e as { Aim: number }).Aim * 256) / 2 / Math.PI));
    expect(aims).toEqual([252, 0]);
  });

  test("the newest state holds once it is reached", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 11, 1, 0, 0, [1, 1, [0], [4]]);
    expect(at(15, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 2, y: 0 } } }]);
  });

  test("movement after a pause takes one tick, not the whole pause", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 11, 1, 0, 0);
    take(1, 21, 10, 0, 0, [1, 1, [0], [4]]);
    expect(at(19.9, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 0, y: 0 } } }]);
    expect(at(20.5, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 1, y: 0 } } }]);
  });

  test("movement is even with a frame every third tick", () => {
    const { timeline, take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 13, 3, 0, 0, [1, 1, [0], [6]]);
    expect(timeline.stride).toBe(3);
    expect(at(11, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 1, y: 0 } } }]);
  });

  test("the first movement in a room that was still is no slower than the others", () => {
    const { timeline, take, at } = stage(60, { hz: 30 });
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 40, 30, 0, 0);
    expect(timeline.stride).toBe(1);
    take(1, 70, 30, 0, 0, [1, 1, [0], [4]]);
    expect(at(68.9, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 0, y: 0 } } }]);
    expect(at(69.5, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 1, y: 0 } } }]);
  });

  test("a merged diff is spread over its ticks", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 11, 1, 0, 0);
    take(2, 15, 4, 0, 0, [1, 1, [0], [8]]);
    expect(at(13, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 2, y: 0 } } }]);
  });
});

describe("a moment", () => {
  test("shows an entity from its spawn to its despawn", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 11, 1, 0, 0, [-1, POS, [1], 2, 2]);
    take(1, 12, 1, 0, 0, [-3, [0]]);
    const there = (tick: number): unknown[] => at(tick, "Pos").map((e) => (e as { id: number }).id);
    expect([9, 10.9, 11, 11.9, 12].map(there)).toEqual([[], [0], [0, 1], [0, 1], [1]]);
  });

  test("treats a reused id as another entity", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0]);
    take(1, 11, 1, 0, 0, [-3, [0]], [-1, POS, [0], 100, 0]);
    expect(at(10.5, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 0, y: 0 } } }]);
    expect(at(11, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 50, y: 0 } } }]);
  });

  test("shows only entities with all of the components", () => {
    const { take, at } = stage();
    take(0, 10, 0, 0, 0, [-1, POS, [0], 0, 0], [-1, 0b110, [1], 0, 0, 9]);
    take(1, 11, 1, 0, 0, [2, 1, [0], [5]], [-2, 2, [1]]);
    const there = (tick: number): unknown[] => at(tick, "Pos", "Hp").map((e) => (e as { Hp: number }).Hp);
    expect(there(10.9)).toEqual([9]);
    expect(there(11)).toEqual([5]);
  });

  test("finds the player's own entity by its seat", () => {
    const { timeline, take } = stage();
    take(0, 10, 0, 0, 0, [-1, 0b11, [-2], 1, 0, 0, 2, 8, 8]);
    expect(timeline.owned(10, [1], 2)).toEqual({ id: 1, Pos: { at: { x: 4, y: 4 } } });
    expect(timeline.owned(10, [2], 2)).toBeUndefined();
    expect(timeline.owned(10, [1], 3)).toBeUndefined();
  });

  test("prefers the avatar to the player's other entities", () => {
    const { timeline, take } = stage();
    take(0, 10, 0, 0, 0, [-1, 0b11, [-2], 2, 0, 0, 2, 8, 8], [-1, 0b111, [2], 2, 4, 4, 9]);
    const owned = (avatar?: number, components = [1]): unknown => timeline.owned(10, components, 2, avatar)?.id;
    expect([owned(), owned(0), owned(1), owned(7)]).toEqual([0, 0, 1, 0]);
    expect(owned(1, [1, 2])).toBe(2);
  });
});

test("the past is forgotten, but not the present", () => {
  const { take, at } = stage(10);
  take(0, 0, 0, 0, 0, [-1, POS, [-2], 0, 0, 7, 7]);
  for (let tick = 1; tick <= 200; tick++) take(1, tick, 1, 0, 0, [1, 1, [0], [2]], ...(tick === 1 ? [[-3, [1]]] : []));
  expect(at(0.5, "Pos")).toEqual([]);
  expect(at(191.5, "Pos")).toEqual([{ id: 0, Pos: { at: { x: 191.5, y: 0 } } }]);
});

describe("beyond the newest frame", () => {
  const HZ = 30;
  const x = (samples: unknown[]): number => (samples[0] as { Pos: { at: { x: number } } }).Pos.at.x;

  /** An entity of seat 3 that moves these steps, half a unit each, in the ticks from 11 on. */
  function moved(steps: number[], seat?: number): ReturnType<typeof stage> {
    const played = stage(60, { hz: HZ, ...(seat && { seat }) });
    played.take(0, 10, 0, 0, 0, [-1, 0b11, [0], 3, 0, 0]);
    steps.forEach((step, n) => void played.take(1, 11 + n, 1, 0, 0, [1, 1, [0], [step]]));
    return played;
  }

  test("what moved evenly goes on for a quarter of a second", () => {
    const { at } = moved([2, 2, 2]);
    expect(x(at(13, "Pos"))).toBe(3);
    expect(x(at(15, "Pos"))).toBe(5);
    expect(x(at(20.5, "Pos"))).toBe(10.5);
    expect(x(at(40, "Pos"))).toBe(10.5);
  });

  test("what started, turned, jumped or belongs to the player waits", () => {
    for (const { steps, seat } of [
      { steps: [2] },
      { steps: [2, 2, -2] },
      { steps: [2, 2, 60] },
      { steps: [2, 2, 2], seat: 3 },
    ]) {
      const { at } = moved(steps, seat);
      const last = steps.reduce((sum, step) => sum + step) / 2;
      expect(x(at(15, "Pos")), String(steps)).toBe(last);
    }
  });

  test("what did not move in the newest frame has stopped", () => {
    const { take, at } = moved([2, 2, 2]);
    take(1, 14, 1, 0, 0);
    expect(x(at(16, "Pos"))).toBe(3);
  });

  test("the picture slides to where the entity went", () => {
    const { take, at } = moved([2, 2, 2]);
    expect(x(at(15, "Pos"))).toBe(5);
    take(1, 14, 1, 0, 0, [1, 1, [0], [2]]);
    take(1, 15, 1, 0, 0);
    expect(x(at(15, "Pos"))).toBeCloseTo(5);
    expect(x(at(15 + 0.06 * HZ, "Pos"))).toBeCloseTo(4.5);
    expect(x(at(30, "Pos"))).toBe(4);
  });

  test("a jump is drawn at once", () => {
    const { take, at } = moved([2, 2, 2]);
    expect(x(at(15, "Pos"))).toBe(5);
    take(1, 14, 1, 0, 0, [1, 1, [0], [60]]);
    expect(x(at(15, "Pos"))).toBe(33);
  });

  test("nothing slides where the movement went on", () => {
    const { take, at } = moved([2, 2, 2]);
    expect(x(at(14.5, "Pos"))).toBe(4.5);
    for (const tick of [14, 15, 16]) take(1, tick, 1, 0, 0, [1, 1, [0], [2]]);
    expect(x(at(14.6, "Pos"))).toBeCloseTo(4.6);
    expect(x(at(15.5, "Pos"))).toBeCloseTo(5.5);
  });
});
