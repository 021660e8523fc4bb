// The state of the connection to a server, as its lobby channel shows it.

import type { Channel } from "./channel.js";
import { isTemporary, refusal, TickcastError } from "./errors.js";
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

const RETRY_MS = 1_000;

/** Follows the connection of a channel, and restores it where Socket.IO would not. */
export class ConnectionStatus {
  readonly #channel: Channel;
  readonly #listeners = new Listeners<[ServerStatus, TickcastError?]>();
  #value: ServerStatus = "connecting";
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, listener?: ServerStatusListener) {
    this.#channel = channel;
    if (listener) {
      this.#listeners.add(listener);
      this.#listeners.notify("connecting");
    }
    channel.on("ended", ({ code, message }: { code: string; message: string }) => {
      this.close(new TickcastError(code, message));
    });
    channel.on("connect", () => {
      if (this.#value === "reconnecting") this.#set("connected");
    });
    channel.on("disconnect", (reason: string) => this.#connectionLost(reason));
    channel.on("connect_error", (error: Error) => this.#connectionRefused(error));
  }

  get value(): ServerStatus {
    return this.#value;
  }

  onChange(listener: ServerStatusListener): Unsubscribe {
    return this.#listeners.add(listener);
  }

  /** Ends the phase `connecting`: the server has told who the player is. */
  opened(): void {
    if (this.#value === "connecting") this.#set("connected");
  }

  /** Ends the connection for good. Later calls do nothing. */
  close(reason: TickcastError): void {
    clearTimeout(this.#retry);
    this.#set("closed", reason);
  }

  #connectionLost(reason: string): void {
    if (this.#value !== "connected") return;
    this.#set("reconnecting");
    // Socket.IO restores a lost transport, but not a namespace that the server has closed.
    if (reason === "io server disconnect") this.#reconnectSoon();
  }

  #connectionRefused(error: Error): void {
    // An active channel is being connected again already: Socket.IO retries, or a forgotten guest comes as a new one.
    if (this.#value !== "reconnecting" || this.#channel.active) return;
    const refused = refusal(error);
    if (!refused || isTemporary(refused)) this.#reconnectSoon();
    else this.close(refused);
  }

  #reconnectSoon(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#channel.connect(), RETRY_MS);
  }

  #set(status: ServerStatus, reason?: TickcastError): void {
    if (this.#value === status || this.#value === "closed") return;
    this.#value = status;
    this.#listeners.notify(status, reason);
  }
}
