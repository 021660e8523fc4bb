import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import type { PredictionError } from "../src/errors.js";
import { loadPredict } from "../src/predict_later.js";
import type { PredictOptions } from "../src/types.js";
import type { Line } from "./walking.js";
import { HZ, Match, SPEED, step } from "./walking.js";

// The room predicts at once.
beforeAll(async () => void (await loadPredict()));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FRAME = 1000 / 60;

/** A match whose player predicts, after the first second. */
async function predicted(line: Line = {}, options: PredictOptions = {}): Promise<Match> {
  const match = new Match(line);
  await match.play(0.5);
  match.room.predict(["Pos", "Aim", "Hp"], step as never, options);
  match.room.input({ dir: "None" });
  await match.play(0.5);
  return match;
}

const x = ({ room }: Match): number => room.me("Pos")?.Pos.at.x as number;

describe("the own avatar", () => {
  test.each([0, 100, 300])("moves in the picture after the key at a round trip of %i ms", async (rtt) => {
    const match = await predicted({ rtt });
    const before = x(match);
    match.room.input({ dir: "E" });
    expect(x(match), "nothing jumps").toBeCloseTo(before, 6);
    await vi.advanceTimersByTimeAsync(FRAME);
    expect(x(match) - before).toBeGreaterThan((0.9 * SPEED) / 60);
    expect(x(match) - before).toBeLessThan((3 * SPEED) / 60);
  });

  test("is drawn where the input would have it without prediction only later", async () => {
    const match = new Match({ rtt: 100 });
    await match.play(1);
    match.room.input({ dir: "E" });
    await match.play(0.1);
    expect(x(match)).toBe(10);
  });

  test("moves at an even speed, through jitter, and needs no correction in straight play", async () => {
    const match = await predicted({ rtt: 100, jitter: 15 });
    match.room.input({ dir: "E" });
    await match.play(0.5);
    const xs: number[] = [];
    await match.play(2, () => xs.push(x(match)));
    const speeds = xs.slice(1).map((at, k) => (at - (xs[k] ?? 0)) * 60);
    expect(Math.min(...speeds)).toBeGreaterThan(0.9 * SPEED);
    expect(Math.max(...speeds)).toBeLessThan(1.1 * SPEED);
    expect(match.room.stats.prediction).toMatchObject({ source: "function", corrections: 0, replayed: 0 });
    expect(match.room.stats.prediction?.error.p95).toBeLessThanOrEqual(1 / 32);
  });

  test("stops where the server has it, and the unrounded value goes on", async () => {
    const match = await predicted({ rtt: 100 });
    for (const dir of ["E", "N", "W", "E", "S"] as const) {
      match.room.input({ dir });
      await match.play(0.37);
    }
    match.room.input({ dir: "None" });
    await match.play(1);
    const me = match.room.me("Pos");
    expect(me?.Pos.at.x).toBeCloseTo(match.me.Pos.at.x, 4);
    expect(me?.Pos.at.y).toBeCloseTo(match.me.Pos.at.y, 4);
    expect(match.room.stats.prediction?.corrections).toBe(0);
  });

  test("turns at once, the shorter way", async () => {
    const match = await predicted({ rtt: 100 });
    match.room.input({ aim: 0.1 });
    await match.play(0.2);
    match.room.input({ aim: 2 * Math.PI - 0.1 });
    const aims: number[] = [];
    await match.play(0.1, () => aims.push(match.room.me("Aim")?.Aim as number));
    for (const aim of aims) expect(Math.min(aim, 2 * Math.PI - aim)).toBeLessThan(0.11);
    expect(aims.at(-1)).toBeCloseTo(2 * Math.PI - 0.1, 2);
  });
});

