import type { Inner } from "../inner.js";

/** The inside of a room. Throws a `TypeError` for anything else. */
export function insideOf(room: object): Inner {
  const inner = (room as Record<symbol, Inner | undefined>)[Symbol.for("tickcast.inner")];
  if (!inner) throw new TypeError("this is not a room of @tickcast/client");
  return inner;
}

/** The bytes of a binary; `undefined` for anything else. */
export function bytesOf(binary: unknown): Uint8Array | undefined {
  if (binary instanceof Uint8Array) return binary;
  return binary instanceof ArrayBuffer ? new Uint8Array(binary) : undefined;
}
