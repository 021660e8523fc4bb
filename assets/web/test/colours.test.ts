import { afterEach, expect, test } from "vitest";

import { colour, tellApart } from "../../../examples/arena/view/colours.ts";

const SEATS = Array.from({ length: 16 }, (_, seat) => seat + 1);

afterEach(() => tellApart(false));

test("sixteen players have sixteen colours, also for colour-blind eyes", () => {
  for (const apart of [false, true]) {
    tellApart(apart);
    expect(new Set(SEATS.map((seat) => colour(seat))).size).toBe(SEATS.length);
  }
});

test("colours for colour-blind eyes are blue or orange, and the sides of a match differ most", () => {
  tellApart(true);
  const hues = SEATS.map((seat) => Number(/^hsl\((\d+) /.exec(colour(seat))?.[1]));
  expect(hues.filter((hue) => (hue < 30 || hue > 60) && (hue < 185 || hue > 230))).toEqual([]);
  expect(Math.abs((hues[0] ?? 0) - (hues[1] ?? 0))).toBeGreaterThan(150);
});
