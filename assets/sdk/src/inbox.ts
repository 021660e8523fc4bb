// The frames of a room, as they come in.

import type { FrameError } from "./errors.js";
import { inflate, isDeflated } from "./inflate.js";
import type { OrderedEvents } from "./ordered.js";
import { loadPacked } from "./packed_later.js";
import type { Schema } from "./schema.js";

/** Counts the frames, and inflates those that are deflated. */
export class Inbox {
  /** The number of frames. */
  frames = 0;
  /** Their bytes, as they came. */
  bytes = 0;
  readonly #ordered: OrderedEvents;
  readonly #take: (frame: Uint8Array | FrameError) => void;

  constructor(ordered: OrderedEvents, take: (frame: Uint8Array | FrameError) => void) {
    this.#ordered = ordered;
    this.#take = take;
  }

  /** Lets events through, once the frames can be read. Without the code of packed lists, frames that have some are faults. */
  async open({ packed }: Schema, failed: (error: FrameError) => void): Promise<void> {
    if (packed) await loadPacked().catch(failed);
    this.#ordered.resume();
  }

  /** Hands over a frame: now, or once it is inflated. Later events wait for that, because a diff needs the snapshot before it. */
  receive(binary: unknown): void {
    const bytes = bytesOf(binary);
    this.frames += 1;
    this.bytes += bytes.length;
    if (!isDeflated(bytes)) {
      this.#take(bytes);
      return;
    }
    this.#ordered.pause();
    const done = (frame: Uint8Array | FrameError): void => {
      this.#take(frame);
      this.#ordered.resume();
    };
    void inflate(bytes).then(done, done);
  }
}

/** The bytes of a binary. Anything else is no bytes, which are no frame. */
export function bytesOf(binary: unknown): Uint8Array {
  return binary instanceof Uint8Array ? binary : new Uint8Array();
}
