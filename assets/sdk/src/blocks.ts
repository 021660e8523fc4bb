// The people whom the player blocks. Loaded when the player first blocks somebody.

import type { Ask, Channel, Retry } from "./channel.js";
import type { Tools } from "./tools.js";

/** How many ids one request carries, so that it stays within the server's limit for arguments. */
const AT_ONCE = 50;

/** The list of blocked people. The server forgets it some time after the player has left, so it is sent again on each connection. */
export class Blocks {
  readonly #ask: Ask;
  readonly #stop: () => void;
  readonly #users = new Set<string>();
  readonly #retry: Retry;

  constructor(channel: Channel, ask: Ask, { listen, Retry }: Tools) {
    this.#ask = ask;
    this.#retry = new Retry(() => this.#send());
    this.#stop = listen(channel, { connect: () => this.#retry.start() });
  }

  get users(): string[] {
    return [...this.#users];
  }

  async add(user: string): Promise<void> {
    await this.#ask("block", { users: [user] });
    this.#users.add(user);
  }

  async remove(user: string): Promise<void> {
    await this.#ask("unblock", { users: [user] });
    this.#users.delete(user);
  }

  /** Stops listening for good. */
  close(): void {
    this.#retry.stop();
    this.#stop();
  }

  async #send(): Promise<void> {
    const users = this.users;
    for (let at = 0; at < users.length; at += AT_ONCE) {
      await this.#ask("block", { users: users.slice(at, at + AT_ONCE) });
    }
  }
}
