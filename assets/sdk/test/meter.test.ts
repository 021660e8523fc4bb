import { encode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";

import { KEPT, Meter } from "../src/inspector/meter.js";
import { Recording } from "../src/inspector/recording.js";
import { addFrame } from "../src/inspector/sizes.js";
import type { RoomStats } from "../src/types.js";
import { deflated, frame, schema, schemas } from "./support.js";

const stats = (more: Partial<RoomStats> = {}): RoomStats => ({
  rtt: 20,
  jitter: 3,
  delay: 2,
  lead: 1,
  margin: 1,
  frames: 0,
  bytes: 0,
  resyncs: 0,
  underruns: 0,
  prediction: undefined,
  ...more,
});
const predicted = (corrected: number, last = 0): RoomStats["prediction"] => ({
  source: "module",
  error: { p50: 0, p95: 0, last },
  corrections: corrected,
  corrected,
  replayed: 0,
});

describe("the parts of a frame", () => {
  const parts = (bytes: Uint8Array): Record<string, number> => {
    const sizes = new Map<string, number>();
    addFrame(sizes, bytes, schemas);
    return Object.fromEntries(sizes);
  };

  test("are named by what they are for, and together are the frame", () => {
    const bytes = frame(
      1,
      70_000,
      1,
      300,
      -3,
      [-3, [1]],
      [-2, 4, [2]],
      [-1, 0b11, [7], 1, 500, 4],
      [1, 0b11, [2], [300], [-200]],
      [2, 1, [2], [5]],
      [-4, 1, 4_000_000_000],
      [-5, 7],
    );
    const found = parts(bytes);
    expect(Object.keys(found)).toEqual(["heads", "despawns", "removals", "spawns", "Pos", "Hp", "checksums", "avatar"]);
    expect(Object.values(found).reduce((a, b) => a + b)).toBe(bytes.length);
    expect(found.Pos).toBe(encode([1, 0b11, [2], [300], [-200]]).length);
  });

  test("are found in packed lists and long arrays", () => {
    const many = Array.from({ length: 70_000 }, (_, k) => k % 200);
    const bytes = frame(1, 5, 1, 0, 0, [1, 1, new Uint8Array(300), new Uint8Array(70_000)], [2, 1, many, many]);
    const found = parts(bytes);
    expect(found.Pos).toBe(encode([1, 1, new Uint8Array(300), new Uint8Array(70_000)]).length);
    expect(found.Hp).toBe(encode([2, 1, many, many]).length);
  });

  test("of a compressed snapshot are one", () => {
    const bytes = deflated(0, 5, 0, 0, 0, [-1, 0b11, [0], 1, 2, 4]);
    expect(parts(bytes)).toEqual({ snapshots: bytes.length });
  });

  test("of any bytes are no more than these bytes", () => {
    let seed = 5;
    for (let n = 0; n < 3_000; n++) {
      const bytes = Uint8Array.from({ length: n % 40 }, () => (seed = (seed * 16_807) % 2_147_483_647) & 0xff);
      const sum = Object.values(parts(bytes)).reduce((a, b) => a + b, 0);
      expect(sum).toBeLessThanOrEqual(bytes.length);
    }
    const deep = new Uint8Array(1 << 20).fill(0x91);
    expect(parts(deep)).toEqual({ heads: deep.length });
  });
});

describe("a meter", () => {
  test("tells bytes a second both ways by what they are for", () => {
    const meter = new Meter(schemas, 0);
    const change = frame(1, 11, 1, 0, 0, [1, 1, [0], [2]]);
    for (let n = 0; n < 10; n++) meter.received("s", change);
    meter.received("e", encode([11, [7]]));
    meter.sent("i", encode([11]));
    meter.sent("i", encode([11, 1, 12, 0, 0, 0, 0]));
    meter.sent("t", undefined);
    const sample = meter.sample(500, stats());
    expect(sample.down).toBe(2 * (10 * change.length + encode([11, [7]]).length));
    expect(sample.up).toBe(2 * (2 + encode([11, 1, 12, 0, 0, 0, 0]).length));
    expect(meter.rates("down")[0]).toEqual(["Pos", 2 * 10 * encode([1, 1, [0], [2]]).length]);
    expect(Object.fromEntries(meter.rates("up"))).toMatchObject({ acknowledgements: 4, requests: 0 });
    for (let n = 0; n < 8; n++) meter.sample(500 + 250 * (n + 1), stats());
    expect(meter.rates("down")).toEqual([]);
  });

  test("tells gaps between frames, also one that has not ended", () => {
    const meter = new Meter(schemas, 0);
    meter.framed(0, 10, undefined);
    meter.framed(33, 11, undefined);
    meter.framed(133, 14, undefined);
    expect(meter.sample(150, stats())).toMatchObject({ gap: 100, ticks: 3 });
    expect(meter.sample(433, stats())).toMatchObject({ gap: 300, ticks: 0 });
  });

  test("tells how often prediction is corrected, and the greatest error", () => {
    const meter = new Meter(schemas, 0);
    meter.sample(0, stats({ prediction: predicted(90) }));
    meter.framed(10, 1, 0.5);
    meter.framed(20, 2, 0.25);
    for (let n = 1; n <= 40; n++) meter.sample(n * 250, stats({ prediction: predicted(90 + n) }));
    expect(meter.samples[1]).toMatchObject({ error: 0.5, corrections: 1 });
    expect(meter.correctionRate(10_000)).toBe(4 * 60);
    for (let n = 41; n <= 60; n++) meter.sample(n * 250, stats({ prediction: predicted(130) }));
    expect(meter.correctionRate(15_000)).toBeLessThanOrEqual(2 * 60 + 10);
    // Another source of steps counts from 0.
    expect(meter.sample(15_250, stats({ prediction: predicted(1) })).corrections).toBe(0);
  });

  test("one correction at the start is no rate", () => {
    const meter = new Meter(schemas, 0);
    meter.sample(0, stats({ prediction: predicted(0) }));
    meter.sample(250, stats({ prediction: predicted(1) }));
    expect(meter.correctionRate(250)).toBe(12);
  });

  test("keeps a bounded past", () => {
    const meter = new Meter(schemas, 0);
    for (let n = 0; n < 2 * KEPT; n++) meter.sample(n * 250, stats());
    expect(meter.samples).toHaveLength(KEPT);
  });
});

describe("a recording", () => {
  const begin = (entities: unknown[] = []): Recording =>
    new Recording(
      {
        recorded: 0,
        game: "yard",
        seat: 2,
        hz: 30,
        schema,
        config: {},
        conditions: null,
        client: "test",
        tick: 10,
        entities,
      },
      1_000,
    );

  test("has what passed of the match, and no token", () => {
    const recording = begin();
    recording.passed("down", "s", frame(1, 11, 1, 0, 0), 1_033.26);
    recording.passed("up", "i", encode([11]), 1_040);
    recording.passed("down", "welcome", { resume: "secret" }, 1_050);
    recording.passed("down", "seats", [{ seat: 2, name: "Ada" }], 1_060);
    recording.passed("down", "chat", new Uint8Array(3), 1_065);
    recording.note("Hit", 1_070);
    const { messages, notes } = recording.report;
    expect(messages.map(({ at, way, event }) => [at, way, event])).toEqual([
      [33.3, "down", "s"],
      [40, "up", "i"],
    ]);
    expect(Uint8Array.from(atob(messages[0]?.data ?? ""), (char) => char.charCodeAt(0))).toEqual(frame(1, 11, 1, 0, 0));
    expect(notes).toEqual([{ at: 70, text: "Hit" }]);
    expect(JSON.stringify(recording.report)).not.toMatch(/secret|Ada/);
  });

  test("is bounded, and says so", () => {
    const recording = begin(Array.from({ length: 3_000 }, (_, id) => ({ id })));
    expect(recording.report.truncated).toBe(true);
    for (let n = 0; n < 100; n++) recording.passed("down", "s", new Uint8Array(64 * 1024), n);
    for (let n = 0; n < 3_000; n++) recording.note("x", n);
    expect(JSON.stringify(recording.report).length).toBeLessThan(1_000_000);
  });
});
