// Where shots are and where they end: along a straight line from the gun to a wall, or to the avatar that they reach. Pure.
//
// Shots of others are drawn at the time at which others are drawn. Own shots are ahead of the server, as the own avatar is, so they
// end at the avatars that the player sees, and the server's word on what was hit comes a round trip later.

import { type Ground, reach, type Vec } from "./ground.ts";
import type { Arena } from "./types.d.ts";

/** In units per second, as in the rules. */
const SPEED = 24;
/** The radius of an avatar, in units, as in the rules. */
const RADIUS = 0.5;
/** How long a hit waits for the shot that made it, in ticks: a shot at an avatar in front of the gun has no entity. */
const WAIT = 3;
/** How far a shot may be from where it hit, in units: a hit is told by tick, and in a tick a shot flies most of a unit. */
const ASTRAY = 2;
/** How long a shot that has ended waits for the server to tell what it hit, in seconds. */
const KEPT = 1;

export type Hit = Arena["events"]["Hit"];

/** A shot of the room's state, as the SDK says that it should be drawn. */
export interface Seen {
  readonly id: number;
  readonly seat: number;
  readonly own: boolean;
  readonly value: Arena["components"]["Shot"];
  readonly tick: number;
  readonly alpha: number;
}

/** An avatar that own shots can hit. */
export interface Target extends Vec {
  readonly seat: number;
}

/** A shot in flight. */
export interface Flight {
  readonly id: number;
  readonly seat: number;
  readonly own: boolean;
  from: Vec;
  way: Vec;
  born: number;
  /** The moment that is drawn, in ticks. */
  tick: number;
  alpha: number;
  /** The distance that it has flown, and the one at which it ends. */
  flown: number;
  end: number;
  /** The thing that it hit, as the server tells. */
  hit: Hit | undefined;
  /** Whether the view has shown that it was fired. */
  flashed: boolean;
}

/** The changes since the last picture. */
export interface Happened {
  /** Shots that have ended, each at a wall or at an avatar. */
  ended: Flight[];
  /** Hits that are due to be shown. */
  hits: Hit[];
}

export class Flights {
  private readonly flying = new Map<number, Flight>();
  /** Own shots that have ended at an avatar, until the server tells of the hit, and the seconds that are left for that. */
  private readonly over = new Map<Flight, number>();
  /** The ids of shots that have ended in the picture, while the room's state has them. */
  private readonly done = new Set<number>();
  private waiting: { readonly hit: Hit; readonly tick: number }[] = [];

  constructor(
    private readonly ground: Ground,
    private readonly hz: number,
  ) {}

  /** The shots in flight. */
  get all(): Iterable<Flight> {
    return this.flying.values();
  }

  /** The server tells of a hit in a tick. */
  hit(hit: Hit, tick: number): void {
    this.waiting.push({ hit, tick });
  }

  /**
   * Lets all shots fly on to the next picture: `seen` are those of the room's state, `targets` the avatars that own shots can hit,
   * `tick` is the moment at which others are drawn, and `seconds` is the time since the last picture.
   */
  fly(seen: readonly Seen[], targets: readonly Target[], tick: number, seconds: number): Happened {
    const held = new Set<number>();
    for (const shot of seen) {
      held.add(shot.id);
      this.see(shot);
    }
    const happened: Happened = { ended: [], hits: [] };
    for (const [flight, left] of this.over) {
      if (left > seconds) this.over.set(flight, left - seconds);
      else this.over.delete(flight);
    }
    this.assign(tick, happened);
    for (const flight of this.flying.values()) {
      if (!held.has(flight.id)) {
        // The server has told of the hit before it ended an own shot, or the shot never was.
        if (flight.own && !flight.hit) {
          this.flying.delete(flight.id);
          continue;
        }
        flight.tick += seconds * this.hz;
      }
      this.advance(flight, targets, happened);
    }
    for (const id of this.done) if (!held.has(id)) this.done.delete(id);
    return happened;
  }

  private see({ id, seat, own, value: { from, heading, born }, tick, alpha }: Seen): void {
    const way = { x: Math.cos(heading), y: Math.sin(heading) };
    const known = this.flying.get(id);
    if (known && (known.born === born || own)) {
      Object.assign(known, { tick, alpha, born });
      if (own && !known.hit) Object.assign(known, { from, way, end: reach(this.ground, from, way) });
      return;
    }
    if (this.done.has(id)) return;
    const end = reach(this.ground, from, way);
    const flight = { id, seat, own, from, way, born, tick, alpha, flown: 0, end, hit: undefined, flashed: false };
    this.flying.set(id, flight);
  }

  private advance(flight: Flight, targets: readonly Target[], { ended, hits }: Happened): void {
    const before = flight.flown;
    flight.flown = Math.max(before, ((flight.tick - flight.born + 1) * SPEED) / this.hz);
    const end = flight.own && !flight.hit ? Math.min(flight.end, this.nearest(flight, before, targets)) : flight.end;
    if (flight.flown < end) return;
    this.flying.delete(flight.id);
    this.done.add(flight.id);
    flight.end = end;
    ended.push(flight);
    if (flight.hit) hits.push(flight.hit);
    else if (flight.own) this.over.set(flight, KEPT);
  }

  /** The distance at which a shot reaches the first avatar since the last picture. */
  private nearest({ from, way, flown }: Flight, before: number, targets: readonly Target[]): number {
    let nearest = Infinity;
    for (const target of targets) {
      const { along, off } = pass(from, way, target);
      if (off >= RADIUS) continue;
      const enters = along - Math.sqrt(RADIUS * RADIUS - off * off);
      if (enters <= flown && along >= before) nearest = Math.min(nearest, Math.max(enters, 0));
    }
    return nearest;
  }

  /** Gives each hit to the shot that made it. What no shot made is due when others are drawn at its tick. */
  private assign(tick: number, { hits }: Happened): void {
    this.waiting = this.waiting.filter(({ hit, tick: at }) => {
      const maker = this.maker(hit, at);
      if (!maker) {
        if (tick < at + WAIT) return true;
        hits.push(hit);
        return false;
      }
      if (this.over.delete(maker)) hits.push(hit);
      maker.hit = hit;
      maker.end = Math.hypot(hit.at.x - maker.from.x, hit.at.y - maker.from.y);
      return false;
    });
  }

  /** The shot that was where it hit, in the tick in which it did. */
  private maker(hit: Hit, tick: number): Flight | undefined {
    let best: Flight | undefined;
    let least = ASTRAY;
    for (const flight of [...this.over.keys(), ...this.flying.values()]) {
      if (flight.seat !== hit.shooter || flight.hit) continue;
      const { along, off } = pass(flight.from, flight.way, hit.at);
      const astray = off + Math.abs(((tick - flight.born + 1) * SPEED) / this.hz - along);
      if (astray < least) [best, least] = [flight, astray];
    }
    return best;
  }
}

/** Where a line passes a point: the distance along it, and the one across it. */
function pass(from: Vec, way: Vec, at: Vec): { along: number; off: number } {
  const gap = { x: at.x - from.x, y: at.y - from.y };
  return { along: gap.x * way.x + gap.y * way.y, off: Math.abs(gap.x * way.y - gap.y * way.x) };
}
