// The local ticks by themselves: time is a variable, and no timer runs.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { decodeFrame } from "../src/frame.js";
import { Inputs } from "../src/input.js";
import { Mirror } from "../src/mirror.js";
import { Playback } from "../src/playback.js";
import { Predictor } from "../src/predictor.js";
import { Rollback } from "../src/rollback.js";
import { Schemas } from "../src/schema.js";
import { frame } from "./support.js";
import { schema, step } from "./walking.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HZ = 30;
const schemas = new Schemas(schema);

interface Stage {
  at(ms: number): void;
  predictor: Predictor;
  inputs: Inputs;
  sent: number[][];
  /** Takes a snapshot of a tick, in which the avatar stands where it began. */
  take(tick: number, taken: number): void;
}

/** A predictor at tick 100 with a lead of one tick, and what its client sends: number, tick, direction. */
function stage(): Stage {
  const sent: number[][] = [];
  let now = 0;
  const playback = new Playback(schemas, HZ, { late: false });
  playback.timeTold(0, 0, 100, 0);
  const mirror = new Mirror(schemas);
  const inputs: Inputs = new Inputs(schemas.input, HZ, {
    now: () => now,
    aim: () => playback.aim(now),
    send: (seq, tick, row) => {
      predictor.sent(seq, tick, row);
      return sent.push([seq, tick, row[0] ?? 0]) > 0;
    },
  });
  const rollback = new Rollback(schemas, ["Pos", "Aim", "Hp"], step as never, {});
  const failed = (error: unknown): void => {
    throw error;
  };
  const parts = { now: () => now, seat: 2, schemas, mirror, playback, inputs, failed };
  const predictor = new Predictor(parts, rollback, Infinity);
  const take = (tick: number, taken: number): void => {
    const avatar = [-1, 0b1111, [5], 2, 320, 320, 0, 100];
    const told = decodeFrame(frame(0, tick, 0, taken, 1, avatar, [-5, 5]), schemas);
    mirror.apply(told);
    predictor.take(told, taken);
  };
  take(100, 0);
  return { at: (ms) => void (now = ms), predictor, inputs, sent, take };
}

const drawnX = (predictor: Predictor): number => {
  const sample = { id: 5 } as { id: number; Pos?: { at: { x: number } } };
  predictor.draw([sample], ["Pos"]);
  return sample.Pos?.at.x ?? NaN;
};

test("an input waits for the next local tick, and the newest one counts", () => {
  const { at, predictor, inputs, sent } = stage();
  at(10);
  predictor.steer(() => inputs.offer({ dir: "E" }));
  predictor.steer(() => inputs.offer({ dir: "N" }));
  expect(sent).toEqual([]);
  at(40);
  drawnX(predictor);
  expect(sent).toEqual([[1, 102, 2]]);
  at(80);
  drawnX(predictor);
  expect(sent).toHaveLength(1);
});

test("a program that did nothing for a second sends one input, for the present", () => {
  const { at, predictor, inputs, sent } = stage();
  at(10);
  predictor.steer(() => inputs.offer({ dir: "E" }));
  at(1_010);
  predictor.steer(() => inputs.offer({ dir: "N" }));
  at(1_050);
  drawnX(predictor);
  expect(sent).toEqual([
    [1, 131, 1],
    [2, 132, 2],
  ]);
});

test("after a stall, a tick still sends one input", () => {
  const { at, predictor, inputs, sent } = stage();
  at(1_010);
  const dirs = ["E", "N", "W", "S"] as const;
  for (let k = 0; k < 20; k++) {
    at(1_010 + k);
    predictor.steer(() => inputs.offer({ dir: dirs[k % 4] }));
    drawnX(predictor);
  }
  expect(sent).toEqual([]);
  at(1_040);
  drawnX(predictor);
  expect(sent).toEqual([[1, 132, 4]]);
});

test.each(["restart", "suspend"] as const)("whether inputs hold after %s is what the server does", (end) => {
  const { at, predictor, inputs, take } = stage();
  predictor.steer(() => inputs.offer({ dir: "E" }));
  at(40);
  expect(drawnX(predictor)).toBeGreaterThan(10);
  predictor[end]();
  expect(drawnX(predictor), "nothing is predicted").toBeNaN();
  at(300);
  take(108, 1);
  // A resumed seat rests. One that was only not seen goes on.
  if (end === "restart") expect(drawnX(predictor)).toBe(10);
  else expect(drawnX(predictor)).toBeGreaterThan(10.3);
});

test("without news from the server, the avatar stops after a second", () => {
  const { at, predictor, inputs } = stage();
  predictor.steer(() => inputs.offer({ dir: "E" }));
  const xs: number[] = [];
  for (let now = 0; now <= 2_000; now += 20) {
    at(now);
    xs.push(drawnX(predictor));
  }
  const end = xs.at(-1) ?? 0;
  expect(end).toBeGreaterThan(15);
  expect(end).toBeLessThan(16.1);
  expect(xs[60]).toBe(end);
});