describe("a one-shot", () => {
  test("acts in its tick alone, here and on the server", async () => {
    const match = await predicted({ rtt: 100 });
    match.room.input({ dir: "E", dash: true });
    match.room.input({ dir: "E" });
    await match.play(1);
    const walked = match.me.Pos.at.x - 10;
    expect(walked).toBeGreaterThan(2 + 0.8 * SPEED);
    expect(walked).toBeLessThan(2 + SPEED);
    expect(match.room.stats.prediction?.corrections).toBe(0);
    const dashes = match.inputs.filter(({ row }) => row[2] === 1);
    expect(dashes).toHaveLength(1);
  });
});

describe("local ticks", () => {
  test("send each change once, for the tick of its own", async () => {
    const match = await predicted({ rtt: 100 });
    const from = match.inputs.length;
    let n = 0;
    await match.play(1, () => match.room.input({ aim: (n++ % 60) / 10 }));
    await match.play(0.2);
    const ticks = match.inputs.slice(from).map(({ tick }) => tick);
    expect(ticks.length).toBeGreaterThanOrEqual(HZ - 1);
    expect(ticks.length).toBeLessThanOrEqual(HZ + 2);
    expect(new Set(ticks).size).toBe(ticks.length);
    expect(match.inputs.every(({ tick, act }) => act === tick || tick === 0)).toBe(true);
  });

  test("go on without pictures", async () => {
    const match = await predicted({ rtt: 50 });
    match.room.input({ dir: "E" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(match.me.Pos.at.x).toBeGreaterThan(10 + 0.85 * SPEED);
    match.room.leave();
    match.runs = false;
  });
});

describe("late inputs", () => {
  test("are rare once the line has shown its stalls", async () => {
    const match = await predicted({ rtt: 100, jitter: 15, loss: 0.02 });
    const late = (): number => match.inputs.filter(({ act, tick }) => tick > 0 && act > tick).length;
    const walk = async (seconds: number): Promise<void> => {
      for (let n = 0; n < seconds * 2; n++) {
        match.room.input({ dir: (["E", "N", "W", "S"] as const)[n % 4] ?? "None" });
        // A mouse that turns sends an input in each tick.
        await match.play(0.5, (now) => match.room.input({ aim: (now / 1000) % 6 }));
      }
    };
    await walk(10);
    const before = [late(), match.room.stats.prediction?.corrections ?? 0];
    await walk(30);
    expect([late(), match.room.stats.prediction?.corrections]).toEqual(before);
  });

  test("are put where they acted", async () => {
    const match = await predicted({ rtt: 60 });
    match.blackout = true;
    match.room.input({ dir: "E", dash: true });
    await match.play(0.2);
    match.lift();
    await match.play(1);
    const input = match.inputs.at(-1);
    expect(input?.act).toBeGreaterThan(input?.tick ?? 0);
    match.room.input({ dir: "None" });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
  });
});

describe("a correction", () => {
  test("slides to where the server has the avatar, by half in 60 ms", async () => {
    const match = await predicted({ rtt: 100 });
    match.me.Pos.at.x += 1;
    const from = x(match);
    const xs: number[] = [];
    await match.play(0.6, () => xs.push(x(match)));
    const begun = xs.findIndex((at) => at > from + 0.001);
    expect(xs[begun]! - from).toBeLessThan(0.3);
    expect(xs[begun + 3]! - from).toBeGreaterThan(0.4);
    expect(xs.at(-1)).toBeCloseTo(11, 1);
    for (let k = 1; k < xs.length; k++) expect(xs[k]! - xs[k - 1]!).toBeLessThan(0.25);
    expect(match.room.stats.prediction?.corrections).toBe(1);
    expect(match.room.stats.prediction?.replayed).toBeGreaterThanOrEqual(3);
  });

  test("beyond the distance to snap is drawn at once", async () => {
    const match = await predicted({ rtt: 100 }, { snap: 3 });
    match.me.Pos.at = { x: 30, y: 20 };
    match.me.Hp = 90;
    const xs: number[] = [];
    await match.play(0.6, () => xs.push(x(match)));
    for (const at of xs) expect([10, 30].some((place) => Math.abs(at - place) < 1e-6)).toBe(true);
    expect(xs.at(-1)).toBe(30);
  });

  test("to another avatar is drawn at once", async () => {
    const match = await predicted({ rtt: 100 });
    match.me = { id: 9, Pos: { at: { x: 11, y: 20 } }, Aim: 0, Hp: 100 };
    const xs: number[] = [];
    await match.play(1, () => xs.push(x(match)));
    for (const at of xs) expect([10, 11]).toContain(at);
    match.room.input({ dir: "E" });
    await match.play(0.5);
    match.me = { id: 12, Pos: { at: { x: 11, y: 20 } }, Aim: 0, Hp: 100 };
    await match.play(0.5);
    expect(match.me.Pos.at.x, "the input is sent again for it").toBeGreaterThan(12);
    match.room.input({ dir: "None" });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
    match.me.Pos.at.x = 11;
    await match.play(1);
    match.room.input({ dir: "E" });
    await vi.advanceTimersByTimeAsync(2 * FRAME);
    expect(x(match)).toBeGreaterThan(11.05);
  });
});

describe("over a bad line", () => {
  test.each([
    { rtt: 40, jitter: 6, loss: 0.002 },
    { rtt: 100, jitter: 15, loss: 0.02 },
    { rtt: 200, jitter: 30, loss: 0.1 },
  ])("it plays as the reference does: %j", async (line) => {
    const match = await predicted(line, { snap: 3 });
    const dirs = ["E", "N", "W", "S", "None"] as const;
    let n = 0;
    const jumps: number[] = [];
    let last = x(match);
    await match.play(20, () => {
      if (n++ % 23 === 0) match.room.input({ dir: dirs[(n * 7) % 5], dash: false });
      match.room.input({ aim: (n % 100) / 20 });
      const at = x(match);
      jumps.push(Math.abs(at - last));
      last = at;
    });
    expect(Math.max(...jumps), "no jump of the picture").toBeLessThan((8 * SPEED) / 60);
    match.room.input({ dir: "None" });
    await match.play(2);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
    expect(match.room.stats.prediction?.error.p50).toBeLessThanOrEqual(1 / 32);
  });
});

describe("a blackout", () => {
  test("stops the prediction after a second, and ends in step within half a second", async () => {
    const match = await predicted({ rtt: 100, jitter: 40 }, { snap: 3 });
    match.room.input({ dir: "E" });
    await match.play(0.5);
    match.blackout = true;
    await match.play(2);
    const stopped = x(match);
    await match.play(0.5);
    expect(x(match), "the prediction has stopped").toBeCloseTo(stopped, 6);
    match.lift();
    match.room.input({ dir: "None" });
    await match.play(0.5);
    const { tick } = match.room;
    expect(match.tick - tick).toBeLessThan(5);
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
  });
});

describe("a lost connection", () => {
  test("draws what the server told last", async () => {
    const match = await predicted({ rtt: 100 });
    match.room.input({ dir: "E" });
    await match.play(0.5);
    match.disconnect();
    await match.play(0.5);
    expect(x(match)).toBe((match.room.get(5) as { Pos?: { at: { x: number } } } | undefined)?.Pos?.at.x);
  });

  test("lets the input rest, until it can be sent again", async () => {
    const match = await predicted({ rtt: 100 });
    match.room.input({ dir: "E" });
    await match.play(0.5);
    match.disconnect();
    await match.play(0.5);
    match.saturated = true;
    match.reconnect();
    const from = match.me.Pos.at.x;
    // The step that is not over yet is drawn with the input that is wanted.
    await match.play(1, () => expect(Math.abs(x(match) - from)).toBeLessThanOrEqual(SPEED / HZ));
    match.saturated = false;
    await match.play(1);
    expect(x(match)).toBeGreaterThan(from + 0.8 * SPEED);
  });

  test("suspends prediction, and a resume starts it anew", async () => {
    const match = await predicted({ rtt: 100 }, { snap: 3 });
    match.room.input({ dir: "E" });
    await match.play(0.5);
    match.disconnect();
    await match.play(1);
    match.reconnect();
    await match.play(1);
    match.room.input({ dir: "None" });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
    const before = x(match);
    match.room.input({ dir: "W" });
    await vi.advanceTimersByTimeAsync(FRAME);
    expect(x(match)).toBeLessThan(before);
  });
});

describe("a hidden page", () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const show = (state: string): void => {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  beforeEach(() => void vi.stubGlobal("document", page));
  afterEach(() => void vi.unstubAllGlobals());

  test("lets the input rest, and comes back in step without a burst", async () => {
    const match = await predicted({ rtt: 100 });
    match.room.input({ dir: "E", aim: 1 });
    await match.play(0.5);
    show("hidden");
    await match.play(1);
    expect(match.inputs.at(-1)?.row).toEqual([0, 0, 0]);
    const stood = match.me.Pos.at.x;
    // The browser stops the page, and what comes meanwhile waits.
    match.blackout = true;
    await match.play(3);
    expect(match.me.Pos.at.x).toBe(stood);
    const from = match.inputs.length;
    show("visible");
    match.lift();
    match.room.input({ dir: "E" });
    await match.play(1);
    expect(match.inputs.length - from).toBe(1);
    expect(match.room.stats.delay).toBeLessThan(5);
    match.room.input({ dir: "None" });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
  });

  test("draws at once what happened meanwhile, which is no correction", async () => {
    const match = await predicted({ rtt: 100 });
    show("hidden");
    match.blackout = true;
    await match.play(0.5);
    match.me.Pos.at.x += 5;
    await match.play(2.5);
    show("visible");
    match.lift();
    await match.play(0.1);
    expect(x(match)).toBe(15);
    expect(match.room.stats.prediction?.corrections).toBe(0);
  });
});

describe("a saturated uplink", () => {
  test("sends the newest input when it is free again", async () => {
    const match = await predicted({ rtt: 100 });
    const from = match.inputs.length;
    match.saturated = true;
    let n = 0;
    await match.play(1, () => match.room.input({ aim: (n++ % 60) / 10, dash: n === 3 }));
    expect(match.inputs.length - from).toBeLessThanOrEqual(2);
    match.saturated = false;
    match.room.input({ dir: "E", aim: 1 });
    await match.play(1);
    const [first] = match.inputs.slice(-1);
    expect(match.inputs.length - from).toBeLessThanOrEqual(3);
    expect(first?.row).toEqual([1, expect.any(Number), 1]);
  });
});

describe("a step that throws", () => {
  test("ends prediction, is told once, and play goes on", async () => {
    const match = new Match({ rtt: 100 });
    const faults: unknown[] = [];
    match.room.onFault((error) => faults.push(error));
    await match.play(0.5);
    let steps = 0;
    match.room.predict(["Pos"], () => {
      if (++steps > 20) throw new RangeError("out of the map");
    });
    match.room.input({ dir: "E" });
    await match.play(2);
    expect(faults).toHaveLength(1);
    expect((faults[0] as PredictionError).message).toBe("a step failed: out of the map");
    expect(x(match)).toBeGreaterThan(15);
    match.room.input({ dir: "None" });
    await match.play(1);
    expect(x(match)).toBeCloseTo(match.me.Pos.at.x, 1);
  });

  test("a mistake in an input is thrown to the program", async () => {
    const match = await predicted();
    expect(() => match.room.input({ dir: "Up" })).toThrow("Pad.dir: Up is not one of None, E, N, W, S");
    expect(() => match.room.predict(["Speed"], () => undefined)).toThrow("the game walk has no component Speed");
  });
});

test("prediction that is ended draws what the server has told", async () => {
  const match = new Match({ rtt: 100 });
  await match.play(0.5);
  const stop = match.room.predict(["Pos", "Hp"], (me) => void (me.Pos.at.x += 1));
  await match.play(0.5);
  expect(x(match)).toBeGreaterThan(11);
  stop();
  expect(x(match)).toBe(10);
});
