// Plays what happens one thing after the other, so that a bot's turn can be followed, and tells it in words.

import type { Hex, Point } from "./hex.ts";
import { centre, nameOf } from "./hex.ts";
import { type Piece, pieceKey } from "./pieces.ts";
import type { Tactics } from "./types.d.ts";

type Stepped = Tactics["events"]["Stepped"];
type Struck = Tactics["events"]["Struck"];

type Happening =
  | { readonly what: "step"; readonly key: string; readonly to: Hex }
  | { readonly what: "blow"; readonly key: string; readonly target: string; readonly told: Struck };

/** How long a step and a blow take, in seconds. */
const STEP = 0.14;
const BLOW = 0.42;
/** With more than this, everything goes twice as fast. */
const MANY = 8;

/** A number that floats over a hex. */
export interface Wound {
  readonly at: Hex;
  readonly damage: number;
  /** From 0 to 1. */
  readonly done: number;
}

/** Where the last thing happened. */
export interface Trace {
  readonly key: string;
  readonly from: Hex;
  readonly to: Hex;
  readonly isBlow: boolean;
}

export class Story {
  /** Whether nothing is animated. */
  calm = false;
  trace: Trace | undefined;
  private readonly waiting: Happening[] = [];
  private done = 0;
  /** The units that happen something, where they are drawn meanwhile. */
  private readonly held = new Map<string, Piece>();

  /** `find` finds a unit in the newest state, and `tell` gets each thing in words once it is shown. */
  constructor(
    private readonly find: (key: string) => Piece | undefined,
    private readonly tell: (words: string) => void,
  ) {}

  /** Whether something is still to be shown. */
  get isPlaying(): boolean {
    return this.waiting.length > 0;
  }

  /** A unit has made a step. The state that follows has it there already. */
  step({ side, number, q, r }: Stepped): void {
    const key = pieceKey(side, number);
    this.hold(key);
    this.waiting.push({ what: "step", key, to: { q, r } });
  }

  /** A unit was struck. */
  blow(told: Struck): void {
    const [key, target] = [pieceKey(told.side, told.number), pieceKey(3 - told.side, told.target)];
    this.hold(key);
    this.hold(target);
    this.waiting.push({ what: "blow", key, target, told });
  }

  /** Forgets what has happened, also what was not shown yet: it was taken back, or was in another game. */
  forget(): void {
    this.waiting.length = 0;
    this.held.clear();
    this.done = 0;
    this.trace = undefined;
  }

  /** Goes on by some seconds. Returns whether the picture has changed. */
  play(seconds: number): boolean {
    if (this.waiting.length === 0) return false;
    this.done += this.calm ? Infinity : seconds * (this.waiting.length > MANY ? 2 : 1);
    for (let [next] = this.waiting; next; [next] = this.waiting) {
      const takes = next.what === "step" ? STEP : BLOW;
      if (this.done < takes) return true;
      this.done -= takes;
      this.waiting.shift();
      this.finish(next);
    }
    this.done = 0;
    return true;
  }

  /** The units to draw: those of now, and those to which something still happens as they were before. */
  cast(pieces: ReadonlyMap<string, Piece>): Piece[] {
    const cast = new Map(pieces);
    for (const [key, piece] of this.held) cast.set(key, { ...(pieces.get(key) ?? piece), hex: piece.hex });
    return [...cast.values()];
  }

  /** The centre of a unit while it moves or strikes. */
  place(piece: Piece): Point {
    const [next] = this.waiting;
    const from = centre(piece.hex);
    if (next?.key !== piece.key) return from;
    if (next.what === "step") return between(from, centre(next.to), this.done / STEP);
    const target = this.held.get(next.target);
    return target ? between(from, centre(target.hex), 0.4 * Math.sin(Math.PI * Math.min(1, this.done / BLOW))) : from;
  }

  /** The wound that is shown now. */
  get wound(): Wound | undefined {
    const [next] = this.waiting;
    const target = next?.what === "blow" ? this.held.get(next.target) : undefined;
    return next?.what === "blow" && target
      ? { at: target.hex, damage: next.told.damage, done: this.done / BLOW }
      : undefined;
  }

  /** Draws a unit as it is known from now on, until everything that happened to it is shown. */
  private hold(key: string): void {
    const piece = this.held.get(key) ?? this.find(key);
    if (piece) this.held.set(key, piece);
  }

  private finish(happened: Happening): void {
    // An enemy that comes into sight was not known before.
    const piece = this.held.get(happened.key) ?? this.find(happened.key);
    const goesOn = this.waiting[0]?.what === "step" && this.waiting[0].key === happened.key;
    if (happened.what === "step") {
      this.note(happened.key, piece?.hex ?? happened.to, happened.to, false);
      if (piece) this.held.set(happened.key, { ...piece, hex: happened.to });
      if (piece && !goesOn) this.tell(`${nameFor(piece)} moves to ${nameOf(happened.to)}.`);
    } else {
      const target = this.held.get(happened.target);
      if (piece && target) {
        this.note(happened.key, piece.hex, target.hex, true);
        this.tell(blowWords(happened.told, piece, target));
      }
    }
    // Nothing more happens to these: from now on they are drawn as they are.
    for (const key of [happened.key, ...(happened.what === "blow" ? [happened.target] : [])]) {
      const isNeeded = this.waiting.some((next) => next.key === key || (next.what === "blow" && next.target === key));
      if (!isNeeded) this.held.delete(key);
    }
  }

  private note(key: string, from: Hex, to: Hex, isBlow: boolean): void {
    const isSameWay = this.trace?.key === key && !this.trace.isBlow && !isBlow;
    this.trace = { key, from: isSameWay && this.trace ? this.trace.from : from, to, isBlow };
  }
}

/** A unit's name at the head of a sentence. */
export function nameFor({ own, side, kind }: Piece): string {
  return `${own ? "Your" : sideName(side)} ${kind.toLowerCase()}`;
}

/** Set while a spectator looks: nobody is "they". */
let isNeutral = false;

export function speakNeutrally(neutral: boolean): void {
  isNeutral = neutral;
}

function sideName(side: number): string {
  if (!isNeutral) return "Their";
  return side === 1 ? "The blue" : "The orange";
}

function blowWords({ damage, fell, back }: Struck, striker: Piece, target: Piece): string {
  const whom = `${target.own ? "your" : sideName(target.side).toLowerCase()} ${target.kind.toLowerCase()}`;
  return `${nameFor(striker)} strikes ${whom}${back ? " back" : ""} for ${damage}.${fell ? " It falls." : ""}`;
}

function between(a: Point, b: Point, share: number): Point {
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
}
