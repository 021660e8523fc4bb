import type { Field, Type } from "@tickcast/client";
import { expect, test } from "vitest";

import { formOf, readForm } from "../src/playground/forms.ts";
import { type Control, controlsOf, directionOf } from "../src/playground/inputs.ts";
import { placesOf } from "../src/playground/places.ts";
import { keysOf, Steering } from "../src/playground/steering.ts";
import { textOf } from "../src/playground/words.ts";

const DIR8 = ["None", "E", "NE", "N", "NW", "W", "SW", "S", "SE"];

function controls(...fields: Field[]): Control[] {
  return controlsOf({ name: "Pad", shape: "struct", fields });
}

/** Steers by these fields. Returns the steering, and the inputs that it sends. */
function steered(...fields: Field[]) {
  const sent: Record<string, unknown>[] = [];
  return { steering: new Steering(controls(...fields), (values) => sent.push({ ...values })), sent };
}

test("a direction and buttons get keys, each its own", () => {
  const made = controls(
    { name: "dir", type: "choice", values: DIR8 },
    { name: "fire", type: "bool", oneShot: true },
    { name: "reload", type: "bool" },
    { name: "dash", type: "bool" },
    { name: "weapon", type: "choice", values: ["Bow", "Axe"] },
    { name: "aimAt", type: "angle", steps: 256 },
    { name: "speed", type: "float", step: 0.25, min: 0, max: 4 },
  );
  expect(made.map(({ kind, label }) => [kind, label])).toEqual([
    ["compass", "dir"],
    ["button", "fire"],
    ["button", "reload"],
    ["button", "dash"],
    ["select", "weapon"],
    ["dial", "aim at"],
    ["number", "speed"],
  ]);
  expect(made.flatMap(keysOf)).toEqual([
    ...["KeyW", "ArrowUp", "KeyS", "ArrowDown", "KeyA", "ArrowLeft", "KeyD", "ArrowRight"],
    // Neither W, A, S and D nor what the page takes in a match: I, F, V and M.
    ...["Space", "KeyR", "KeyE"],
  ]);
});

test("vectors and pairs of numbers are sticks, with W, A, S and D for the first and arrows for the second", () => {
  const made = controls(
    { name: "move_x", type: "float", step: 0.1, min: -1, max: 1 },
    { name: "move_y", type: "float", step: 0.1, min: -1, max: 1 },
    { name: "look", type: "vec2", step: 0.1, min: -2, max: 2 },
    { name: "third", type: "vec2", step: 0.1 },
    // A cell of a board is no stick.
    { name: "x", type: "int", min: 0, max: 7 },
    { name: "y", type: "int", min: 0, max: 7 },
  );
  expect(made.map(({ kind, label }) => `${kind} ${label}`)).toEqual([
    ...["stick move", "stick look", "number third x", "number third y", "number x", "number y"],
  ]);
  expect(made.map((control) => keysOf(control)[0])).toEqual([
    ...["KeyW", "ArrowUp", undefined, undefined, undefined, undefined],
  ]);
});

test("words name directions", () => {
  const way = (word: string) => {
    const { x, y } = directionOf(word) ?? {};
    return [x, y];
  };
  expect(["N", "SouthWest", "up_left", "Right", "Still", "Bow", ""].map(way)).toEqual([
    ...[
      [0, 1],
      [-1, -1],
      [-1, 1],
      [1, 0],
      [0, 0],
    ],
    ...[
      [undefined, undefined],
      [undefined, undefined],
    ],
  ]);
  const four = controls({ name: "way", type: "choice", values: ["up", "down", "left", "right"] });
  expect(four[0]?.kind).toBe("compass");
});

test("keys steer by the nearest direction, and letting go stands still", () => {
  const { steering, sent } = steered({ name: "dir", type: "choice", values: DIR8 }, { name: "jump", type: "bool" });
  expect(steering.values).toEqual({ dir: "None", jump: false });
  steering.key("KeyD", true);
  steering.key("ArrowUp", true);
  steering.key("Space", true);
  steering.key("KeyP", true);
  expect(sent.at(-1)).toEqual({ dir: "NE", jump: true });
  steering.release();
  expect(sent.at(-1)).toEqual({ dir: "None", jump: false });
  expect(sent).toHaveLength(4);
});

test("a direction without a value for standing still keeps the last one", () => {
  const { steering } = steered({ name: "way", type: "choice", values: ["up", "down", "left", "right"] });
  steering.key("KeyA", true);
  steering.key("KeyA", false);
  expect(steering.values).toEqual({ way: "left" });
});

test("a stick goes as far as its field, and keys count more than the pointer", () => {
  const { steering } = steered({ name: "move", type: "vec2", step: 0.1, min: -3, max: 6 });
  const [stick] = steering.controls;
  if (!stick) throw new Error("no stick");
  steering.tilt(stick, 0.5, -1);
  expect(steering.values).toEqual({ move: { x: 3, y: -3 } });
  steering.key("KeyD", true);
  expect(steering.values).toEqual({ move: { x: 6, y: 0 } });
  steering.key("KeyD", false);
  expect(steering.values).toEqual({ move: { x: 3, y: -3 } });
});

test("an input of one plain value is called as its type", () => {
  const made = controlsOf({ name: "Jump", shape: "value", fields: [{ name: "0", type: "bool" }] });
  expect(made).toEqual([{ kind: "button", label: "Jump", field: "0", key: "Space" }]);
  expect(controlsOf({ name: "Pad", shape: "unit", fields: [] })).toEqual([]);
});

