// A channel that can move to another connection while it is used.

import type { Channel } from "./channel.js";

type Listener = (...args: any[]) => void;

/** A channel for a program that does not notice on which connection it is. */
export class MovableChannel implements Channel {
  #on: Channel;
  readonly #listeners: [event: string, listener: Listener][] = [];

  constructor(on: Channel) {
    this.#on = on;
  }

  get connected(): boolean {
    return this.#on.connected;
  }

  get active(): boolean {
    return this.#on.active;
  }

  get auth(): Channel["auth"] {
    return this.#on.auth;
  }

  set auth(auth: Channel["auth"]) {
    this.#on.auth = auth;
  }

  on(event: string, listener: Listener): void {
    this.#listeners.push([event, listener]);
    this.#on.on(event, listener);
  }

  off(event: string, listener: Listener): void {
    const at = this.#listeners.findIndex(([of, one]) => of === event && one === listener);
    if (at >= 0) this.#listeners.splice(at, 1);
    this.#on.off(event, listener);
  }

  emit(event: string, ...args: unknown[]): void {
    this.#on.emit(event, ...args);
  }

  timeout(ms: number): ReturnType<Channel["timeout"]> {
    return this.#on.timeout(ms);
  }

  connect(): void {
    this.#on.connect();
  }

  disconnect(): void {
    this.#on.disconnect();
  }

  /** Moves to another channel, and leaves the old one without a word to the listeners. */
  moveTo(next: Channel): void {
    const old = this.#on;
    next.auth = old.auth;
    for (const [event, listener] of this.#listeners) {
      old.off(event, listener);
      next.on(event, listener);
    }
    this.#on = next;
    old.disconnect();
    next.connect();
  }
}
