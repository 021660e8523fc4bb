// The callbacks that a program has registered with a room.

import type { PredictionError } from "./errors.js";
import { FrameError } from "./errors.js";
import { decodeEvents } from "./frame.js";
import { Listeners } from "./listeners.js";
import type { Applied, Entity } from "./mirror.js";
import type { Schemas } from "./schema.js";
import type { Desync, Over, Refused, RoomStatus, SeatInfo, Vote } from "./types.js";

/** The listeners of a room, by what they listen to. */
export class RoomCallbacks {
  readonly spawn = new Listeners<[Entity]>();
  readonly despawn = new Listeners<[Entity]>();
  readonly frame = new Listeners<[tick: number]>();
  readonly seats = new Listeners<[SeatInfo[]]>();
  readonly status = new Listeners<[RoomStatus, Over?]>();
  readonly refused = new Listeners<[Refused]>();
  readonly vote = new Listeners<[Vote]>();
  readonly over = new Listeners<[Over]>();
  readonly desync = new Listeners<[Desync]>();
  readonly fault = new Listeners<[FrameError | PredictionError]>();
  readonly #events = new Map<string, Listeners<[value: unknown, tick: number]>>();
  readonly #changes = new Map<number, Listeners<[Entity, unknown]>>();
  readonly #removals = new Map<number, Listeners<[Entity]>>();
  readonly #schemas: Schemas;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** The listeners to game events of a name. */
  event(name: string): Listeners<[value: unknown, tick: number]> {
    return findOrAdd(this.#events, name);
  }

  /** The listeners to changes of a component. Throws a `TypeError` if the game has no component of this name. */
  change(component: string): Listeners<[Entity, unknown]> {
    return findOrAdd(this.#changes, this.#schemas.id(component));
  }

  /** The listeners to removals of a component. Throws a `TypeError` if the game has no component of this name. */
  remove(component: string): Listeners<[Entity]> {
    return findOrAdd(this.#removals, this.#schemas.id(component));
  }

  /** Decodes the game events of a tick, and notifies their listeners. */
  notifyEvents(bytes: Uint8Array): void {
    try {
      const { tick, events } = decodeEvents(bytes, this.#schemas);
      for (const { name, value } of events) this.#events.get(name)?.notify(value, tick);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.fault.notify(error);
    }
  }

  /** Notifies the listeners of everything that a frame changed. Despawns come first: a new entity may have the id of an old one. */
  notifyApplied({ frame, spawned, despawned, changed, stripped }: Applied): void {
    for (const entity of despawned) this.despawn.notify(entity);
    for (const entity of spawned) this.spawn.notify(entity);
    for (const [component, listeners] of this.#changes) {
      const codec = this.#schemas.components[component];
      for (const entity of changed[component] ?? []) {
        const row = entity.rows[component];
        if (row && codec) listeners.notify(entity, (entity.cached[component] ??= codec.read(row)));
      }
    }
    for (const [component, listeners] of this.#removals) {
      for (const entity of stripped[component] ?? []) listeners.notify(entity);
    }
    this.frame.notify(frame.tick);
  }
}

function findOrAdd<K, Args extends unknown[]>(all: Map<K, Listeners<Args>>, key: K): Listeners<Args> {
  const found = all.get(key) ?? new Listeners<Args>();
  all.set(key, found);
  return found;
}
