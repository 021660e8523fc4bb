// The state of the connection to a server, as its lobby channel shows it.

import type { Channel } from "./channel.js";
import { keepConnected } from "./channel.js";
import type { TickcastError } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";

/**
 * The state of the connection to a server.
 *
 * - `connecting`: `connect` has not returned yet.
 * - `connected`: requests are answered.
 * - `reconnecting`: the connection was lost, and the client is trying to restore it.
 * - `closed`: the connection has ended for good.
 */
export type ServerStatus = "connecting" | "connected" | "reconnecting" | "closed";

/** Called with the new status, and for `closed` with the reason. */
export type ServerStatusListener = (status: ServerStatus, reason?: TickcastError) => void;

/** Follows the connection of a channel, and restores it where Socket.IO would not. */
export class ConnectionStatus {
  readonly #channel: Channel;
  readonly #listeners = new Listeners<[ServerStatus, TickcastError?]>();
  #value: ServerStatus = "connecting";
  #stop: () => void = () => undefined;

  constructor(channel: Channel, listener?: ServerStatusListener) {
    this.#channel = channel;
    if (listener) {
      this.#listeners.add(listener);
      this.#listeners.notify("connecting");
    }
    channel.on("connect", () => {
      if (this.#value === "reconnecting") this.#set("connected");
    });
    channel.on("disconnect", () => {
      if (this.#value === "connected") this.#set("reconnecting");
    });
  }

  get value(): ServerStatus {
    return this.#value;
  }

  onChange(listener: ServerStatusListener): Unsubscribe {
    return this.#listeners.add(listener);
  }

  /** Ends the phase `connecting`: the server has told who the player is. */
  opened(): void {
    if (this.#value !== "connecting") return;
    this.#stop = keepConnected(this.#channel, (reason) => this.close(reason));
    this.#set("connected");
  }

  /** Ends the connection for good. Later calls do nothing. */
  close(reason: TickcastError): void {
    this.#stop();
    this.#set("closed", reason);
  }

  #set(status: ServerStatus, reason?: TickcastError): void {
    if (this.#value === status || this.#value === "closed") return;
    this.#value = status;
    this.#listeners.notify(status, reason);
  }
}
