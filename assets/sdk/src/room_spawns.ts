// Entities that avatars spawn in a room, such as shots.

import type { Sample } from "./interpolate.js";
import { RoomEvents } from "./room_events.js";
import type { Drawn, SpawnRule } from "./spawns.js";
import type { ComponentName, GameTypes, Spawned, SpawnOptions } from "./types.js";

/** A room with entities that avatars spawn. */
export abstract class RoomSpawns<G extends GameTypes> extends RoomEvents<G> {
  /**
   * The entities that avatars spawn and that then fly by themselves, such as shots. Those of the player are there in the picture after
   * the key, while the avatar is predicted: they are foreseen from its predicted state, and the server's own entities take their place
   * without a jump. Those that the server does not spawn fade. Returns a function that says for each picture what to draw.
   *
   * @example
   * ```ts
   * const shots = room.spawns("Shot", {
   *   from: ["Pos", "Aim", "Gun"],
   *   spawn: ({ Pos, Aim, Gun }, tick) => (Gun.fired === tick ? [{ from: Pos.at, heading: Aim, born: tick }] : []),
   *   born: (shot) => shot.born,
   * });
   * for (const { id, value, tick } of shots()) streak(id, value.from, value.heading, (tick - value.born) * SPEED);
   * ```
   */
  spawns<C extends ComponentName<G>, F extends ComponentName<G>>(
    component: C,
    options: SpawnOptions<G, C, F>,
  ): () => readonly Spawned<G["components"][C]>[] {
    const rule = { ...options, components: ["Seat", component], count: 0 } as unknown as SpawnRule;
    return () => this.spawned(rule) as readonly Spawned<G["components"][C]>[];
  }

  /** The entities to draw now. */
  protected abstract spawned(rule: SpawnRule): readonly Drawn[];
}

/** The server's entities at a moment, as they are drawn with others. */
export function othersOf(
  { components: [seat, component] }: SpawnRule,
  samples: readonly Sample[],
  tick: number,
): Drawn[] {
  return samples.map(({ id, [seat]: owner, [component]: value }) => {
    return { id, seat: owner as number, own: false, value, tick, alpha: 1 };
  });
}
