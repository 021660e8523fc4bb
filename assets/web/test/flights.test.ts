import { expect, test } from "vitest";

import { Flights, type Hit, type Seen, type Target } from "../../../examples/arena/view/flights.ts";
import { ground } from "../../../examples/arena/view/ground.ts";

const HZ = 30;
const PICTURE = 1 / 60;
/** Units in a picture. */
const STEP = 24 / 60;
const ENEMY: Target = { seat: 2, x: 20, y: 1 };
const HIT: Hit = { at: { x: 19.5, y: 1 }, shooter: 1, victim: 2, down: false };

/** A shot to the east along y = 1, from x = 10: it ends at the border of the courtyard, at x = 40. */
function shot(tick: number, more: Partial<Seen> = {}): Seen {
  return {
    id: -1,
    seat: 1,
    own: true,
    value: { from: { x: 10, y: 1 }, heading: 0, born: 100 },
    tick,
    alpha: 1,
    ...more,
  };
}

/** Plays pictures until something has ended or hit, or for so many of them. */
function play(flights: Flights, pictures: number, targets: Target[], seen: (picture: number) => Seen[]) {
  for (let picture = 0; picture < pictures; picture++) {
    const happened = flights.fly(seen(picture), targets, 90 + picture / 2, PICTURE);
    if (happened.ended.length > 0 || happened.hits.length > 0) return { picture, ...happened };
  }
  return undefined;
}

test("an own shot ends at the avatar that is drawn in its way, before the server tells", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  const made = play(flights, 100, [ENEMY], (picture) => [shot(99 + picture / 2)]);
  expect(made?.ended[0]?.end).toBeCloseTo(9.5, 5);
  expect((made?.picture ?? 0) * STEP).toBeGreaterThanOrEqual(9.5 - 1e-9);
  expect((made?.picture ?? 0) * STEP).toBeLessThan(9.5 + STEP);
  expect(made?.hits, "nobody is hurt yet").toEqual([]);
  expect(
    play(flights, 5, [ENEMY], () => [shot(112)]),
    "it does not start again",
  ).toBeUndefined();
  flights.hit(HIT, 111);
  expect(play(flights, 1, [ENEMY], () => [])?.hits, "and the server's word is shown at once").toEqual([HIT]);
});

test("an own shot flies past who is not in its way, and into the border", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  const made = play(flights, 200, [{ seat: 2, x: 20, y: 1.6 }], (picture) => [shot(99 + picture / 2)]);
  expect(made?.ended[0]?.end).toBeCloseTo(30, 5);
});

test("an own shot that misses in the picture, but not on the server, ends where it is told of", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  expect(play(flights, 40, [], (picture) => [shot(99 + picture / 2)])).toBeUndefined();
  flights.hit(HIT, 111);
  const made = play(flights, 1, [], () => [shot(119)]);
  expect([made?.hits, made?.ended.length]).toEqual([[HIT], 1]);
});

test("a shot of another ends when the drawn shot is where it hit, and not before", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  const theirs = { id: 7, own: false };
  expect(play(flights, 3, [ENEMY], (picture) => [shot(100 + picture / 2, theirs)])).toBeUndefined();
  flights.hit(HIT, 111);
  const made = play(flights, 100, [ENEMY], (picture) => [shot(101.5 + picture / 2, theirs)]);
  expect(made?.hits).toEqual([HIT]);
  expect((made?.ended[0]?.flown ?? 0) - 9.5).toBeLessThan(STEP);
});

test("a hit is kept for a shot that is drawn later, and shown where no shot was seen", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  flights.hit(HIT, 111);
  const made = play(flights, 100, [], (picture) =>
    picture < 20 ? [] : [shot(90 + picture / 2, { id: 7, own: false })],
  );
  expect(made?.ended).toHaveLength(1);
  flights.hit(HIT, 91);
  expect(play(flights, 100, [], () => [])).toMatchObject({ ended: [], hits: [HIT] });
});

test("of several shots on one line, the one that was there has hit", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  const salvo = (tick: number) =>
    [100, 105, 110].map((born) =>
      shot(tick, { id: born, own: false, value: { from: { x: 10, y: 1 }, heading: 0, born } }),
    );
  expect(play(flights, 4, [], (picture) => salvo(106 + picture / 2))).toBeUndefined();
  flights.hit(HIT, 116);
  const made = play(flights, 60, [], (picture) => salvo(108 + picture / 2));
  expect(made?.ended.map(({ id, hit }) => [id, hit])).toEqual([[105, HIT]]);
});

test("a shot that fades is gone with its last picture", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  play(flights, 3, [], (picture) => [shot(101 + picture / 2, { alpha: 0.5 })]);
  expect([...flights.all]).toHaveLength(1);
  expect(play(flights, 1, [], () => [])).toBeUndefined();
  expect([...flights.all]).toEqual([]);
});

test("an own shot that slides to where the server has it never flies backwards", () => {
  const flights = new Flights(ground("courtyard"), HZ);
  let last = 0;
  play(flights, 20, [], (picture) => {
    const [flight] = flights.all;
    expect(flight?.flown ?? 0).toBeGreaterThanOrEqual(last);
    last = flight?.flown ?? 0;
    return [shot(picture < 10 ? 101 + picture / 2 : 104 + picture / 2)];
  });
  expect(last).toBeGreaterThan(3);
});
