// The party: players who queue and play together.

import type { Channel } from "./channel.js";
import { request } from "./channel.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { PartyInfo, PartyInvite } from "./types.js";

const RETRY_MS = 1_000;

/**
 * The player's party: a group that queues and plays together.
 *
 * @example
 * ```ts
 * const { party } = server.lobby;
 * party.onChange((info) => showMembers(info?.members ?? []));
 * party.onInvite(async ({ code, from }) => {
 *   if (await ask(`Join ${from.name}?`)) await party.join(code);
 * });
 * const { code } = await party.create(); // friends can also join by this code
 * await party.invite(friend);
 * ```
 */
export class Party {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #changes = new Listeners<[PartyInfo | undefined]>();
  readonly #invites = new Listeners<[PartyInvite]>();
  #info: PartyInfo | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
    channel.on("party", this.#changed);
    channel.on("party_left", this.#left);
    channel.on("party_invite", this.#invited);
    channel.on("connect", this.#reconnected);
  }

  /** The newest known state of the player's party; `undefined` if they are in none. */
  get info(): PartyInfo | undefined {
    return this.#info;
  }

  /** Calls back with the party after each change, and with `undefined` when the player is no longer in one. */
  onChange(callback: (party: PartyInfo | undefined) => void): Unsubscribe {
    return this.#changes.add(callback);
  }

  /** Calls back on each invitation. `party.join(invite.code)` accepts it. */
  onInvite(callback: (invite: PartyInvite) => void): Unsubscribe {
    return this.#invites.add(callback);
  }

  /** Fetches the player's party from the server, for example after the page was reloaded. */
  async load(): Promise<PartyInfo | undefined> {
    const { party } = await this.#ask<{ party: PartyInfo | null }>("party");
    if (party) this.#changed(party);
    else this.#forget();
    return this.#info;
  }

  /** Creates a party with the player as its leader. */
  async create(): Promise<PartyInfo> {
    return this.#joined(await this.#ask<{ party: PartyInfo }>("party_create"));
  }

  /** Joins the party with this code. */
  async join(code: string): Promise<PartyInfo> {
    return this.#joined(await this.#ask<{ party: PartyInfo }>("party_join", { code }));
  }

  /** Leaves the party. */
  async leave(): Promise<void> {
    await this.#ask("party_leave");
  }

  /** Invites a player by their user id. */
  async invite(user: string): Promise<void> {
    await this.#ask("party_invite", { user });
  }

  /** Makes another member the leader. Only the leader may do this. */
  async promote(user: string): Promise<void> {
    await this.#ask("party_promote", { user });
  }

  /** Removes another member. Only the leader may do this. */
  async kick(user: string): Promise<void> {
    await this.#ask("party_kick", { user });
  }

  /** Shows the other members whether the player is ready. */
  async ready(ready = true): Promise<void> {
    await this.#ask("party_ready", { ready });
  }

  /** Stops listening for good. */
  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("party", this.#changed);
    this.#channel.off("party_left", this.#left);
    this.#channel.off("party_invite", this.#invited);
    this.#channel.off("connect", this.#reconnected);
  }

  readonly #invited = (invite: PartyInvite): void => this.#invites.notify(invite);

  /** Answers and events carry the same state and may overtake each other. The higher number is newer. */
  readonly #changed = (party: PartyInfo): void => {
    if (this.#info?.party === party.party && party.seq <= this.#info.seq) return;
    this.#info = party;
    this.#changes.notify(party);
  };

  readonly #left = ({ party }: { party: string }): void => {
    if (this.#info?.party === party) this.#forget();
  };

  /** The party may have removed the player during a long absence. */
  readonly #reconnected = (): void => {
    clearTimeout(this.#retry);
    if (this.#info) this.load().catch(() => (this.#retry = setTimeout(this.#reconnected, RETRY_MS)));
  };

  #joined({ party }: { party: PartyInfo }): PartyInfo {
    this.#changed(party);
    return party;
  }

  #forget(): void {
    if (!this.#info) return;
    this.#info = undefined;
    this.#changes.notify(undefined);
  }

  #ask<T>(event: string, argument?: object): Promise<T> {
    return request<T>(this.#channel, this.#timeout, event, argument);
  }
}
