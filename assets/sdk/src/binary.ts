// Binaries as the MessagePack parser of this platform gives and takes them.

import { Encoder } from "socket.io-msgpack-parser";

/** A received binary, which is a `Buffer`, a `Uint8Array` or an `ArrayBuffer`; `undefined` if it is none. */
export function fromWire(binary: unknown): Uint8Array | undefined {
  if (binary instanceof Uint8Array) return binary;
  if (binary instanceof ArrayBuffer) return new Uint8Array(binary);
  return undefined;
}

/**
 * A binary to send. The parser's browser build takes an `ArrayBuffer` for a binary and a `Uint8Array` for an object; its
 * Node build takes a `Buffer` for a binary and an `ArrayBuffer` for an extension. Which of the two was bundled shows in
 * how it writes an empty `ArrayBuffer`.
 */
export function toWire(bytes: Uint8Array): unknown {
  if (!takesArrayBuffer) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

const BIN_8 = 0xc4;
const takesArrayBuffer = writesBinary(new ArrayBuffer(0));

declare const Buffer: { from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array };

function writesBinary(value: unknown): boolean {
  // `encode` is typed as if it returned the bytes; it returns an array of them.
  const [bytes] = new Encoder().encode(value) as unknown as [ArrayBuffer | Uint8Array];
  return fromWire(bytes)?.[0] === BIN_8;
}
