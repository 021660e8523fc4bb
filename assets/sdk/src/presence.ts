// Presence: what other players are doing.

import type { Ask, Channel } from "./channel.js";
import type { Unsubscribe } from "./listeners.js";
import { loadLobby } from "./lobby_later.js";
import type { PresenceList } from "./presence_list.js";
import { TOOLS } from "./tools.js";
import type { UserPresence } from "./types.js";

/**
 * The presence of other players.
 *
 * @example
 * ```ts
 * const stop = await server.lobby.presence.subscribe(friends, ({ user, name, status }) => {
 *   showFriend(user, name, status); // online, queue, match, away or offline
 * });
 * ```
 */
export class Presence {
  readonly #channel: Channel;
  readonly #ask: Ask;
  #list: PresenceList | undefined;

  constructor(channel: Channel, ask: Ask) {
    this.#channel = channel;
    this.#ask = ask;
  }

  /** Calls back with the presence of these users, now and on every change, until the returned function is called. */
  async subscribe(users: readonly string[], callback: (person: UserPresence) => void): Promise<Unsubscribe> {
    const { PresenceList } = await loadLobby();
    this.#list ??= new PresenceList(this.#channel, this.#ask, TOOLS);
    return this.#list.subscribe(users, callback);
  }

  /** Stops listening for good. */
  close(): void {
    this.#list?.close();
  }
}
