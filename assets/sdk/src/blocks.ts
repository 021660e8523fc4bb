// The people whom the player blocks.

import type { Channel } from "./channel.js";
import { request } from "./channel.js";

const RETRY_MS = 1_000;

/** How many ids one request carries, so that it stays within the server's limit for arguments. */
const AT_ONCE = 50;

/** The list of blocked people. The server forgets it some time after the player has left, so it is sent again on each connection. */
export class Blocks {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #users = new Set<string>();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
    channel.on("connect", this.#reconnected);
  }

  get users(): string[] {
    return [...this.#users];
  }

  async add(user: string): Promise<void> {
    await this.#ask("block", [user]);
    this.#users.add(user);
  }

  async remove(user: string): Promise<void> {
    await this.#ask("unblock", [user]);
    this.#users.delete(user);
  }

  /** Stops listening for good. */
  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("connect", this.#reconnected);
  }

  readonly #reconnected = (): void => {
    clearTimeout(this.#retry);
    this.#send().catch(() => (this.#retry = setTimeout(this.#reconnected, RETRY_MS)));
  };

  async #send(): Promise<void> {
    const users = this.users;
    for (let at = 0; at < users.length; at += AT_ONCE) await this.#ask("block", users.slice(at, at + AT_ONCE));
  }

  #ask(event: string, users: string[]): Promise<unknown> {
    return request(this.#channel, this.#timeout, event, { users });
  }
}
