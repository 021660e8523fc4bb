import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { insideOf } from "../src/inspector/inside.js";
import { loadPredict } from "../src/predict_later.js";
import type { Spawned } from "../src/types.js";
import type { Gunner, Shot } from "./shooting.js";
import { Duel, LIFE, PAUSE, place, SHOT_SPEED, step } from "./shooting.js";
import { HZ, type Line } from "./walking.js";

// The room predicts at once.
beforeAll(async () => void (await loadPredict()));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FRAME = 1000 / 60;
const MS = 1000 / HZ;
/** The way of a shot from one picture to the next. */
const PER_FRAME = SHOT_SPEED / 60;

async function duel(line: Line = {}): Promise<Duel> {
  const match = new Duel(line);
  await match.play(0.5);
  match.room.predict(["Pos", "Aim", "Hp", "Gun"], step as never, { snap: 3 });
  match.room.input({ dir: "None" });
  await match.play(0.5);
  return match;
}

const own = (match: Duel): Spawned<Shot>[] => match.drawn().filter(({ seat }) => seat === match.room.seat);

/** Plays on, and returns where each own shot was in each picture, by its id. */
async function watch(match: Duel, seconds: number, each: () => void = () => undefined): Promise<Map<number, number[]>> {
  const places = new Map<number, number[]>();
  await match.play(seconds, () => {
    each();
    for (const shot of own(match)) {
      const xs = places.get(shot.id) ?? [];
      places.set(shot.id, [...xs, place(shot).x]);
    }
  });
  return places;
}

/** The largest difference of a shot's way in a picture from an even flight. */
function unevenness(places: Iterable<number[]>): number {
  let most = 0;
  for (const xs of places) {
    for (let k = 1; k < xs.length; k++) {
      most = Math.max(most, Math.abs((xs[k] ?? 0) - (xs[k - 1] ?? 0) - PER_FRAME));
    }
  }
  return most;
}

/** Compares what is drawn of own shots right before and right after each frame that comes. */
function aroundFrames(match: Duel, compare: (before: Spawned<Shot>[], after: Spawned<Shot>[]) => void): void {
  const receive = match.channel.receive.bind(match.channel);
  match.channel.receive = (event, ...args) => {
    const before = own(match);
    receive(event, ...args);
    if (event === "s") compare(before, own(match));
  };
}

