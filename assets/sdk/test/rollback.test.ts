// The step in TypeScript by itself, without a room.

import { expect, test } from "vitest";

import type { ToldEntity } from "../src/forecast.js";
import { Rollback } from "../src/rollback.js";
import { Schemas } from "../src/schema.js";
import { HZ, SPEED, schema, step } from "./walking.js";

const schemas = new Schemas(schema);
const EAST = [1, 0, 0];
/** The steps of a position that one tick of walking makes. */
const STRIDE = (SPEED / HZ) * 32;

const rollback = (): Rollback => new Rollback(schemas, ["Pos", "Aim", "Hp"], step as never, {});

function told(id: number, x: number): readonly ToldEntity[] {
  return [{ id, rows: [[2], [x, 320], [0], [100]] }];
}

const strides = (walker: Rollback, tick: number, id: number): number =>
  ((walker.at(tick)?.get(id)?.[1]?.[0] ?? NaN) - 320) / STRIDE;

test("a new avatar gets only inputs that come later", () => {
  const walker = rollback();
  walker.load({ tick: 100, taken: 0, margin: 0, avatar: 5 }, told(5, 320));
  walker.input(1, 101, EAST);
  walker.advance(103);
  expect(strides(walker, 103, 5)).toBeCloseTo(3);
  walker.load({ tick: 103, taken: 1, margin: 1, avatar: 9 }, told(9, 320));
  walker.input(2, 106, EAST);
  walker.advance(107);
  expect([104, 105, 106, 107].map((tick) => Math.round(strides(walker, tick, 9)))).toEqual([0, 0, 1, 2]);
});

test.each([
  { keepsInputs: false, walked: 0, why: "the server has let the seat rest" },
  { keepsInputs: true, walked: 3, why: "the server still has the input" },
])("after a reset the avatar walks $walked ticks of 3, because $why", ({ keepsInputs, walked }) => {
  const walker = rollback();
  walker.load({ tick: 100, taken: 0, margin: 0, avatar: 5 }, told(5, 320));
  walker.input(1, 101, EAST);
  walker.advance(110);
  walker.reset(keepsInputs);
  expect(walker.at(110)).toBeUndefined();
  walker.load({ tick: 120, taken: 1, margin: 1, avatar: 5 }, told(5, 320));
  walker.advance(123);
  expect(strides(walker, 123, 5)).toBeCloseTo(walked);
});
