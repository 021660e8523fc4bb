// The events of a room, to which a program can listen.

import type { RoomCallbacks } from "./callbacks.js";
import type { FrameError, PredictionError } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";
import type { Entity } from "./mirror.js";
import type {
  ComponentName,
  Desync,
  EntityOf,
  EventName,
  GameTypes,
  Over,
  Refused,
  RoomStatus,
  SeatInfo,
  Vote,
} from "./types.js";

/** The listeners of a room. Each method returns a function that removes the listener. */
export class RoomEvents<G extends GameTypes> {
  protected readonly callbacks: RoomCallbacks;

  constructor(callbacks: RoomCallbacks) {
    this.callbacks = callbacks;
  }

  /**
   * Calls back with each game event of this name, and its tick.
   *
   * @example
   * ```ts
   * const stop = room.on("Hit", ({ at, victim }, tick) => flash(at, victim === room.seat));
   * ```
   */
  on<E extends EventName<G>>(event: E, callback: (value: G["events"][E], tick: number) => void): Unsubscribe {
    return this.callbacks.event(event).add(callback as (value: unknown, tick: number) => void);
  }

  /** Calls back with each new entity, or one that comes into view. Its components are set by then. */
  onSpawn(callback: (entity: EntityOf<G>) => void): Unsubscribe {
    return this.callbacks.spawn.add(callback as unknown as (entity: Entity) => void);
  }

  /** Calls back with the last state of each entity that is gone, or out of view. */
  onDespawn(callback: (entity: EntityOf<G>) => void): Unsubscribe {
    return this.callbacks.despawn.add(callback as unknown as (entity: Entity) => void);
  }

  /** Calls back when an entity gets the component, also as a new entity, and when the value changes. */
  onChange<C extends ComponentName<G>>(
    component: C,
    callback: (entity: EntityOf<G>, value: G["components"][C]) => void,
  ): Unsubscribe {
    return this.callbacks.change(component).add(callback as unknown as (entity: Entity, value: unknown) => void);
  }

  /** Calls back when an entity loses the component and continues to exist. */
  onRemove<C extends ComponentName<G>>(component: C, callback: (entity: EntityOf<G>) => void): Unsubscribe {
    return this.callbacks.remove(component).add(callback as unknown as (entity: Entity) => void);
  }

  /** Calls back after each frame, when all other callbacks for it have run. */
  onFrame(callback: (tick: number) => void): Unsubscribe {
    return this.callbacks.frame.add(callback);
  }

  /** Calls back with all taken seats when one of them changes. */
  onSeats(callback: (seats: readonly SeatInfo[]) => void): Unsubscribe {
    return this.callbacks.seats.add(callback);
  }

  /**
   * Calls back on every change of `status`. With `over`, the second argument says how the room ended.
   *
   * @example
   * ```ts
   * room.onStatus((status, over) => {
   *   spinner.hidden = status !== "reconnecting";
   *   if (status === "over") showResult(over?.reason, over?.winners);
   * });
   * ```
   */
  onStatus(callback: (status: RoomStatus, over?: Over) => void): Unsubscribe {
    return this.callbacks.status.add(callback);
  }

  /** Calls back when the server has refused inputs. */
  onRefused(callback: (refused: Refused) => void): Unsubscribe {
    return this.callbacks.refused.add(callback);
  }

  /** Calls back when a vote to remove a player opens, gains votes, or ends. */
  onVote(callback: (vote: Vote) => void): Unsubscribe {
    return this.callbacks.vote.add(callback);
  }

  /** Calls back once, when the room has ended for this player. */
  onOver(callback: (over: Over) => void): Unsubscribe {
    return this.callbacks.over.add(callback);
  }

  /** Calls back when a checksum showed that the local state was wrong. It has been corrected by then. */
  onDesync(callback: (desync: Desync) => void): Unsubscribe {
    return this.callbacks.desync.add(callback);
  }

  /**
   * Calls back when bytes from the server could not be read, from which the room recovers by itself, and when a step of
   * `predict` has failed, after which the match goes on without prediction.
   */
  onFault(callback: (error: FrameError | PredictionError) => void): Unsubscribe {
    return this.callbacks.fault.add(callback);
  }
}
