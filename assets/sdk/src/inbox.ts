// The frames of a room, as they come in.

import { FrameError, messageOf } from "./errors.js";
import { later } from "./later.js";
import { decode } from "./msgpack.js";
import type { OrderedEvents } from "./ordered.js";
import { loadPacked } from "./packed_later.js";
import type { Schema } from "./schema.js";

const loadInflate = later(() => import("./inflate.js"));

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
    if (packed) {
      // A game with many entities has large snapshots.
      loadInflate().catch(() => undefined);
      await loadPacked().catch(failed);
    }
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
    void inflated(bytes).then(done, done);
  }
}

/** Whether a frame is compressed. */
export function isDeflated(frame: Uint8Array): boolean {
  const first = frame[0] ?? 0;
  return first >= 0xc4 && first <= 0xc6;
}

/** Decompresses a frame. Throws a `FrameError` if that fails, or if the code for it cannot be loaded. */
export async function inflated(frame: Uint8Array): Promise<Uint8Array> {
  try {
    const { inflate } = await loadInflate();
    return await inflate(decode(frame) as Uint8Array<ArrayBuffer>);
  } catch (error) {
    throw new FrameError(`cannot decompress the frame: ${messageOf(error)}`);
  }
}

/** The bytes of a binary. Anything else is no bytes, which are no frame. */
export function bytesOf(binary: unknown): Uint8Array {
  return binary instanceof Uint8Array ? binary : new Uint8Array();
}
