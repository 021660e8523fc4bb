import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { type Kind, Land, STATS } from "../../../examples/tactics/view/field.ts";
import { BOARD, centre, distance, hexAt, keyOf, nameOf, placeOf } from "../../../examples/tactics/view/hex.ts";

interface Recorded {
  ground: number[];
  kind: Kind;
  stats: [hp: number, moves: number];
  from: [q: number, r: number];
  taken: [q: number, r: number][];
  /** Places in the board. */
  looks: number[];
  strikes: number[];
  reach: [place: number, left: number][];
}

const file = new URL("../../../examples/tactics/tests/fields.json", import.meta.url);
const fields = JSON.parse(readFileSync(file, "utf8")) as Recorded[];

test.each(fields)("tactics' view sees and reaches what the rules do: $kind from $from", (recorded) => {
  const { kind, stats } = recorded;
  const land = new Land(recorded.ground);
  const from = { q: recorded.from[0], r: recorded.from[1] };
  const places = (is: (place: number) => boolean): number[] => BOARD.map((_, place) => place).filter(is);
  expect([STATS[kind].hp, STATS[kind].moves]).toEqual(stats);
  expect(places((at) => land.looks(kind, from, BOARD[at]!))).toEqual(recorded.looks);
  expect(places((at) => land.canStrike(kind, from, BOARD[at]!))).toEqual(recorded.strikes);
  const taken = new Set(recorded.taken.map(([q, r]) => keyOf({ q, r })));
  const reach = land.reach(from, STATS[kind].moves, taken);
  const left = places((at) => reach.has(keyOf(BOARD[at]!))).map((at) => [at, reach.get(keyOf(BOARD[at]!))?.left]);
  expect(left).toEqual(recorded.reach.filter(([place]) => place !== placeOf(from)));
});

test("every hex is found again at its centre, and has a name of its own", () => {
  for (const hex of BOARD) {
    const { x, y } = centre(hex);
    for (const [dx, dy] of [
      [0, 0],
      [0.8, 0],
      [-0.4, 0.7],
      [0, -0.9],
    ] as const) {
      expect(keyOf(hexAt({ x: x + dx, y: y + dy }))).toBe(keyOf(hex));
    }
  }
  expect(new Set(BOARD.map(nameOf)).size).toBe(BOARD.length);
  expect(distance({ q: -5, r: 0 }, { q: 5, r: 0 })).toBe(10);
});
