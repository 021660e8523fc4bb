// Presence: what some people do.

import type { Channel } from "./link.js";
import { request } from "./link.js";
import type { Unsubscribe } from "./listeners.js";
import type { Person } from "./types.js";

const RETRY_MS = 1_000;

/** The people whom all watchers together follow: a connection has one list. */
export class Presence {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #watchers = new Map<symbol, { users: Set<string>; callback: (person: Person) => void }>();
  readonly #people = new Map<string, Person>();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
    channel.on("presence", this.#changed);
    channel.on("connect", this.#anew);
  }

  async watch(users: string[], callback: (person: Person) => void): Promise<Unsubscribe> {
    const key = Symbol();
    this.#watchers.set(key, { users: new Set(users), callback });
    try {
      await this.#follow();
    } catch (error) {
      this.#watchers.delete(key);
      throw error;
    }
    return () => {
      if (this.#watchers.delete(key)) this.#refresh();
    };
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("presence", this.#changed);
    this.#channel.off("connect", this.#anew);
  }

  async #follow(): Promise<void> {
    const users = [...new Set([...this.#watchers.values()].flatMap((watcher) => [...watcher.users]))];
    const answer = await request<{ users: Person[] }>(this.#channel, this.#timeout, "presence", { users });
    for (const user of this.#people.keys()) if (!users.includes(user)) this.#people.delete(user);
    // News may overtake the answer, which then is no news any more; a watcher that is new has not been told anything.
    for (const person of answer.users) this.#changed(person);
  }

  #refresh(): void {
    clearTimeout(this.#retry);
    this.#follow().catch(() => (this.#retry = setTimeout(() => this.#refresh(), RETRY_MS)));
  }

  readonly #anew = (): void => {
    if (this.#watchers.size > 0) this.#refresh();
  };

  readonly #changed = (person: Person): void => {
    this.#people.set(person.user, person);
    for (const { users, callback } of [...this.#watchers.values()]) if (users.has(person.user)) callback(person);
  };
}