const STROKE: Type = {
  id: 1,
  name: "Stroke",
  shape: "struct",
  fields: [
    { name: "from", type: "vec2", step: 0.5, min: 0, max: 100 },
    { name: "pen", type: "choice", values: ["Thin", "Thick"] },
    { name: "width", type: "int", min: 1, max: 9 },
    { name: "turn", type: "angle", steps: 256 },
    { name: "title", type: "text", max: 6 },
    { name: "points", type: "bytes", max: 4 },
    { name: "closed", type: "bool" },
  ],
};
const GOOD = {
  "from.x": "3.5",
  "from.y": "0",
  pen: "Thick",
  width: "2",
  turn: "180",
  title: "Grüß",
  points: "0x0a FF",
};

test("a command is a form with a field for each part", () => {
  expect(formOf(STROKE).map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
    ...["from.x: number", "from.y: number", "pen: select", "width: number", "turn: degrees"],
    ...["title: text", "points: bytes", "closed: check"],
  ]);
  expect(readForm(STROKE, { ...GOOD, closed: true })).toEqual({
    value: {
      from: { x: 3.5, y: 0 },
      pen: "Thick",
      width: 2,
      turn: Math.PI,
      title: "Grüß",
      points: Uint8Array.of(10, 255),
      closed: true,
    },
  });
  const file = Uint8Array.of(1, 2, 3);
  expect(readForm(STROKE, { ...GOOD, points: file })).toMatchObject({ value: { points: file, closed: false } });
});

test("a form says what is wrong, beside each field", () => {
  const wrong = {
    "from.x": "101",
    "from.y": "",
    pen: "Brush",
    width: "1.5",
    turn: "361",
    title: "Grüße",
    points: "0a f",
  };
  expect(readForm(STROKE, wrong)).toEqual({
    wrong: {
      "from.x": "Enter a number from 0 to 100.",
      "from.y": "Enter a number.",
      pen: "Choose one.",
      width: "Enter a whole number.",
      turn: "Enter a number from 0 to 360.",
      title: "This has 7 bytes, and 6 is the most.",
      points: "Enter pairs of hexadecimal digits, like 0a ff.",
    },
  });
});

test("a command of one value, or of none, has a plain value", () => {
  const guess: Type = { id: 1, name: "Guess", shape: "value", fields: [{ name: "0", type: "text", max: 9 }] };
  expect(formOf(guess)).toMatchObject([{ label: "guess", kind: "text" }]);
  expect(readForm(guess, { "0": "cat" })).toEqual({ value: "cat" });
  expect(readForm({ id: 2, name: "Undo", shape: "unit", fields: [] }, {})).toEqual({ value: true });
});

test("lists are entered with commas, and vectors in them with spaces", () => {
  const path: Type = {
    id: 3,
    name: "Path",
    shape: "struct",
    fields: [
      { name: "cards", type: "list", length: 3, of: { type: "int", min: 0, max: 51 } },
      { name: "way", type: "list", length: 2, of: { type: "vec2", step: 0.5 } },
    ],
  };
  expect(readForm(path, { cards: "1, 2,51", way: "0 1.5, -2 3" })).toEqual({
    value: {
      cards: [1, 2, 51],
      way: [
        { x: 0, y: 1.5 },
        { x: -2, y: 3 },
      ],
    },
  });
  expect(readForm(path, { cards: "1, 2", way: "0 1, 2" })).toEqual({
    wrong: {
      cards: "Enter 3 values with commas between them.",
      way: "Enter 2 numbers for each value, with spaces between them.",
    },
  });
  expect(readForm(path, { cards: "1, 2, 52", way: "0 1, 2 3" })).toEqual({
    wrong: { cards: "Enter a number from 0 to 51." },
  });
  const { steering } = steered(...path.fields);
  expect(steering.values).toEqual({
    cards: [0, 0, 0],
    way: [
      { x: 0, y: 0 },
      { x: 0, y: 0 },
    ],
  });
});

test("the likeliest component tells positions", () => {
  const type = (name: string, fields: Field[], more: Partial<Type> = {}): Type => {
    return { id: 1, name, to: "everyone", shape: "struct", fields, ...more };
  };
  const names = (...types: Type[]) => placesOf(types).map(({ name }) => name);
  const at: Field = { name: "at", type: "vec2", step: 1 };
  expect(names(type("Vel", [{ ...at, name: "way" }]), type("Pos", [at]))).toEqual(["Pos.at", "Vel.way"]);
  expect(names(type("Home", [at], { to: "owner" }), type("Ball", [at]))).toEqual(["Ball.at", "Home.at"]);
  const cell = type("Piece", [
    { name: "col", type: "int" },
    { name: "row", type: "int" },
  ]);
  expect(names(type("Score", [{ name: "x", type: "int" }]), cell)).toEqual(["Piece.col, row"]);
  expect(placesOf([cell])[0]?.read({ col: 2, row: 3 })).toEqual({ x: 2, y: 3 });
  const [above, front] = placesOf([type("At", [{ name: "0", type: "vec3", step: 1 }], { shape: "value" })]);
  expect([above?.name, front?.name]).toEqual(["At from above", "At from the front"]);
  expect([above?.read({ x: 1, y: 2, z: 3 }), front?.read({ x: 1, y: 2, z: 3 })]).toEqual([
    { x: 1, y: 3 },
    { x: 1, y: 2 },
  ]);
  expect(above?.read(undefined)).toBeUndefined();
});

test("values are shown in one line", () => {
  expect(textOf({ at: { x: 1.23456, y: -0 }, seat: 2, down: false })).toBe("at (1.235, 0), seat 2, down false");
  expect(textOf(Uint8Array.of(0, 255))).toBe("00 ff");
  expect(textOf(new Uint8Array(20))).toMatch(/^(00 ){16}… \(20 bytes\)$/);
});
