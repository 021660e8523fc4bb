// Fields that are lists. The schema is the one of `tests/below/lists.rs`.

import { expect, test } from "vitest";

import { exactRow } from "../src/rollback.js";
import { Codec, type Field } from "../src/schema.js";

const fields: Field[] = [
  { name: "cards", type: "list", length: 3, of: { type: "int", min: 0, max: 255 } },
  { name: "way", type: "list", length: 2, of: { type: "vec2", step: 0.5, min: -4, max: 4 } },
  { name: "grid", type: "list", length: 4, of: { type: "bool" } },
  { name: "suits", type: "list", length: 2, of: { type: "choice", values: ["Clubs", "Hearts"] } },
];
const hand = new Codec({ name: "Hand", shape: "struct", fields });
const ROW = [1, 200, 0, 2, -8, 0, 0, 1, 0, 0, 1, 0, 1];
const VALUE = {
  cards: [1, 200, 0],
  way: [
    { x: 1, y: -4 },
    { x: 0, y: 0 },
  ],
  grid: [true, false, false, true],
  suits: ["Clubs", "Hearts"],
};

test("a list is read and written element by element", () => {
  expect(hand.columns).toBe(13);
  expect(hand.read(ROW)).toEqual(VALUE);
  expect(hand.write(VALUE, hand.blank())).toEqual(ROW);
  const secret = new Codec({
    name: "Secret",
    shape: "value",
    fields: [{ name: "0", type: "list", length: 2, of: { type: "int" } }],
  });
  expect(secret.read([-5, 127])).toEqual([-5, 127]);
});

test("its elements are clamped and rounded, and a wrong one is named", () => {
  const way = [
    { x: 1.2, y: -9 },
    { x: 0, y: 0 },
  ];
  expect(hand.write({ ...VALUE, way, cards: [1.4, 300, -1] }, hand.blank())).toEqual([1, 255, 0, ...ROW.slice(3)]);
  expect(() => hand.write({ ...VALUE, cards: [1, 2] }, hand.blank())).toThrow(
    "Hand.cards: undefined is not a finite number",
  );
  expect(() => hand.write({ ...VALUE, suits: ["Clubs", "Spades"] }, hand.blank())).toThrow("Hand.suits: Spades");
});

test("its vectors move, and the farthest one is the distance", () => {
  const later = [...ROW];
  later[5] = 6;
  later[6] = 8;
  expect(hand.distance(ROW, later)).toBe(5);
  const mixed: number[] = [];
  hand.mix(ROW, later, 0.5, mixed);
  expect(mixed.slice(3, 7)).toEqual([2, -8, 3, 4]);
  expect(exactRow(hand, { ...VALUE, way: [VALUE.way[0], { x: 0.3, y: 0 }] }).slice(5, 7)).toEqual([0.6, 0]);
});

test("a list that is too long for a type is refused", () => {
  const bad: Field[] = [{ name: "cells", type: "list", length: 1e9, of: { type: "bool" } }];
  expect(() => new Codec({ name: "Board", shape: "struct", fields: bad })).toThrow();
});
