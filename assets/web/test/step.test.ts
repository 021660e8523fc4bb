import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { ground } from "../../../examples/arena/view/ground.ts";
import { stepOn } from "../../../examples/arena/view/step.ts";
import type { Arena } from "../../../examples/arena/view/types.d.ts";

interface Burst {
  name: string;
  /** The tick until which the avatar is protected. */
  shield: number;
  presses: { held: number; fire: boolean; reload: boolean }[];
  /** For each tick: its number, the rounds in the magazine, and the gun. */
  ticks: [tick: number, ammo: number, ready: number, fired: number][];
}

interface Walk {
  map: string;
  from: [x: number, y: number];
  /** The ticks for which each input is held. */
  held: number;
  steps: { dir: Arena["input"]["dir"]; turned: number; x: number; y: number; aim: number }[];
}

const recorded = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../examples/arena/tests/${name}.json`, import.meta.url), "utf8"));
const walks = recorded("walks") as Walk[];
const bursts = recorded("bursts") as Burst[];
const QUANTISATION = 1 / 32;
const GUN = { Ammo: 12, Gun: { ready: 0, fired: 0 }, Shield: { until: 0 } };

test.each(walks)("arena's step walks as the rules do: $map from $from", ({ map, from: [x, y], held, steps }) => {
  const step = stepOn(ground(map));
  const me = { Pos: { at: { x, y } }, Aim: 0, Hp: 100, ...GUN };
  for (const { dir, turned, ...rules } of steps) {
    const input = { dir, aim: (turned * 2 * Math.PI) / 1024, fire: false, reload: false };
    for (let tick = 0; tick < held; tick++) step(me, input, { tick: 1, dt: 1 / 30 });
    expect(Math.hypot(me.Pos.at.x - rules.x, me.Pos.at.y - rules.y), dir).toBeLessThan(QUANTISATION / 10);
    expect(me.Aim).toBeCloseTo(rules.aim, 4);
  }
});

test("arena's step lets the fallen lie", () => {
  const me = { Pos: { at: { x: 2, y: 2 } }, Aim: 1, Hp: 0, ...GUN };
  stepOn(ground("courtyard"))(me, { dir: "E", aim: 2, fire: true, reload: false }, { tick: 50, dt: 1 / 30 });
  expect(me).toEqual({ Pos: { at: { x: 2, y: 2 } }, Aim: 1, Hp: 0, ...GUN });
});

test.each(bursts)("arena's step fires as the rules do: $name", ({ shield, presses, ticks }) => {
  const step = stepOn(ground("courtyard"));
  const me = { Pos: { at: { x: 20, y: 10 } }, Aim: 0, Hp: 100, ...GUN, Shield: { until: shield } };
  const inputs = presses.flatMap(({ held, fire, reload }) =>
    Array.from({ length: held }, (_, k) => ({ dir: "None" as const, aim: 0, fire, reload: reload && k === 0 })),
  );
  expect(inputs.length).toBe(ticks.length);
  ticks.forEach(([tick, ammo, ready, fired], k) => {
    step(me, inputs[k] as (typeof inputs)[number], { tick, dt: 1 / 30 });
    expect([tick, me.Ammo, me.Gun.ready, me.Gun.fired]).toEqual([tick, ammo, ready, fired]);
  });
});
