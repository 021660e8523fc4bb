// The picture of a prediction. The forecast is a table that the test writes.

import { expect, test } from "vitest";

import type { Forecast, Loaded, State, Told, ToldEntity } from "../src/forecast.js";
import type { Moment } from "../src/prediction.js";
import { Prediction } from "../src/prediction.js";
import { Schemas } from "../src/schema.js";
import { schema } from "./walking.js";

const POS = 1;

/** Predicts that nothing moves, and takes whatever it is told. */
class Still implements Forecast {
  readonly source = "function";
  readonly components = [POS];
  readonly seesOthers = true;
  tick = 0;
  loaded: Loaded = { isCorrected: true, isSnapped: false, replayed: 0 };
  #state: State = new Map();

  load({ tick }: Told, entities: readonly ToldEntity[]): Loaded {
    this.tick = tick;
    this.#state = new Map(entities.map(({ id, rows }) => [id, rows.map((row) => row && [...row])]));
    return this.loaded;
  }
  at(): State {
    return this.#state;
  }
  peek(): State {
    return this.#state;
  }
  input(): void {}
  advance(): void {}
  reset(): void {}
}

/** A prediction whose picture shows two entities, 5 and 9. `told` takes their x from a frame. */
function picture(): {
  forecast: Still;
  told(now: number, avatar: number, ...xs: number[]): void;
  xs(now: number): number[];
} {
  const forecast = new Still();
  const prediction = new Prediction(new Schemas(schema), forecast, Infinity);
  const moment = (now: number): Moment => ({ now, local: forecast.tick, wanted: [0, 0, 0] });
  return {
    forecast,
    told(now, avatar, ...xs) {
      const entities = xs.map((x, k) => ({ id: k === 0 ? 5 : 9, rows: [undefined, [x, 320]] }));
      prediction.load({ tick: 100, taken: 0, margin: 0, avatar }, entities, moment(now));
    },
    xs: (now) => [5, 9].map((id) => prediction.drawn(id, POS, moment(now))?.[0] ?? NaN),
  };
}

test("a correction is drawn as an error that halves in 60 ms", () => {
  const { told, xs } = picture();
  told(0, 5, 100, 200);
  told(0, 5, 140, 280);
  expect(xs(0)).toEqual([100, 200]);
  expect(xs(60)).toEqual([120, 240]);
  expect(xs(120)).toEqual([130, 260]);
});

test("a new avatar is drawn where it is, and no error of before is drawn with it", () => {
  const { told, xs } = picture();
  told(0, 5, 100, 200);
  told(0, 5, 140, 280);
  told(0, 9, 180, 360);
  expect(xs(0)).toEqual([180, 360]);
});

test("a difference that the rules want drawn at once ends the errors of before, too", () => {
  const { forecast, told, xs } = picture();
  told(0, 5, 100, 200);
  told(0, 5, 140, 200);
  forecast.loaded = { isCorrected: true, isSnapped: true, replayed: 0 };
  told(0, 5, 150, 300);
  expect(xs(0)).toEqual([150, 300]);
});
