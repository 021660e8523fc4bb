// The Socket.IO connections to one server.

import { Manager } from "socket.io-client";

import type { Channel, SeatChannel } from "./channel.js";
import { MovableChannel } from "./movable.js";
import { Decoder, Encoder } from "./parser.js";

/** Options of the transport. */
export interface ConnectionOptions {
  /**
   * The transports to try, in this order. One that fails, or gets no answer within 4 s, is followed by the next. Default
   * `["websocket", "polling"]`.
   */
  transports?: ("websocket" | "polling")[];
  /** How long a request waits for its answer, in milliseconds. Default 10,000. */
  timeout?: number;
}

const REQUEST_MS = 10_000;
/** How long the first attempt to connect may take, and the longest time of a later one. */
const FIRST_ATTEMPT_MS = 4_000;
const LAST_ATTEMPT_MS = 20_000;
/** How much may wait in front of a transport that takes no more: about ten inputs. */
const MOST_BYTES = 1_024;
const MOST_PACKETS = 8;

/** Throws a `TypeError` that says what is right if a text is not the address of a server. */
export function checkAddress(url: string): void {
  let scheme: string | undefined;
  try {
    scheme = new URL(url).protocol;
  } catch {
    // A text without a scheme, or no address at all.
  }
  if (scheme !== undefined && ["http:", "https:", "ws:", "wss:"].includes(scheme)) return;
  const lacksScheme = /^[\w.-]+(:\d+)?(\/|$)/.test(url);
  const example = lacksScheme ? url : "localhost:3000";
  throw new TypeError(`"${url}" is not the whole address of a server, such as http://${example}`);
}

/** The connections to one server. All namespaces share one WebSocket; each further match at the same time opens another. */
export class Connections {
  readonly #managers: Manager[] = [];
  readonly #lent = new Set<Channel>();
  readonly #url: URL;
  readonly #options: ConnectionOptions;

  constructor(url: string, options: ConnectionOptions) {
    this.#url = new URL(url);
    this.#options = options;
  }

  /** How long a request waits for its answer, in milliseconds. */
  get timeout(): number {
    return this.#options.timeout ?? REQUEST_MS;
  }

  /** The channel to a namespace. Calls with the same name return the same channel. */
  channel(namespace: string): Channel {
    return this.#manager(0).socket(namespace);
  }

  /** Lends a channel to `/gameplay` that no other seat uses. */
  gameplay(): SeatChannel {
    for (let n = 0; ; n++) {
      let manager = this.#manager(n);
      const lent: Channel = manager.socket("/gameplay");
      if (this.#lent.has(lent)) continue;
      this.#lent.add(lent);
      const channel = new MovableChannel(lent);
      return {
        channel,
        timeout: this.timeout,
        isSaturated: () => isSaturated(manager),
        address: (file) => `${this.#url.origin.replace(/^ws/, "http")}${this.#folder}/${file}`,
        cut: () => manager.engine.close(),
        tryAnother: () => {
          if (manager.engine.transport.name !== "websocket") return () => undefined;
          const fresh = this.#newManager();
          let isWanted = true;
          fresh.reconnection(false);
          fresh.open((error) => {
            if (error || !isWanted) return;
            isWanted = false;
            fresh.reconnection(true);
            channel.moveTo(fresh.socket("/gameplay"));
            this.#lent.delete(lent);
            // Other namespaces on the old connection learn of its end at once, and not when the next ping is missing.
            manager.engine.close();
            manager = fresh;
          });
          return () => {
            if (isWanted) fresh.engine.close();
            isWanted = false;
          };
        },
        release: () => {
          channel.disconnect();
          this.#lent.delete(lent);
        },
      };
    }
  }

  /** The path below which the server is. */
  get #folder(): string {
    return this.#url.pathname.replace(/\/+$/, "");
  }

  #manager(n: number): Manager {
    return (this.#managers[n] ??= this.#newManager());
  }

  #newManager(): Manager {
    const manager = new Manager(this.#url.origin, {
      path: `${this.#folder}/socket.io-msgpack/`,
      parser: { Encoder, Decoder },
      transports: this.#managers[0]?.opts.transports ?? this.#options.transports ?? ["websocket", "polling"],
      tryAllTransports: true,
      autoConnect: false,
      reconnectionDelay: 250,
      reconnectionDelayMax: 4_000,
      timeout: Math.min(FIRST_ATTEMPT_MS, this.timeout / 2),
    });
    manager.on("error", (error) => {
      if (error.message === "timeout") tryOtherTransport(manager);
    });
    return manager;
  }
}

/**
 * Makes the next attempt begin with another transport, and gives it more time. A transport that fails is followed by the other at
 * once, but a proxy that swallows WebSockets answers nothing.
 */
function tryOtherTransport(manager: Manager): void {
  const [first, ...others] = manager.opts.transports ?? [];
  if (first !== undefined) manager.opts.transports = [...others, first] as ("websocket" | "polling")[];
  manager.timeout(Math.min(2 * Number(manager.timeout()), LAST_ATTEMPT_MS));
}

/** A WebSocket says how many bytes wait. With long-polling, packets wait for the end of a request. */
function isSaturated({ engine }: Manager): boolean {
  const { ws } = engine.transport as unknown as { ws?: { bufferedAmount: number } | null };
  return ws ? ws.bufferedAmount > MOST_BYTES : engine.writeBuffer.length > MOST_PACKETS;
}
