// The way to a server: Socket.IO connections, requests with an answer, and binaries as both ends' parsers like them.

import { Manager } from "socket.io-client";
import { Decoder, Encoder } from "socket.io-msgpack-parser";

import { refusal, TickcastError } from "./errors.js";

/** A namespace of a connection: what the SDK uses of a Socket.IO client socket, which it is. Tests stand in for it. */
export interface Channel {
  readonly connected: boolean;
  /** Whether it is connected or tries to be. */
  readonly active: boolean;
  auth: object | ((give: (auth: object) => void) => void);
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  timeout(ms: number): { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> };
  connect(): unknown;
  disconnect(): unknown;
}

/** A channel to `/gameplay`, lent out for one seat. */
export interface GameplayChannel {
  channel: Channel;
  /** Milliseconds that a request waits for its answer. */
  timeout: number;
  /** Cuts the transport below, so that Socket.IO makes a new one. */
  cut(): void;
  /** Gives the channel back, disconnected. */
  release(): void;
}

export interface LinkOptions {
  transports?: ("websocket" | "polling")[];
  /** Milliseconds that a request waits for its answer; 10,000 unless told. */
  timeout?: number;
}

export const REQUEST_MS = 10_000;

/** Connections to one server. Namespaces share one WebSocket; only a second match at the same time takes another. */
export class Link {
  readonly #managers: Manager[] = [];
  readonly #lent = new Set<Channel>();
  readonly #url: URL;
  readonly #options: LinkOptions;

  constructor(url: string, options: LinkOptions) {
    this.#url = new URL(url);
    this.#options = options;
  }

  /** Milliseconds that a request waits for its answer. */
  get timeout(): number {
    return this.#options.timeout ?? REQUEST_MS;
  }

  /** The channel to a namespace, which is the same one each time. */
  channel(namespace: string): Channel {
    return this.#manager(0).socket(namespace);
  }

  /** A channel to `/gameplay` that no other seat uses. */
  gameplay(): GameplayChannel {
    for (let n = 0; ; n++) {
      const manager = this.#manager(n);
      const channel: Channel = manager.socket("/gameplay");
      if (this.#lent.has(channel)) continue;
      this.#lent.add(channel);
      return {
        channel,
        timeout: this.timeout,
        cut: () => manager.engine.close(),
        release: () => {
          channel.disconnect();
          this.#lent.delete(channel);
        },
      };
    }
  }

  #manager(n: number): Manager {
    return (this.#managers[n] ??= new Manager(this.#url.origin, {
      path: `${this.#url.pathname.replace(/\/+$/, "")}/socket.io-msgpack/`,
      parser: { Encoder, Decoder },
      transports: this.#options.transports ?? ["websocket", "polling"],
      tryAllTransports: true,
      autoConnect: false,
      reconnectionDelay: 250,
      reconnectionDelayMax: 4_000,
    }));
  }
}

/** Connects, and waits until the namespace has taken the connection. */
export async function open(channel: Channel, timeout: number): Promise<void> {
  if (channel.connected) return;
  await new Promise<void>((resolve, reject) => {
    let last = "no answer";
    const finish = (error?: TickcastError): void => {
      clearTimeout(timer);
      channel.off("connect", done);
      channel.off("connect_error", failed);
      if (error) {
        channel.disconnect();
        reject(error);
      } else {
        resolve();
      }
    };
    const done = (): void => finish();
    const failed = (error: Error): void => {
      last = error.message;
      // Unless somebody who heard of it before has begun another attempt.
      if (!channel.active) finish(refusal(error) ?? unreachable());
    };
    const unreachable = (): TickcastError => new TickcastError("unreachable", `cannot connect: ${last}`);
    const timer = setTimeout(() => finish(unreachable()), timeout);
    channel.on("connect", done);
    channel.on("connect_error", failed);
    channel.connect();
  });
}

/** Asks the server and returns its answer. Throws a `TickcastError` if it refuses or does not answer in time. */
export async function request<T>(channel: Channel, timeout: number, event: string, argument?: object): Promise<T> {
  let answer: unknown;
  try {
    const asked = channel.timeout(timeout);
    answer = await (argument ? asked.emitWithAck(event, argument) : asked.emitWithAck(event));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw text.includes("timed out")
      ? new TickcastError("timeout", `no answer to ${event} within ${timeout} ms`)
      : new TickcastError("closed", `the connection closed before the answer to ${event}`);
  }
  const { ok, error } = (answer ?? {}) as { ok?: boolean; error?: { code?: string; message?: string } };
  if (ok === true) return answer as T;
  throw new TickcastError(error?.code ?? "internal", error?.message ?? `no valid answer to ${event}`);
}

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