describe("an own shot", () => {
  test.each([0, 100, 300])("is drawn in the picture of the trigger at a round trip of %i ms", async (rtt) => {
    const match = await duel({ rtt });
    match.room.input({ fire: true });
    const [shot] = own(match);
    expect(shot).toMatchObject({ seat: 2, own: true, alpha: 1 });
    expect(shot && place(shot).x - 10).toBeLessThanOrEqual((2 * SHOT_SPEED) / HZ);
    expect(match.shots.size, "the server knows nothing of it").toBe(0);
  });

  test("is drawn when the server has told of it while the inspector's switch is off", async () => {
    const match = await duel({ rtt: 100 });
    insideOf(match.room).draws = false;
    match.room.input({ fire: true });
    expect(own(match)).toEqual([]);
    await match.play(0.4, () => expect(own(match).length).toBeLessThanOrEqual(match.shots.size));
    expect(match.drawn().length).toBeGreaterThan(0);
  });

  test("of a trigger that is let go in the same tick is none", async () => {
    const match = await duel({ rtt: 100 });
    match.room.input({ fire: true });
    expect(own(match)).toHaveLength(1);
    match.room.input({ fire: false });
    expect(own(match)).toEqual([]);
    await match.play(0.5, () => expect(own(match)).toEqual([]));
  });

  test.each([1, 1.37, 2.71])("is handed over to the server's without a jump, and keeps its id: aim %f", async (aim) => {
    const match = await duel({ rtt: 100 });
    // To between two steps of the wire.
    match.room.input({ dir: "E", aim });
    await match.play(0.431, () => own(match));
    match.room.input({ dir: "None", fire: true });
    const [first] = own(match);
    await match.play(0.05, () => own(match));
    match.room.input({ fire: false });
    const jumps: number[] = [];
    let rounding = 0;
    aroundFrames(match, (before, after) => {
      const [was, is] = [before[0], after[0]];
      expect([was?.id, is?.id]).toEqual([first?.id, first?.id]);
      if (was && is) jumps.push(Math.hypot(place(is).x - place(was).x, place(is).y - place(was).y));
      const theirs = [...match.shots.values()][0];
      if (is && theirs) rounding = Math.hypot(theirs.from.x - is.value.from.x, theirs.from.y - is.value.from.y);
    });
    await match.play(0.6, () => own(match));
    expect(jumps.length).toBeGreaterThan(15);
    expect(Math.max(...jumps), "less than one step of the wire").toBeLessThan(1e-9);
    expect(rounding, "what is drawn in the end is what the server has told").toBeLessThan(1 / 64);
    expect(own(match)[0]?.value.born).toBe([...match.shots.values()][0]?.born);
    expect(match.room.stats.prediction?.corrections).toBe(0);
  });

  test("is where the server has it at the same tick", async () => {
    const match = await duel({ rtt: 100, jitter: 15 });
    match.room.input({ fire: true });
    let compared = 0;
    await match.play(0.8, () => {
      for (const { value, own: isOwn, tick } of own(match)) {
        expect(isOwn).toBe(true);
        expect(tick, "it is ahead of the server's time").toBeGreaterThan(match.time + 1);
        const theirs = [...match.shots.values()].find(({ born }) => born === value.born);
        if (!theirs) continue;
        compared += 1;
        expect(Math.abs(theirs.from.x - value.from.x)).toBeLessThan(1 / 32);
      }
    });
    expect(compared).toBeGreaterThan(50);
  });

  test("is gone when the server's is gone", async () => {
    const match = await duel({ rtt: 100 });
    match.room.input({ fire: true });
    await match.play(0.05, () => own(match));
    match.room.input({ fire: false });
    const places = await watch(match, 2);
    expect(places.size).toBe(1);
    expect(own(match)).toEqual([]);
    const pictures = places.values().next().value?.length ?? 0;
    // It lives for the round trip longer than on the server.
    expect(pictures * FRAME).toBeGreaterThan(LIFE * MS);
    expect(pictures * FRAME).toBeLessThan(LIFE * MS + 300);
  });

  test("that the server does not spawn fades", async () => {
    const match = await duel({ rtt: 100 });
    match.jams = true;
    match.room.input({ fire: true });
    await match.play(0.05, () => own(match));
    match.room.input({ fire: false });
    const alphas: number[] = [];
    await match.play(0.6, () => alphas.push(own(match)[0]?.alpha ?? 0));
    const fades = alphas.findIndex((alpha) => alpha < 1) + 50 / FRAME;
    expect(fades * FRAME, "within a round trip and a half and some ticks").toBeLessThan(150 + 4 * MS + 2 * FRAME);
    expect(fades * FRAME).toBeGreaterThan(90);
    expect(alphas.at(-1)).toBe(0);
    expect(alphas.some((alpha) => alpha > 0 && alpha < 1)).toBe(true);
    expect(own(match)).toEqual([]);
  });

  test("of which nothing is heard fades after a round trip and a half", async () => {
    const match = await duel({ rtt: 100 });
    match.blackout = true;
    match.room.input({ fire: true });
    await match.play(0.05, () => own(match));
    match.room.input({ fire: false });
    const alphas: number[] = [];
    await match.play(0.7, () => alphas.push(Math.max(0, ...own(match).map(({ alpha }) => alpha))));
    expect(alphas[Math.floor((150 - 50) / FRAME)], "not before").toBe(1);
    expect(alphas.at(-1)).toBe(0);
    match.lift();
    await match.play(2);
    expect(own(match)).toEqual([]);
  });

  test("of an input that came late goes on from where it is drawn", async () => {
    const match = await duel({ rtt: 60 });
    match.blackout = true;
    match.room.input({ fire: true });
    const [first] = own(match);
    let pictures = 0;
    const places = await watch(match, 0.7, () => {
      if (++pictures === 7) match.lift();
      if (pictures === 24) match.room.input({ fire: false });
    });
    const late = match.inputs.find(({ row }) => row[3] === 1);
    expect((late?.act ?? 0) - (late?.tick ?? 0), "it comes some ticks late").toBeGreaterThan(2);
    const births = [...match.shots.values()].map(({ born }) => born);
    expect(births.length).toBeGreaterThan(1);
    expect(own(match)[0]?.id).toBe(first?.id);
    expect(own(match).map(({ value }) => value.born)).toEqual(births);
    // It slows down until it is where the server has it, and never flies back.
    expect(unevenness(places.values())).toBeLessThan(0.6 * PER_FRAME);
    expect(unevenness(places.values())).toBeGreaterThan(0.4 * PER_FRAME);
  });
});

