// The Socket.IO connections to one server.

import { Manager } from "socket.io-client";
import { Decoder, Encoder } from "socket.io-msgpack-parser";

import type { Channel, SeatChannel } from "./channel.js";

export interface ConnectionOptions {
  transports?: ("websocket" | "polling")[];
  /** Milliseconds that a request waits for its answer; 10,000 unless told. */
  timeout?: number;
}

const REQUEST_MS = 10_000;

/** Connections to one server. Namespaces share one WebSocket; only a second match at the same time takes another. */
export class Connections {
  readonly #managers: Manager[] = [];
  readonly #lent = new Set<Channel>();
  readonly #url: URL;
  readonly #options: ConnectionOptions;

  constructor(url: string, options: ConnectionOptions) {
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
  gameplay(): SeatChannel {
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
