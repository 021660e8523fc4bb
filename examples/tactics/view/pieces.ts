// The units as the view knows them: the player's own, the enemies in sight, and where enemies were seen last.

import type { Room } from "@tickcast/client";
import { type Kind, Land, STATS } from "./field.ts";
import { BOARD, distance, type Hex, isSame, keyOf } from "./hex.ts";
import type { Tactics as Types } from "./types.d.ts";

/** The generated types, with the configuration. */
export interface Tactics extends Types {
  config: { minutes: number; increment: number; rounds: number; fog: boolean };
}

export type Table = Types["components"]["Table"];

/** A unit. */
export interface Piece {
  readonly key: string;
  readonly side: number;
  readonly number: number;
  readonly kind: Kind;
  readonly hp: number;
  readonly hex: Hex;
  /** Whether the player commands it. */
  readonly own: boolean;
  readonly moves: number;
  /** Whether it can still strike in this turn. */
  readonly ready: boolean;
  /** Whether the enemy sees it. */
  readonly seen: boolean;
}

export function pieceKey(side: number, number: number): string {
  return `${side}/${number}`;
}

/** What the player knows of the match. */
export class Knowledge {
  table: Table | undefined;
  land: Land | undefined;
  /** The moves that the player can take back. */
  undoable = 0;
  pieces = new Map<string, Piece>();
  /** Where enemies were seen last that are out of sight. */
  readonly lost = new Map<string, Piece>();
  /** The hexes at which no own unit looks, by their keys. Spectators have no fog. */
  fogged: ReadonlySet<string> = new Set();
  private ground = "";
  /** The units that have fallen in this game. */
  private readonly fallen = new Set<string>();

  /** Reads the newest state of the room. Returns whether another game has begun. */
  read(room: Room<Tactics>): boolean {
    const [before, ground] = [this.pieces, this.ground];
    this.pieces = new Map();
    this.table = undefined;
    for (const { Ground, Table, Unit, Figure, Undoable, Seat } of room.entities) {
      if (Ground) this.readGround(Ground);
      if (Table) this.table = Table;
      if (Undoable !== undefined && Seat === room.seat) this.undoable = Undoable;
      if (Unit) this.add({ ...Unit, side: room.seat, own: true, seen: Figure !== undefined });
      else if (Figure) this.add({ ...Figure, own: false, moves: STATS[Figure.kind].moves, ready: true, seen: true });
    }
    const own = [...this.pieces.values()].filter((piece) => piece.own);
    this.fogged = new Set(
      own.length > 0 && room.config.fog ? BOARD.map((hex) => (this.isLookedAt(own, hex) ? "" : keyOf(hex))) : [],
    );
    const isNew = this.ground !== ground;
    this.remember(isNew ? new Map() : before, own);
    return isNew;
  }

  /** The piece on a hex. */
  on(hex: Hex): Piece | undefined {
    for (const piece of this.pieces.values()) if (isSame(piece.hex, hex)) return piece;
    return undefined;
  }

  /** The hexes that are in the way of a unit. */
  taken(): Set<string> {
    return new Set([...this.pieces.values()].map(({ hex }) => keyOf(hex)));
  }

  /** Notes that a unit has fallen, and so is nowhere any more. */
  fall(key: string): void {
    this.fallen.add(key);
    this.lost.delete(key);
  }

  private readGround(ground: Types["components"]["Ground"]): void {
    const text = ground.join();
    if (this.ground === text) return;
    this.ground = text;
    this.land = new Land(ground);
    this.lost.clear();
    this.fallen.clear();
  }

  private add(unit: Omit<Piece, "key" | "hex"> & Hex): void {
    const { side, number, q, r } = unit;
    const key = pieceKey(side, number);
    this.pieces.set(key, { ...unit, key, hex: { q, r } });
  }

  private isLookedAt(own: readonly Piece[], hex: Hex): boolean {
    return own.some(({ kind, hex: from }) => this.land?.looks(kind, from, hex));
  }

  /** Notes which enemies went out of sight, and forgets those that are not where they were. */
  private remember(before: ReadonlyMap<string, Piece>, own: readonly Piece[]): void {
    for (const [key, piece] of before) {
      if (!piece.own && own.length > 0 && !this.fallen.has(key)) this.lost.set(key, piece);
    }
    for (const [key, { hex }] of this.lost) {
      const hides = this.land?.get(hex) === "forest";
      const isEmpty = hides ? own.some((unit) => distance(unit.hex, hex) <= 1) : this.isLookedAt(own, hex);
      if (this.pieces.has(key) || isEmpty) this.lost.delete(key);
    }
  }
}
