// A room that is asked to predict before the code of prediction is there.

import { afterEach, expect, test, vi } from "vitest";

import type { PredictCode } from "../src/predict_later.js";
import type { Match } from "./walking.js";

const CODE = "../src/predict.js";

interface Started {
  match: Match;
  step: never;
  /** Lets the code come, and returns when it was taken. */
  arrive(): Promise<void>;
}

/** A match in modules that were not loaded before. */
async function start(code?: () => PredictCode): Promise<Started> {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  vi.resetModules();
  vi.doMock(CODE, async (importOriginal) => {
    await gate;
    return code ? code() : importOriginal();
  });
  const { Match, step } = await import("./walking.js");
  const { loadPredict } = await import("../src/predict_later.js");
  vi.useFakeTimers();
  const match = new Match({ rtt: 200 });
  await match.play(1);
  const arrive = async (): Promise<void> => {
    open();
    await loadPredict().catch(() => undefined);
    await match.play(0.2);
  };
  return { match, step: step as never, arrive };
}

/** How far the own avatar is drawn 100 ms after a key: where it was, unless it is predicted. */
async function walked(match: Match, dir: "E" | "W"): Promise<number> {
  match.room.input({ dir: "None" });
  await match.play(0.5);
  const x = (): number => match.room.me("Pos")?.Pos.at.x as number;
  const before = x();
  match.room.input({ dir });
  await match.play(0.1);
  return x() - before;
}

afterEach(() => {
  vi.doUnmock(CODE);
  vi.useRealTimers();
});

test("a room draws what the server tells until the code comes, and then predicts", async () => {
  const { match, step, arrive } = await start();
  match.room.predict(["Pos", "Aim", "Hp"], step);
  expect(await walked(match, "E")).toBe(0);
  expect(match.room.stats.prediction).toBeUndefined();
  await arrive();
  expect(await walked(match, "W")).toBeLessThan(-0.4);
  expect(match.room.stats.prediction?.corrections).toBe(0);
});

test("a room predicts at once when the code is there", async () => {
  const { match, step, arrive } = await start();
  await arrive();
  match.room.predict(["Pos", "Aim", "Hp"], step);
  expect(match.room.stats.prediction).toBeDefined();
});

test("a prediction that was ended before the code came never begins", async () => {
  const { match, step, arrive } = await start();
  match.room.predict(["Pos", "Aim", "Hp"], step)();
  await arrive();
  expect(await walked(match, "E")).toBe(0);
});

test("of two predictions that wait for the code, the second is drawn", async () => {
  const { match, step, arrive } = await start();
  const never = (): never => {
    throw new Error("the first step was called");
  };
  const faults: Error[] = [];
  match.room.onFault((fault) => faults.push(fault));
  match.room.predict(["Pos"], never);
  match.room.predict(["Pos", "Aim", "Hp"], step);
  await arrive();
  expect(await walked(match, "E")).toBeGreaterThan(0.4);
  expect(faults).toEqual([]);
});

test("a component that the game does not have is told before the code comes", async () => {
  const { match, step } = await start();
  expect(() => match.room.predict(["Wings"] as never[], step)).toThrow("the game walk has no component Wings");
});

test("code that cannot be loaded is told once, and the match goes on", async () => {
  const { match, step, arrive } = await start(() => {
    throw new Error("404");
  });
  const faults: Error[] = [];
  match.room.onFault((fault) => faults.push(fault));
  match.room.predict(["Pos", "Aim", "Hp"], step);
  await arrive();
  expect(faults.map(({ name }) => name)).toEqual(["PredictionError"]);
  expect(faults[0]?.message).toContain("prediction cannot be loaded: ");
  expect(await walked(match, "E")).toBe(0);
  await match.play(0.5);
  expect(match.me.Pos.at.x).toBeGreaterThan(10);
});
