import { expect, test } from "vitest";

import { type GamepadState, Gamepads } from "../../../examples/arena/view/gamepad.ts";
import { edge } from "../../../examples/arena/view/markers.ts";
import { direction, keysOf } from "../../../examples/arena/view/pad.ts";
import { heard } from "../../../examples/arena/view/sound.ts";
import { PULL, Sticks } from "../../../examples/arena/view/sticks.ts";

const REST = { pressed: false, value: 0 };

function gamepad(axes: number[] = [], held: number[] = [], more: Partial<GamepadState> = {}): GamepadState {
  const buttons = Array.from({ length: 17 }, (_, k) => (held.includes(k) ? { pressed: true, value: 1 } : REST));
  return { connected: true, mapping: "standard", axes: [0, 0, 0, 0].map((_, k) => axes[k] ?? 0), buttons, ...more };
}

test("a gamepad walks with the left stick, and aims with the right one, y up", () => {
  let pads: (GamepadState | null)[] = [gamepad([0.7, -0.7, 0, -1])];
  const gamepads = new Gamepads(() => pads);
  expect(gamepads.read()).toMatchObject({ walk: { x: 0.7, y: 0.7 }, aim: Math.PI / 2, fire: false, reload: false });
  pads = [gamepad([0.15, -0.15, 0.1, 0.2])];
  expect(gamepads.read(), "worn sticks rest").toEqual({ walk: undefined, aim: undefined, fire: false, reload: false });
});

test("a trigger fires as long as it is held, and a button reloads once", () => {
  let pads = [gamepad([], [7])];
  const gamepads = new Gamepads(() => pads);
  expect([gamepads.read()?.fire, gamepads.read()?.fire]).toEqual([true, true]);
  pads = [gamepad([], [2])];
  expect([gamepads.read()?.reload, gamepads.read()?.reload]).toEqual([true, false]);
  pads = [gamepad()];
  gamepads.read();
  pads = [gamepad([], [2])];
  expect(gamepads.read()?.reload).toBe(true);
});

test("gamepads come and go", () => {
  let pads: (GamepadState | null)[] = [];
  const gamepads = new Gamepads(() => pads);
  expect(gamepads.read()).toBeUndefined();
  pads = [null, gamepad()];
  expect(gamepads.read(), "one that nobody touches is not used").toBeUndefined();
  pads = [null, gamepad([1])];
  expect(gamepads.read()?.walk).toEqual({ x: 1, y: -0 });
  pads = [gamepad([0, 1]), gamepad()];
  expect(gamepads.read()?.walk, "the one that is touched counts").toEqual({ x: 0, y: -1 });
  pads = [null, null];
  expect(gamepads.read(), "it was removed").toBeUndefined();
  pads = [gamepad([1], [], { mapping: "" }), gamepad([1], [], { connected: false })];
  expect(gamepads.read(), "without the standard mapping, nobody knows what is what").toBeUndefined();
});

test("a page that may not read gamepads plays without", () => {
  expect(new Gamepads().read()).toBeUndefined();
});

test("the left thumb walks, and the right one aims, and fires beyond the ring", () => {
  const sticks = new Sticks();
  sticks.down(1, { x: 80, y: 500 }, 390);
  sticks.down(2, { x: 300, y: 500 }, 390);
  expect([sticks.walk, sticks.aim, sticks.fire]).toEqual([undefined, undefined, false]);
  sticks.move(1, { x: 80, y: 470 });
  sticks.move(2, { x: 300 + PULL - 2, y: 500 });
  expect([sticks.walk, sticks.aim, sticks.fire]).toEqual([{ x: 0, y: 30 }, 0, false]);
  sticks.move(2, { x: 300, y: 500 + PULL + 2 });
  expect([sticks.aim, sticks.fire]).toEqual([-Math.PI / 2, true]);
  expect([sticks.move(3, { x: 0, y: 0 }), sticks.up(3), sticks.up(2)]).toEqual([false, false, true]);
  expect([sticks.walk, sticks.fire]).toEqual([{ x: 0, y: 30 }, false]);
  sticks.clear();
  expect(sticks.all).toEqual([]);
});

test("a way is the nearest of eight directions", () => {
  const at = (degrees: number) => ({ x: Math.cos((degrees * Math.PI) / 180), y: Math.sin((degrees * Math.PI) / 180) });
  expect([0, 20, 25, 90, 180, 200, 225, 337].map((degrees) => direction(at(degrees)))).toEqual([
    "E",
    "E",
    "NE",
    "N",
    "W",
    "W",
    "SW",
    "SE",
  ]);
  expect(direction(undefined)).toBe("None");
});

test("a sound comes from its side, and from far away softly or not at all", () => {
  const ear = { x: 20, y: 10 };
  expect(heard(ear, ear)).toEqual({ pan: 0, gain: 1 });
  expect(heard(ear, { x: 27, y: 10 })).toEqual({ pan: 0.5, gain: 0.5 });
  expect(heard(ear, { x: 0, y: 10 }).pan).toBe(-1);
  expect(heard(ear, { x: 20, y: 40 }).gain).toBe(0);
});

test("an arrow is at the edge of the screen, in the direction of who is out of sight", () => {
  const screen = { width: 400, height: 300 };
  expect(edge(screen, { x: 900, y: 150 })).toEqual({ at: { x: 370, y: 150 }, angle: 0 });
  expect(edge(screen, { x: 200, y: -500 })).toEqual({ at: { x: 200, y: 30 }, angle: -Math.PI / 2 });
  const { at } = edge(screen, { x: -1000, y: 1000 });
  expect([at.x >= 30, at.y <= 270]).toEqual([true, true]);
});

test("an arrow keeps clear of what covers the screen", () => {
  const screen = { width: 400, height: 300 };
  const scores = { left: 300, top: 0, right: 400, bottom: 120 };
  // From the middle to the upper right corner: the arrow stays its own length to the left of the list, or below it.
  const { at, angle } = edge(screen, { x: 600, y: -150 }, [scores]);
  expect(at.x).toBeCloseTo(270);
  expect(at.y).toBeCloseTo(97.5);
  expect(angle).toBeCloseTo(Math.atan2(-300, 400));
  expect(edge(screen, { x: 600, y: 0 }, [scores]).at).toEqual({ x: 270, y: 123.75 });
  for (const to of [
    { x: -600, y: -150 },
    { x: 200, y: -500 },
    { x: 600, y: 300 },
  ]) {
    expect(edge(screen, to, [scores])).toEqual(edge(screen, to));
  }
  // A box over the middle, such as on a small screen, moves nothing.
  const all = { left: 0, top: 0, right: 400, bottom: 300 };
  expect(edge(screen, { x: 600, y: 0 }, [all])).toEqual(edge(screen, { x: 600, y: 0 }));
});

test("an action has the key that the player has chosen, and the arrows always walk", () => {
  expect(keysOf({}).get("KeyW")).toBe("up");
  const keys = keysOf({ up: "KeyZ", fire: "KeyX" });
  expect(["KeyZ", "KeyX", "KeyW", "Space", "ArrowUp", "KeyR"].map((code) => keys.get(code))).toEqual([
    "up",
    "fire",
    undefined,
    undefined,
    "up",
    "reload",
  ]);
});
