// What units see, reach and strike, as in the rules, so that the picture can tell before the server does.

import { BOARD, between, distance, type Hex, keyOf, neighbours, placeOf } from "./hex.ts";
import type { Tactics } from "./types.d.ts";

type Components = Tactics["components"];
export type Ground = Components["Ground"];
export type Kind = Components["Unit"]["kind"];
export type Terrain = "plain" | "forest" | "hill" | "water";

/** The numbers of a kind of unit. */
export interface Stats {
  readonly hp: number;
  readonly moves: number;
  readonly sight: number;
  readonly range: readonly [least: number, most: number];
  readonly damage: readonly [least: number, most: number];
}

export const STATS: Readonly<Record<Kind, Stats>> = {
  Captain: { hp: 14, moves: 3, sight: 3, range: [1, 1], damage: [2, 4] },
  Guard: { hp: 12, moves: 3, sight: 2, range: [1, 1], damage: [3, 5] },
  Archer: { hp: 7, moves: 3, sight: 3, range: [2, 3], damage: [2, 5] },
  Scout: { hp: 6, moves: 5, sight: 4, range: [1, 1], damage: [1, 3] },
};

const TERRAINS: readonly Terrain[] = ["plain", "forest", "hill", "water"];
const COSTS: Readonly<Record<Terrain, number>> = { plain: 1, forest: 2, hill: 2, water: Infinity };

/** By how much a terrain reduces the damage of each hit. */
export const COVER: Readonly<Record<Terrain, number>> = { plain: 0, forest: 1, hill: 1, water: 0 };

/** What lies on each hex of the board. */
export class Land {
  private readonly terrains: readonly Terrain[];

  constructor(ground: Ground) {
    this.terrains = BOARD.map(
      (_, place) => TERRAINS[((ground[place >> 4] ?? 0) >>> (2 * (place & 15))) & 3] ?? "plain",
    );
  }

  /** What lies on a hex; `undefined` outside of the board. */
  get(hex: Hex): Terrain | undefined {
    const place = placeOf(hex);
    return place === undefined ? undefined : this.terrains[place];
  }

  /** Whether a unit on one hex could see the other if the distance did not matter. */
  isClear(from: Hex, to: Hex): boolean {
    const isHigh = this.get(from) === "hill";
    const blocks = (hex: Hex): boolean => this.get(hex) === "hill" || (this.get(hex) === "forest" && !isHigh);
    return !between(from, to).some((pair) => pair.every(blocks));
  }

  /** Whether a unit of a kind looks at a hex from another one. A unit that hides there may still be overlooked. */
  looks(kind: Kind, from: Hex, at: Hex): boolean {
    const far = distance(from, at);
    const height = this.get(from) === "hill" ? 1 : 0;
    return far <= 1 || (far <= STATS[kind].sight + height && this.isClear(from, at));
  }

  /** Whether a unit could strike another one from a hex. */
  canStrike(kind: Kind, from: Hex, at: Hex): boolean {
    const far = distance(from, at);
    const [least, most] = STATS[kind].range;
    return far >= least && far <= most && (far === 1 || this.isClear(from, at));
  }

  /** The hexes that a unit reaches, by their keys, each with the points that are left there. `taken` are in the way. */
  reach(from: Hex, moves: number, taken: ReadonlySet<string>): Map<string, { left: number; before: Hex }> {
    const reached = new Map([[keyOf(from), { left: moves, before: from }]]);
    for (let points = moves; points > 0; points--) {
      for (const hex of BOARD.filter((hex) => reached.get(keyOf(hex))?.left === points)) {
        for (const next of neighbours(hex)) {
          const terrain = this.get(next);
          if (!terrain || taken.has(keyOf(next))) continue;
          const left = points - COSTS[terrain];
          if (left >= 0 && (reached.get(keyOf(next))?.left ?? -1) < left)
            reached.set(keyOf(next), { left, before: hex });
        }
      }
    }
    reached.delete(keyOf(from));
    return reached;
  }
}

/** The damage of a hit on a unit on a hex, from and to. */
export function damageOn(kind: Kind, terrain: Terrain | undefined): [least: number, most: number] {
  const cover = COVER[terrain ?? "plain"];
  const [least, most] = STATS[kind].damage;
  return [Math.max(1, least - cover), Math.max(1, most - cover)];
}
