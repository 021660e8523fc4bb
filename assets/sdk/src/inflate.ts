// Large snapshots travel deflated: in place of the frame's array, one binary that holds a raw deflate stream.

import { Decoder } from "@msgpack/msgpack";

import { FrameError } from "./errors.js";

/** A server deflates no frame that is longer. */
const MAX_BYTES = 4 << 20;

const decoder = new Decoder();

/** Whether a frame has to be inflated before it can be read. */
export function isDeflated(frame: Uint8Array): boolean {
  const first = frame[0] ?? 0;
  return first >= 0xc4 && first <= 0xc6;
}

/** The frame that was deflated. Rejects with a `FrameError`. */
export async function inflate(frame: Uint8Array): Promise<Uint8Array> {
  try {
    const stream = decoder.decode(frame) as Uint8Array<ArrayBuffer>;
    const { readable, writable } = new DecompressionStream("deflate-raw");
    const writer = writable.getWriter();
    const written = Promise.all([writer.write(stream), writer.close()]);
    // What is wrong with the stream shows where it is read; unread, it would be an unhandled rejection.
    written.catch(() => undefined);
    return await readAll(readable.getReader());
  } catch (error) {
    if (error instanceof FrameError) throw error;
    throw new FrameError(`a frame that cannot be inflated: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    length += read.value.length;
    if (length > MAX_BYTES) {
      reader.cancel().catch(() => undefined);
      throw new FrameError(`a frame of more than ${MAX_BYTES} bytes when inflated`);
    }
  }
  const frame = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
