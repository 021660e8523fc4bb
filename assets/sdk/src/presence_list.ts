// The presence that a program follows. Loaded when it first does.

import type { Ask, Channel, Retry } from "./channel.js";
import type { Listeners, Unsubscribe } from "./listeners.js";
import type { Tools } from "./tools.js";
import type { UserPresence } from "./types.js";

/** All subscriptions to the presence of others on one connection. */
export class PresenceList {
  readonly #ask: Ask;
  readonly #stop: () => void;
  /** The lists of all subscribers. A connection has one list, which is their union. */
  readonly #wanted = new Set<readonly string[]>();
  readonly #subscribers: Listeners<[UserPresence]>;
  readonly #people = new Map<string, UserPresence>();
  // Retrying covers temporary refusals. After another lost connection, `connect` triggers a refresh as well.
  readonly #refresh: Retry;

  constructor(channel: Channel, ask: Ask, tools: Tools) {
    this.#ask = ask;
    this.#subscribers = new tools.Listeners();
    this.#refresh = new tools.Retry(() => this.#load());
    this.#stop = tools.listen(channel, {
      presence: (person: UserPresence) => this.#changed(person),
      connect: () => {
        if (this.#wanted.size > 0) this.#refresh.start();
      },
    });
  }

  /** Calls back with the presence of these users, now and on every change, until the returned function is called. */
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
      if (this.#wanted.delete(own)) this.#refresh.start();
    };
  }

  /** Stops listening for good. */
  close(): void {
    this.#refresh.stop();
    this.#stop();
  }

  async #load(): Promise<void> {
    const users = [...new Set([...this.#wanted].flat())];
    const answer = await this.#ask<{ users: UserPresence[] }>("presence", { users });
    for (const person of answer.users) this.#changed(person);
  }

  #changed(person: UserPresence): void {
    const known = this.#people.get(person.user);
    if (known?.status === person.status && known.name === person.name) return;
    this.#people.set(person.user, person);
    this.#subscribers.notify(person);
  }
}