describe("several shots", () => {
  test.each<Line>([
    { rtt: 40, jitter: 6, loss: 0.002 },
    { rtt: 100, jitter: 15, loss: 0.02 },
    { rtt: 200, jitter: 30, loss: 0.1 },
  ])("are each drawn once, and fly evenly: %j", async (line) => {
    const match = await duel(line);
    const server = new Set<number>();
    let n = 0;
    const places = await watch(match, 10, () => {
      match.room.input({ fire: n++ % 50 < 30, dir: n % 90 < 45 ? "N" : "S" });
      for (const id of match.shots.keys()) server.add(id);
      const shots = own(match);
      const births = shots.filter(({ alpha }) => alpha === 1).map(({ value }) => value.born);
      expect(new Set(births).size, "no shot is drawn twice").toBe(births.length);
    });
    expect(server.size).toBeGreaterThan(30);
    // A trigger that is let go before the tick ends fires nothing, and its shot is gone after a picture or two.
    const flown = [...places.values()].filter((xs) => xs.length > 3);
    expect(Math.abs(flown.length - server.size)).toBeLessThanOrEqual(0.25 * server.size);
    // On the worst line the local time itself jumps after a stall.
    if (line.loss !== 0.1) expect(unevenness(flown), "no shot flies backwards or jumps").toBeLessThan(PER_FRAME);
  });

  test("fly with a pause between them while the trigger is held", async () => {
    const match = await duel({ rtt: 100 });
    match.room.input({ fire: true });
    const places = await watch(match, 1);
    const shots = own(match).map(({ value }) => value.born);
    expect(shots.length).toBeGreaterThanOrEqual(Math.floor(LIFE / PAUSE));
    for (let k = 1; k < shots.length; k++) expect((shots[k] ?? 0) - (shots[k - 1] ?? 0)).toBe(PAUSE);
    // The local time runs 5% faster or slower at most.
    expect(unevenness(places.values())).toBeLessThan(0.06 * PER_FRAME);
  });
});

test("a respawned avatar shoots from its new place", async () => {
  const match = await duel({ rtt: 100 });
  match.room.input({ fire: true });
  await match.play(0.5);
  match.me = { id: 9, Pos: { at: { x: 30, y: 20 } }, Aim: 0, Hp: 100, Gun: { ready: 0, fired: 0 } } as Gunner;
  await match.play(0.5);
  match.room.input({ fire: false });
  match.room.input({ fire: true });
  await match.play(0.3);
  const newest = own(match).at(-1);
  expect(newest?.value.from).toEqual({ x: 30, y: 20 });
  await match.play(1);
  expect(own(match).every(({ value }) => value.from.x === 30)).toBe(true);
  expect(own(match).every(({ alpha }) => alpha === 1)).toBe(true);
});

describe("shots of others", () => {
  test("are drawn when the others are, with the moment of the picture", async () => {
    const match = await duel({ rtt: 100 });
    match.enemy = true;
    await match.play(1, () => {
      for (const { own: isOwn, tick, alpha, id, value } of match.drawn()) {
        expect([isOwn, alpha]).toEqual([false, 1]);
        expect(id).toBeGreaterThan(0);
        expect(tick).toBeGreaterThanOrEqual(value.born);
        expect(tick).toBeLessThan(match.time - 1);
      }
    });
    expect(match.drawn().length).toBeGreaterThan(4);
  });

  test("and own ones without prediction are drawn as the server tells", async () => {
    const match = new Duel({ rtt: 100 });
    await match.play(0.5);
    match.room.input({ fire: true });
    await match.play(0.1);
    expect(match.drawn()).toEqual([]);
    await match.play(1);
    expect(own(match).length).toBeGreaterThan(2);
    expect(match.drawn().every((shot) => !shot.own)).toBe(true);
  });
});

test("after a lost connection, shots are drawn ahead again", async () => {
  const match = await duel({ rtt: 100 });
  match.room.input({ fire: true });
  await match.play(0.5);
  match.disconnect();
  await match.play(1);
  expect(match.drawn().every((shot) => !shot.own)).toBe(true);
  match.room.input({ fire: false });
  match.reconnect();
  await match.play(2);
  match.room.input({ fire: true });
  expect(own(match)).toHaveLength(1);
});
