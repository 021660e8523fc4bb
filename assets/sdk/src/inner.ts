// The parts of a room that the inspector needs beside its public members. Nothing else uses them.

import type { Channel } from "./channel.js";
import type { Schemas } from "./schema.js";

/** The inside of a room. */
export interface Inner {
  readonly channel: Channel;
  readonly schemas: Schemas;
  /** The room's listeners on the channel, by event. */
  readonly handlers: Readonly<Record<string, (...args: never[]) => void>>;
  /** Whether the room draws what it predicts. Prediction goes on without it. */
  draws: boolean;
  /** The tap that the inspector puts between the room and its channel. There is one, whoever asks for it. */
  wire?: unknown;
}

/**
 * Keeps the inside of a room where the inspector finds it. Its key is global, so that the inspector shares no code with the SDK: a page
 * that never opens it loads one file, and not one more for what both use.
 */
export function keepInner(room: object, inner: Inner): void {
  Object.defineProperty(room, Symbol.for("tickcast.inner"), { value: inner });
}
