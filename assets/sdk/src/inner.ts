// What the inspector needs of a room beside its public members. Nothing else uses it.

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
}

/** The insides of rooms. */
export const inners = new WeakMap<object, Inner>();
