// Where entities are: the components that may tell it, the likeliest first.

import type { Field, Type } from "@tickcast/client";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A way to read a position from a component. */
export interface Place {
  /** The name for people, and of the choice: `Pos.at`. */
  readonly name: string;
  readonly component: string;
  /** The least and the greatest coordinate, if the schema tells both. */
  readonly range?: readonly [min: number, max: number];
  read(value: unknown): Point | undefined;
}

/** Names of what has a place. */
const LIKELY = /^(pos|position|place|location|loc|at|xy|xyz|point|cell|tile|square|spot|transform|coords?)$/i;
/** Names of vectors that are no places. */
const UNLIKELY = /vel|speed|dir|aim|force|acc|push|size|scale|look|normal|offset|target|goal/i;
/** Names of two numbers that are a place. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["x", "y"],
  ["x", "z"],
  ["col", "row"],
  ["column", "row"],
  ["q", "r"],
];

/** The places of a schema's components, the likeliest first: a vector before two numbers, and a likely name before others. */
export function placesOf(components: readonly Type[]): Place[] {
  const found = components.flatMap((type) => {
    const vectors = type.fields.flatMap((field) => vectorsOf(type, field));
    const pair = pairOf(type);
    return pair ? [...vectors, pair] : vectors;
  });
  return found.sort((a, b) => b.likely - a.likely).map(({ place }) => place);
}

interface Found {
  readonly place: Place;
  readonly likely: number;
}

/** A vector of three numbers is looked at from above, and from the front. */
function vectorsOf(type: Type, field: Field): Found[] {
  if (field.type !== "vec2" && field.type !== "vec3") return [];
  const { min, max } = field;
  const isValue = type.shape === "value";
  const likely = 4 + likeness(type) + (isValue ? 0 : likelinessOf(field.name));
  const name = isValue ? type.name : `${type.name}.${field.name}`;
  const own = (value: unknown): unknown => (isValue ? value : partOf(value, field.name));
  const made = (x: string, y: string, name: string, likely: number): Found => ({
    place: {
      name,
      component: type.name,
      ...(min !== undefined && max !== undefined && { range: [min, max] as const }),
      read: (value) => pointOf(partOf(own(value), x), partOf(own(value), y)),
    },
    likely,
  });
  if (field.type === "vec2") return [made("x", "y", name, likely)];
  return [made("x", "z", `${name} from above`, likely), made("x", "y", `${name} from the front`, likely - 0.5)];
}

function pairOf(type: Type): Found | undefined {
  const isNumber = (name: string): boolean =>
    type.fields.some((field) => field.name === name && (field.type === "int" || field.type === "float"));
  const pair = PAIRS.find(([x, y]) => isNumber(x) && isNumber(y));
  if (!pair) return undefined;
  const [x, y] = pair;
  const place: Place = {
    name: `${type.name}.${x}, ${y}`,
    component: type.name,
    read: (value) => pointOf(partOf(value, x), partOf(value, y)),
  };
  return { place, likely: 2 + likeness(type) };
}

/** What everybody is told is likelier than what one seat knows. */
function likeness({ name, to }: Type): number {
  return likelinessOf(name) - (to === undefined || to === "everyone" ? 0 : 0.5);
}

function likelinessOf(name: string): number {
  return LIKELY.test(name) ? 1 : UNLIKELY.test(name) ? -3 : 0;
}

function partOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function pointOf(x: unknown, y: unknown): Point | undefined {
  return typeof x === "number" && typeof y === "number" ? { x, y } : undefined;
}
