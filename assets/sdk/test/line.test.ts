import { describe, expect, test } from "vitest";

import type { Conditions } from "../src/inspector/conditions.js";
import { Line, seeded } from "../src/inspector/line.js";

const conditions = (more: Partial<Conditions> = {}): Conditions => ({
  round_trip_ms: 100,
  jitter_ms: 0,
  loss: 0,
  blackout: null,
  ...more,
});

/** How long each of many messages is under way, one each 33 ms. */
function ways(given: Conditions, count = 2_000, seed = 7): number[] {
  const line = new Line(given, seeded(seed), 0);
  return Array.from({ length: count }, (_, k) => line.arrives(k * 33) - k * 33);
}

const share = (values: number[], holds: (value: number) => boolean): number =>
  values.filter(holds).length / values.length;

describe("a line", () => {
  test("takes half of the round trip each way", () => {
    expect(new Set(ways(conditions()))).toEqual(new Set([50]));
  });

  test("varies by half of the jitter each way, up and down", () => {
    const all = ways(conditions({ jitter_ms: 20 }));
    expect(Math.min(...all)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...all)).toBeLessThanOrEqual(60);
    expect(share(all, (way) => way < 50)).toBeCloseTo(0.5, 1);
    expect(Math.min(...all)).toBeLessThan(41);
    expect(Math.max(...all)).toBeGreaterThan(59);
  });

  test("keeps the order, whatever is lost", () => {
    const line = new Line(conditions({ jitter_ms: 90, loss: 0.2 }), seeded(3), 0);
    let last = 0;
    for (let now = 0; now < 20_000; now += 5) {
      const at = line.arrives(now);
      expect(at).toBeGreaterThanOrEqual(Math.max(last, now));
      last = at;
    }
  });

  test("shows a lost segment as a stall of a round trip and a quarter, in which what follows waits", () => {
    const line = new Line(conditions({ loss: 0.5 }), seeded(1), 0);
    const first = Array.from({ length: 50 }, (_, k) => line.arrives(1e6 * (k + 1)) - 1e6 * (k + 1));
    expect(share(first, (way) => way === 50)).toBeCloseTo(0.5, 0);
    expect(first).toContain(175);
    expect(first).toContain(425);
    const held = new Line(conditions({ loss: 0.5 }), seeded(1), 0);
    const lost = first.indexOf(175);
    for (let k = 0; k < lost; k++) held.arrives(1e6 * (k + 1));
    const at = held.arrives(1e6 * (lost + 1));
    expect(held.arrives(1e6 * (lost + 1) + 10)).toBeGreaterThanOrEqual(at);
  });

  test("loses the share that its conditions say", () => {
    const far = Array.from({ length: 5_000 }, () => 0);
    const line = new Line(conditions({ loss: 0.1 }), seeded(5), 0);
    const all = far.map((_, k) => line.arrives(k * 1e4) - k * 1e4);
    expect(share(all, (way) => way > 50)).toBeCloseTo(0.1, 1);
  });

  test("lets nothing through in a blackout, neither what is sent nor what is on its way", () => {
    const line = new Line(conditions({ blackout: { every_s: 20, for_s: 2 } }), seeded(1), 1_000);
    expect(line.arrives(10_900)).toBe(10_950);
    expect(line.arrives(10_960)).toBe(13_000);
    expect(line.arrives(11_500)).toBe(13_050);
    expect(line.arrives(13_100)).toBe(13_150);
    expect(line.arrives(31_000)).toBe(33_050);
  });

  test("repeats itself with the same seed, and only then", () => {
    const given = conditions({ jitter_ms: 30, loss: 0.1 });
    expect(ways(given, 50, 4)).toEqual(ways(given, 50, 4));
    expect(ways(given, 50, 4)).not.toEqual(ways(given, 50, 5));
  });

  test("keeps the order when its conditions change", () => {
    const line = new Line(conditions({ round_trip_ms: 400 }), seeded(1), 0);
    expect(line.arrives(0)).toBe(200);
    line.change(conditions({ round_trip_ms: 10 }), 50);
    expect(line.arrives(50)).toBe(200);
    expect(line.arrives(300)).toBe(305);
  });
});
