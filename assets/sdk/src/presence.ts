// Presence: what some people do.

import type { Channel } from "./channel.js";
import { request } from "./channel.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { UserPresence } from "./types.js";

const RETRY_MS = 1_000;

/** The people whom all watchers together follow: a connection has one list. */
export class Presence {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #wanted = new Set<readonly string[]>();
  readonly #subscribers = new Listeners<[UserPresence]>();
  readonly #people = new Map<string, UserPresence>();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
    channel.on("presence", this.#changed);
    channel.on("connect", this.#anew);
  }

  async subscribe(users: readonly string[], callback: (person: UserPresence) => void): Promise<Unsubscribe> {
    const own = [...new Set(users)];
    this.#wanted.add(own);
    try {
      await this.#load();
    } catch (error) {
      this.#wanted.delete(own);
      throw error;
    }
    const stop = this.#subscribers.add((person) => {
      if (own.includes(person.user)) callback(person);
    });
    for (const user of own) {
      const person = this.#people.get(user);
      if (person) callback(person);
    }
    return () => {
      stop();
      if (this.#wanted.delete(own)) this.#refresh();
    };
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("presence", this.#changed);
    this.#channel.off("connect", this.#anew);
  }

  async #load(): Promise<void> {
    const users = [...new Set([...this.#wanted].flat())];
    const answer = await request<{ users: UserPresence[] }>(this.#channel, this.#timeout, "presence", { users });
    for (const person of answer.users) this.#changed(person);
  }

  #refresh(): void {
    clearTimeout(this.#retry);
    // Refused for the moment, or the connection dropped again, in which case `connect` comes again too.
    this.#load().catch(() => (this.#retry = setTimeout(() => this.#refresh(), RETRY_MS)));
  }

  readonly #anew = (): void => {
    if (this.#wanted.size > 0) this.#refresh();
  };

  readonly #changed = (person: UserPresence): void => {
    const known = this.#people.get(person.user);
    if (known?.status === person.status && known.name === person.name) return;
    this.#people.set(person.user, person);
    this.#subscribers.notify(person);
  };
}
