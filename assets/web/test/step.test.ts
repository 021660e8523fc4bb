import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { ground } from "../../../examples/arena/view/ground.ts";
import { stepOn } from "../../../examples/arena/view/step.ts";
import type { Arena } from "../../../examples/arena/view/types.d.ts";

interface Walk {
  map: string;
  from: [x: number, y: number];
  /** The ticks for which each input is held. */
  held: number;
  steps: { dir: Arena["input"]["dir"]; turned: number; x: number; y: number; aim: number }[];
}

const file = new URL("../../../examples/arena/tests/walks.json", import.meta.url);
const walks = JSON.parse(readFileSync(file, "utf8")) as Walk[];
const QUANTISATION = 1 / 32;

test.each(walks)("arena's step walks as the rules do: $map from $from", ({ map, from: [x, y], held, steps }) => {
  const step = stepOn(ground(map));
  const me = { Pos: { at: { x, y } }, Aim: 0, Hp: 100 };
  for (const { dir, turned, ...rules } of steps) {
    const input = { dir, aim: (turned * 2 * Math.PI) / 1024, fire: false, reload: false };
    for (let tick = 0; tick < held; tick++) step(me, input, { dt: 1 / 30 });
    expect(Math.hypot(me.Pos.at.x - rules.x, me.Pos.at.y - rules.y), dir).toBeLessThan(QUANTISATION / 10);
    expect(me.Aim).toBeCloseTo(rules.aim, 4);
  }
});

test("arena's step lets the fallen lie", () => {
  const me = { Pos: { at: { x: 2, y: 2 } }, Aim: 1, Hp: 0 };
  stepOn(ground("courtyard"))(me, { dir: "E", aim: 2, fire: false, reload: false }, { dt: 1 / 30 });
  expect(me).toEqual({ Pos: { at: { x: 2, y: 2 } }, Aim: 1, Hp: 0 });
});
