// Large snapshots are compressed: one binary with a raw deflate stream replaces the array of the frame.

import { FrameError, messageOf } from "./errors.js";
import { decode } from "./msgpack.js";

/** The server does not compress longer frames. */
const MAX_BYTES = 4 << 20;

/** Whether a frame is compressed. */
export function isDeflated(frame: Uint8Array): boolean {
  const first = frame[0] ?? 0;
  return first >= 0xc4 && first <= 0xc6;
}

/** Decompresses a frame. Throws a `FrameError` if the stream is broken, or longer than 4 MiB when decompressed. */
export async function inflate(frame: Uint8Array): Promise<Uint8Array> {
  try {
    const stream = decode(frame) as Uint8Array<ArrayBuffer>;
    const { readable, writable } = new DecompressionStream("deflate-raw");
    const writer = writable.getWriter();
    const written = Promise.all([writer.write(stream), writer.close()]);
    // The reading side reports a broken stream. Without this, the writing side would reject unhandled.
    written.catch(() => undefined);
    return await readAll(readable.getReader());
  } catch (error) {
    if (error instanceof FrameError) throw error;
    throw new FrameError(`cannot decompress the frame: ${messageOf(error)}`);
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
      throw new FrameError(`the frame has more than ${MAX_BYTES} bytes when decompressed`);
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
