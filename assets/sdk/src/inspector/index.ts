// The inspector: `import { inspect } from "@tickcast/client/inspector"`. It is loaded apart from the SDK, which works without it.

import type { Room } from "../room.js";
import type { AnyGame, GameTypes } from "../types.js";
import type { Conditions } from "./conditions.js";
import { nameOf } from "./controls.js";
import { insideOf } from "./inside.js";
import type { Sample } from "./meter.js";
import { Panel } from "./panel.js";
import { Watch } from "./watch.js";
import { wireOf } from "./wire.js";

export type { Conditions, Profile } from "./conditions.js";
export { profiles } from "./conditions.js";
export type { Sample } from "./meter.js";
export type { Report } from "./recording.js";

/** Options of `inspect`. */
export interface InspectOptions {
  /** The element that gets the panel. Default: the page's body. */
  parent?: HTMLElement;
  /** Called when the panel has closed, by `close`, by its button, or with the room. */
  onClose?(): void;
}

/** An open inspector. */
export interface Inspector {
  /** The panel. */
  readonly node: HTMLElement;
  /** The measurements of the last minute, four a second, oldest first. */
  readonly samples: readonly Sample[];
  /** Closes the panel, and leaves the room as it was. Calling it again does nothing. */
  close(): void;
}

/**
 * Opens a panel that shows what a room's connection does: traffic by component, times, prediction, the picture's delay, entities and
 * events. It can simulate a worse line, and record ten seconds to a file. The room costs nothing more once it is closed. Throws a
 * `TypeError` if `room` is not a room of the SDK.
 *
 * @example
 * ```ts
 * const { inspect } = await import("@tickcast/client/inspector");
 * const inspector = inspect(room);
 * ```
 */
export function inspect<G extends GameTypes>(room: Room<G>, options: InspectOptions = {}): Inspector {
  const untyped = room as unknown as Room<AnyGame>;
  const watch = new Watch(untyped, () => panel.update());
  const panel = new Panel(untyped, watch, () => close());
  (options.parent ?? document.body).append(panel.node);
  const stop = room.onOver(() => close());
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    stop();
    watch.close();
    panel.close();
    options.onClose?.();
  };
  return { node: panel.node, samples: watch.meter.samples, close };
}

/**
 * Simulates a line on a room's own traffic, both ways and in order, on top of the real one. A lost segment shows as TCP shows it: what
 * follows it waits for about a round trip and a quarter. `null` ends it, and what is on its way arrives at once. It can be changed
 * while the room is connected. Connecting itself is not slowed. Throws a `TypeError` if `room` is not a room of the SDK.
 *
 * @example
 * ```ts
 * simulate(room, { round_trip_ms: 200, jitter_ms: 30, loss: 0.02, blackout: null });
 * simulate(room, profiles.find(({ name }) => name === "mobile") ?? null);
 * ```
 */
export function simulate<G extends GameTypes>(room: Room<G>, conditions: Conditions | null): void {
  wireOf(room).simulate(conditions);
}

/**
 * Whether a room draws what it predicts, or what the server has told, for comparison. Prediction goes on either way. Throws a
 * `TypeError` if `room` is not a room of the SDK.
 */
export function drawPredicted<G extends GameTypes>(room: Room<G>, on: boolean): void {
  insideOf(room).draws = on;
}

/** How a room is looked at now. */
export interface Settings {
  /** The simulated line; `null` if there is none. */
  readonly conditions: Conditions | null;
  /** The name of the profile with these conditions: `own` for any others, `off` for none. */
  readonly profile: string;
  /** Whether the room draws what it predicts. */
  readonly drawsPredicted: boolean;
}

/**
 * Returns the settings that `simulate`, `drawPredicted` and the panel have made. Throws a `TypeError` if `room` is not a room of the
 * SDK.
 */
export function settingsOf<G extends GameTypes>(room: Room<G>): Settings {
  const { conditions } = wireOf(room);
  return { conditions, profile: conditions ? nameOf(conditions) : "off", drawsPredicted: insideOf(room).draws };
}
