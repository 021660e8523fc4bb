// Binary attachments in the form that the MessagePack parser of this platform uses.

import { Encoder } from "socket.io-msgpack-parser";

/** The bytes of a received binary, which is a `Buffer`, a `Uint8Array` or an `ArrayBuffer`; `undefined` for anything else. */
export function fromWire(binary: unknown): Uint8Array | undefined {
  if (binary instanceof Uint8Array) return binary;
  if (binary instanceof ArrayBuffer) return new Uint8Array(binary);
  return undefined;
}

/**
 * Converts bytes to what the parser sends as a binary. Its browser build encodes an `ArrayBuffer` as a binary and a
 * `Uint8Array` as an object; its Node build encodes a `Buffer` as a binary and an `ArrayBuffer` as an extension. The
 * encoding of an empty `ArrayBuffer` shows which of the two builds was bundled.
 */
export function toWire(bytes: Uint8Array): unknown {
  if (!takesArrayBuffer) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

const BIN_8 = 0xc4;
const takesArrayBuffer = writesBinary(new ArrayBuffer(0));

declare const Buffer: { from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array };

function writesBinary(value: unknown): boolean {
  // The type of `encode` says that it returns bytes, but it returns an array of byte arrays.
  const [bytes] = new Encoder().encode(value) as unknown as [ArrayBuffer | Uint8Array];
  return fromWire(bytes)?.[0] === BIN_8;
}
