// The geometry of the board, as in the rules: axial coordinates, where `q` grows to the east and `r` to the south-east.

export interface Hex {
  readonly q: number;
  readonly r: number;
}

/** A point of the picture, in units of the distance from a hex's centre to its corners. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The distance from the board's centre to its border. */
export const RADIUS = 5;
/** The steps to the neighbours, clockwise from the east. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [0, -1],
  [1, -1],
] as const;

/** All hexes, row by row from the north, each from the west: the order of the ground's bits. */
export const BOARD: readonly Hex[] = Array.from({ length: 2 * RADIUS + 1 }, (_, row) => row - RADIUS).flatMap((r) => {
  const first = -Math.min(RADIUS, RADIUS + r);
  const last = Math.min(RADIUS, RADIUS - r);
  return Array.from({ length: last - first + 1 }, (_, at) => ({ q: first + at, r }));
});

const PLACES = new Map(BOARD.map((hex, place) => [keyOf(hex), place]));

/** A text that is the same for the same hex. */
export function keyOf({ q, r }: Hex): string {
  return `${q},${r}`;
}

/** The place of a hex in the board; `undefined` outside of it. */
export function placeOf(hex: Hex): number | undefined {
  return PLACES.get(keyOf(hex));
}

export function isSame(a: Hex | undefined, b: Hex | undefined): boolean {
  return a?.q === b?.q && a?.r === b?.r;
}

export function distance(a: Hex, b: Hex): number {
  const q = b.q - a.q;
  const r = b.r - a.r;
  return (Math.abs(q) + Math.abs(r) + Math.abs(q + r)) / 2;
}

export function neighbours({ q, r }: Hex): Hex[] {
  return STEPS.map(([dq, dr]) => ({ q: q + dq, r: r + dr }));
}

/** The hexes that the straight line between two others crosses; two of a step where it runs along an edge. */
export function between(a: Hex, b: Hex): [Hex, Hex][] {
  const steps = distance(a, b);
  const from = [a.q, a.r, -a.q - a.r] as const;
  const way = [b.q - a.q, b.r - a.r, a.q - b.q + (a.r - b.r)] as const;
  // One cube coordinate changes by one in each step, and so is exact. The second is rounded down and up where it is halfway.
  const [first, second] =
    Math.abs(way[0]) === steps ? ([0, 1] as const) : Math.abs(way[1]) === steps ? ([1, 0] as const) : ([2, 0] as const);
  const crossed: [Hex, Hex][] = [];
  for (let step = 1; step < steps; step++) {
    const exact = from[first] + Math.sign(way[first]) * step;
    const doubled = 2 * way[second] * step;
    const [low, high] = [doubled + steps - 1, doubled + steps].map((numerator) => {
      const cube = [0, 0, 0];
      cube[first] = exact;
      cube[second] = from[second] + Math.floor(numerator / (2 * steps));
      cube[3 - first - second] = -exact - (cube[second] ?? 0);
      return { q: cube[0] ?? 0, r: cube[1] ?? 0 };
    });
    if (low && high) crossed.push([low, high]);
  }
  return crossed;
}

/** The centre of a hex. */
export function centre({ q, r }: Hex): Point {
  return { x: Math.sqrt(3) * (q + r / 2), y: 1.5 * r };
}

/** The hex in which a point lies. */
export function hexAt({ x, y }: Point): Hex {
  const r = y / 1.5;
  const q = x / Math.sqrt(3) - r / 2;
  let [rq, rr] = [Math.round(q), Math.round(r)];
  const rs = Math.round(-q - r);
  const off = [Math.abs(rq - q), Math.abs(rr - r), Math.abs(rs + q + r)] as const;
  // The coordinate that was rounded most follows from the other two.
  if (off[0] > off[1] && off[0] > off[2]) rq = -rr - rs;
  else if (off[1] > off[2]) rr = -rq - rs;
  return { q: rq + 0, r: rr + 0 };
}

/** The corners of a hex around its centre, from the north clockwise. */
export const CORNERS: readonly Point[] = Array.from({ length: 6 }, (_, at) => {
  const angle = (at * Math.PI) / 3 - Math.PI / 2;
  return { x: Math.cos(angle), y: Math.sin(angle) };
});

/** A name for people: the row from A in the north, and the place in the row from 1. */
export function nameOf({ q, r }: Hex): string {
  return `${String.fromCharCode(65 + r + RADIUS)}${q + Math.min(RADIUS, RADIUS + r) + 1}`;
}
