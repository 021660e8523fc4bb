// Walkers with guns: the trigger is held, the gun needs some ticks between two shots, and shots fly straight.

import type { Schema } from "../src/schema.js";
import { Schemas } from "../src/schema.js";
import type { Spawned } from "../src/types.js";
import type { Game, Line, Me, Pad } from "./walking.js";
import { HZ, Match, SEAT, step as walk, schema as walking } from "./walking.js";

/** In units per second, and in ticks. */
export const SHOT_SPEED = 24;
export const PAUSE = 5;
/** A shot lives for so many ticks. */
export const LIFE = 30;

export interface Shot {
  from: { x: number; y: number };
  heading: number;
  born: number;
}
export interface Gunner extends Me {
  Gun: { ready: number; fired: number };
}

const INT = { type: "int", min: 0, max: 0xffff_ffff } as const;

const schema: Schema = {
  ...walking,
  game: "shoot",
  components: [
    ...walking.components,
    {
      id: 4,
      name: "Gun",
      shape: "struct",
      fields: [
        { name: "ready", ...INT },
        { name: "fired", ...INT },
      ],
    },
    {
      id: 5,
      name: "Shot",
      shape: "struct",
      fields: [
        { name: "from", type: "vec2", step: 1 / 32 },
        { name: "heading", type: "angle", steps: 1024 },
        { name: "born", ...INT },
      ],
    },
  ],
  input: { ...walking.input, fields: [...walking.input.fields, { name: "fire", type: "bool" }] },
};
const schemas = new Schemas(schema);

/** The rules that a client can predict. */
export function step(me: Gunner, pad: Pad & { fire: boolean }, time: { tick: number; dt: number }): void {
  walk(me, pad, time);
  if (me.Hp > 0 && pad.fire && time.tick >= me.Gun.ready) {
    me.Gun = { ready: time.tick + PAUSE, fired: time.tick };
  }
}

/** A match of two: the player, and another who stands and shoots all the time if `enemy` is set. */
export class Duel extends Match {
  /** The shots that the server has, by id. */
  readonly shots = new Map<number, Shot & { seat: number }>();
  /** Whether the server spawns nothing for shots that the gun fires. */
  jams = false;
  enemy = false;
  drawn: () => readonly Spawned<Shot>[];
  #newest = 50;

  constructor(line: Line = {}) {
    super(line, undefined, DUEL);
    this.me = { ...this.me, Gun: { ready: 0, fired: 0 } } as Gunner;
    this.drawn = this.room.spawns("Shot", {
      from: ["Pos", "Aim", "Gun"],
      spawn: ({ Pos, Aim, Gun }, tick) => (Gun.fired === tick ? [{ from: Pos.at, heading: Aim, born: tick }] : []),
      born: (shot: Shot) => shot.born,
    });
  }

  spawn(seat: number, shot: Shot): void {
    this.shots.set(this.#newest++, { ...structuredClone(shot), seat });
  }
}

const DUEL: Game = {
  schema,
  step: (match, pad, time) => {
    const duel = match as Duel;
    const me = duel.me as Gunner;
    step(me, pad as Pad & { fire: boolean }, time);
    for (const [id, { born }] of duel.shots) if (time.tick >= born + LIFE) duel.shots.delete(id);
    const shot = { from: me.Pos.at, heading: me.Aim, born: time.tick };
    if (me.Gun.fired === time.tick && !duel.jams) duel.spawn(SEAT, shot);
    if (duel.enemy && time.tick % PAUSE === 0) duel.spawn(1, { from: { x: 5, y: 5 }, heading: 0, born: time.tick });
  },
  more: ({ me }) => {
    const { ready, fired } = (me as Gunner).Gun;
    return [[ready, fired]];
  },
  others: (match) =>
    [...(match as Duel).shots].map(([id, { seat, ...shot }]) => {
      return [-1, 0b100001, [id], seat, ...schemas.codec("Shot").write(shot, [0, 0, 0, 0])];
    }),
};

/** Where a shot is drawn: along the x axis and across it. */
export function place({ value: { from, heading, born }, tick }: Spawned<Shot>): { x: number; y: number } {
  const flown = ((tick - born + 1) * SHOT_SPEED) / HZ;
  return { x: from.x + Math.cos(heading) * flown, y: from.y + Math.sin(heading) * flown };
}
