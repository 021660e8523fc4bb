// Large snapshots are compressed: one binary with a raw deflate stream replaces the array of the frame. Loaded with the first one.

/** The server does not compress longer frames. */
const MAX_BYTES = 4 << 20;

/** Decompresses a frame. Throws an `Error` if the stream is broken, or longer than 4 MiB when decompressed. */
export async function inflate(stream: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  const written = Promise.all([writer.write(stream), writer.close()]);
  // The reading side reports a broken stream. Without this, the writing side would reject unhandled.
  written.catch(() => undefined);
  return readAll(readable.getReader());
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    length += read.value.length;
    if (length > MAX_BYTES) {
      reader.cancel().catch(() => undefined);
      throw new Error(`it has more than ${MAX_BYTES} bytes when decompressed`);
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
