// Runs in the browser. A player presses keys on the line under test, and a reference walks in a square next to the server. What is
// drawn of both, and what the server tells the reference, goes back as one trace. All times are those of `performance.now()`.

import { paint } from "./paint.mjs";

/** The reference walks so long in each direction, in milliseconds. */
const SIDE = 1000;
const SQUARE = ["E", "N", "W", "S"];
/** Each round of keys goes out and comes back, so that the player stays away from the borders. */
const ROUNDS = [
  ["E", "N"],
  ["W", "S"],
  ["N", "E"],
  ["S", "W"],
];
/** For how long the player rests and walks, in milliseconds. A random part comes on top, so that keys fall anywhere in a tick. */
const REST = 900;
const WALK = 550;
const MORE = 100;

/**
 * Plays in a new room. `enter` is of one of the systems: it takes an address and options, and returns a seat. Resolves to the trace
 * of `seconds` seconds.
 */
export async function play(enter, { line, direct, predict, fight, seconds, seed }) {
  const reference = await enter(direct, { name: "Reference", fight, predict: false });
  const player = await enter(line, { name: "Player", code: reference.code, predict });
  const trace = { fight, begun: 0, ended: 0, frames: [], told: [], keys: [] };
  reference.onTold((seats) => trace.told.push([performance.now(), ...of(seats, player, reference)]));
  const walking = pace(reference);
  const stopDrawing = draw(player, reference, trace);
  await settled(player, reference);
  trace.begun = performance.now();
  await press(player, trace, { until: trace.begun + seconds * 1000, random: generator(seed) });
  trace.ended = performance.now();
  trace.prediction = player.prediction();
  stopDrawing();
  clearInterval(walking);
  await Promise.all([player.leave(), reference.leave()]);
  return trace;
}

/** The place of the player and that of the reference, as four numbers; `null` where one is not known. */
function of(seats, player, reference) {
  return [player, reference].flatMap(({ key }) => {
    const at = seats.get(key);
    return at ? [at.x, at.y] : [null, null];
  });
}

/** Waits until the player sees both, and the measurements of the line have had a little time. */
async function settled(player, reference) {
  const end = performance.now() + 20_000;
  while (of(player.draw(), player, reference).includes(null)) {
    if (performance.now() > end) throw new Error("the player does not see both avatars");
    await pause(50);
  }
  await pause(2_000);
}

function pace(reference) {
  let side = 0;
  const turn = () => reference.input(SQUARE[side++ % SQUARE.length]);
  turn();
  return setInterval(turn, SIDE);
}

/** Presses keys until a time: from rest, then around a corner, then to rest. */
async function press(player, trace, { until, random }) {
  const key = (dir, isFirst) => {
    trace.keys.push([performance.now(), dir, isFirst]);
    player.input(dir);
  };
  for (let round = 0; performance.now() < until; round++) {
    const [first, second] = ROUNDS[round % ROUNDS.length];
    await pause(REST + MORE * random());
    key(first, true);
    await pause(WALK + MORE * random());
    key(second, false);
    await pause(WALK + MORE * random());
    key("None", false);
  }
}

/** Draws each frame, and records what was drawn. Returns how to end it. */
function draw(player, reference, trace) {
  const canvas = document.querySelector("canvas");
  const pen = canvas.getContext("2d", { alpha: false });
  let next = requestAnimationFrame(function frame() {
    next = requestAnimationFrame(frame);
    const seats = player.draw();
    trace.frames.push([performance.now(), ...of(seats, player, reference)]);
    paint(pen, seats, { own: player.key, middle: seats.get(player.key) ?? { x: 0, y: 0 } });
  });
  return () => cancelAnimationFrame(next);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Random numbers from 0 to 1 by a seed (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
