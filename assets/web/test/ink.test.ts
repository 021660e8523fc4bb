// The view of scribble makes the ink that the rules read, and puts together the picture that they keep.

import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { append, encode, HIGH, type Op, pack, stepsTo, WIDE } from "../../../examples/scribble/view/ink.ts";
import { apply, type Piece, printOf, type Stroke, strokesOf } from "../../../examples/scribble/view/picture.ts";

const recorded = JSON.parse(
  readFileSync(new URL("../../../examples/scribble/tests/ink.json", import.meta.url), "utf8"),
) as { note: string; ops: Op[]; hex: string }[];

const hexOf = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString("hex");

test.each(recorded)("ink has the bytes of the rules: $note", ({ ops, hex }) => {
  expect(hexOf(ops.flatMap(encode))).toBe(hex);
  expect(hexOf(pack(ops)[0] ?? [])).toBe(hex);
});

test("a long way is made of steps that the rules take", () => {
  const [from, to] = [
    { x: 3, y: HIGH },
    { x: WIDE, y: 0 },
  ];
  const steps = stepsTo(from, to);
  expect(steps.length).toBe(7);
  expect(steps.every(({ dx, dy }) => Math.abs(dx) <= 127 && Math.abs(dy) <= 127)).toBe(true);
  const sum = steps.reduce(({ x, y }, { dx, dy }) => ({ x: x + dx, y: y + dy }), from);
  expect(sum).toEqual(to);
  expect(stepsTo(from, from)).toEqual([]);
});

test("steps are gathered, and no command is longer than the rules allow", () => {
  const queue: Op[] = [];
  append(queue, { Begin: { color: 1, width: 2, at: { x: 5, y: 5 } } });
  for (let k = 0; k < 1_000; k++) append(queue, { Steps: [{ dx: 1, dy: -1 }] });
  append(queue, "Undo");
  expect(queue.length).toBe(1 + Math.ceil(1_000 / 120) + 1);
  const commands = pack(queue);
  expect(commands.every(({ length }) => length <= 480)).toBe(true);
  expect(hexOf(commands.flatMap((bytes) => [...bytes]))).toBe(hexOf(queue.flatMap(encode)));
});

test("a picture from pieces is the one that was drawn", () => {
  const drawn: Stroke[] = [];
  apply(drawn, { Begin: { color: 3, width: 0, at: { x: 10, y: 20 } } });
  apply(drawn, {
    Steps: [
      { dx: 5, dy: -3 },
      { dx: 1, dy: 1 },
      { dx: 7, dy: 0 },
    ],
  });
  apply(drawn, { Begin: { color: 4, width: 1, at: { x: 9, y: 9 } } });
  const pieces: Piece[] = [
    { stroke: 1, part: 0, color: 4, width: 1, x: 9, y: 9, count: 0, steps: [0, 0, 0, 0] },
    { stroke: 0, part: 1, color: 3, width: 0, x: 16, y: 18, count: 1, steps: [7, 0, 0, 0] },
    { stroke: 0, part: 0, color: 3, width: 0, x: 10, y: 20, count: 2, steps: [5, -3, 1, 1] },
  ];
  expect(strokesOf(pieces)).toEqual(drawn);
  expect(printOf(strokesOf(pieces))).toBe(printOf(drawn));
  apply(drawn, "Undo");
  expect(printOf(strokesOf(pieces))).not.toBe(printOf(drawn));
  apply(drawn, "Clear");
  expect(drawn).toEqual([]);
});
