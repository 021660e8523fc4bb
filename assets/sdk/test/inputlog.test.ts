import { expect, test } from "vitest";

import { InputLog } from "../src/inputlog.js";
import { schemas } from "./support.js";

/** Columns of the input: dir, aim, speed, fire. */
const GO = [1, 0, 0, 0];
const FIRE = [2, 0, 0, 1];
const REST = [0, 0, 0, 0];

function log(...inputs: [seq: number, tick: number, row: number[]][]): InputLog {
  const log = new InputLog(schemas.input);
  for (const [seq, tick, row] of inputs) log.add(seq, tick, row);
  return log;
}

const rows = (log: InputLog, from: number, to: number): number[][] =>
  Array.from({ length: to - from + 1 }, (_, k) => log.at(from + k));

test("an input holds until the next, and its one-shots act in its tick alone", () => {
  expect(rows(log([1, 10, GO], [2, 12, FIRE]), 9, 13)).toEqual([REST, GO, GO, FIRE, [2, 0, 0, 0]]);
});

test("an input that came late is moved to the tick in which it acted", () => {
  const late = log([1, 10, GO], [2, 12, FIRE]);
  late.taken(1, 0, 12);
  expect(rows(late, 11, 13)).toEqual([GO, GO, FIRE]);
  late.taken(1, 0, 13);
  late.taken(2, -2, 14);
  expect(rows(late, 11, 15)).toEqual([GO, GO, GO, FIRE, [2, 0, 0, 0]]);
});

test("a margin says where an input acted when frames were missing", () => {
  const late = log([1, 10, GO], [2, 12, FIRE]);
  late.taken(2, -3, 20);
  expect(rows(late, 14, 16)).toEqual([GO, FIRE, [2, 0, 0, 0]]);
});

test("inputs that came together act together, with all of their one-shots", () => {
  const late = log([1, 10, FIRE], [2, 11, GO]);
  late.taken(0, 0, 14);
  late.taken(2, -4, 15);
  expect(rows(late, 14, 16)).toEqual([REST, [1, 0, 0, 1], GO]);
});

test("what is past is forgotten, but holds", () => {
  const old = log([1, 10, FIRE], [2, 12, GO]);
  old.forget(10);
  expect(rows(old, 11, 12)).toEqual([[2, 0, 0, 0], GO]);
  old.forget(20);
  expect(old.at(30)).toEqual(GO);
  old.reset();
  expect(old.at(30)).toEqual(REST);
});

test("the log is bounded", () => {
  const long = log();
  for (let seq = 1; seq <= 1_000; seq++) long.add(seq, seq, [seq % 3, 0, 0, 0]);
  expect(long.at(700)).toEqual([744 % 3, 0, 0, 0]);
});
