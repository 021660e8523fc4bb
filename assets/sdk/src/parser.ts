// The parser of the server's endpoint `/socket.io-msgpack/`: each packet of Socket.IO is one MessagePack map. It understands
// `socket.io-msgpack-parser`, and is understood by it.

import { decode, encode } from "./msgpack.js";

/** A packet of the Socket.IO protocol. */
export interface Packet {
  type: number;
  nsp: string;
  data?: unknown;
  id?: number | undefined;
  /** How this side should send it. */
  options?: object | undefined;
}

type Listener = (packet: Packet) => void;

/** Whether a packet may have this data, by its type. */
const PAYLOADS: readonly ((data: unknown) => boolean)[] = [
  // CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR.
  (data) => data === undefined || isObject(data),
  (data) => data === undefined,
  Array.isArray,
  Array.isArray,
  (data) => typeof data === "string" || isObject(data),
];

/** The version of the Socket.IO protocol. */
export const protocol = 5;

/** Encodes packets. */
export class Encoder {
  /** Encodes a packet without its options, which would only make each input longer. */
  encode(packet: Packet): [message: Uint8Array] {
    return [encode({ ...packet, options: undefined })];
  }
}

/** Decodes messages, and emits each as `decoded`. */
export class Decoder {
  readonly #listeners = new Set<Listener>();

  on(_event: "decoded", listener: Listener): void {
    this.#listeners.add(listener);
  }

  off(_event: "decoded", listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** Takes a message. Throws an `Error` if it is no packet. */
  add(message: ArrayBuffer | Uint8Array): void {
    const packet = decode(message);
    if (!isPacket(packet)) throw new Error("the message is no packet of Socket.IO");
    for (const listener of this.#listeners) listener(packet);
  }

  /** Each message is a whole packet, so nothing is kept. */
  destroy(): void {}
}

function isPacket(value: unknown): value is Packet {
  const { type, nsp, data, id } = (value ?? {}) as Partial<Packet>;
  return (
    typeof type === "number" &&
    PAYLOADS[type]?.(data) === true &&
    typeof nsp === "string" &&
    (id === undefined || Number.isInteger(id))
  );
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
