// The party: people who want to play together.

import type { Channel } from "./channel.js";
import { request } from "./channel.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { PartyInfo, PartyInvite } from "./types.js";

const RETRY_MS = 1_000;

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
    channel.on("connect", this.#anew);
  }

  /** The party that the player is in, as it is known. */
  get info(): PartyInfo | undefined {
    return this.#info;
  }

  /** Hears how the party is after each change; `undefined` when the player is in none any more. */
  onChange(callback: (party: PartyInfo | undefined) => void): Unsubscribe {
    return this.#changes.add(callback);
  }

  /** Hears of invitations; `party.join(invite.code)` accepts one. */
  onInvite(callback: (invite: PartyInvite) => void): Unsubscribe {
    return this.#invites.add(callback);
  }

  /** The party that the server knows the player to be in; after a reload, say. */
  async load(): Promise<PartyInfo | undefined> {
    const { party } = await this.#ask<{ party: PartyInfo | null }>("party");
    if (party) this.#changed(party);
    else this.#forget();
    return this.#info;
  }

  /** A new party with the player as its leader. */
  async create(): Promise<PartyInfo> {
    return this.#joined(await this.#ask<{ party: PartyInfo }>("party_create"));
  }

  /** Into the party with this code. */
  async join(code: string): Promise<PartyInfo> {
    return this.#joined(await this.#ask<{ party: PartyInfo }>("party_join", { code }));
  }

  async leave(): Promise<void> {
    await this.#ask("party_leave");
  }

  async invite(user: string): Promise<void> {
    await this.#ask("party_invite", { user });
  }

  /** Makes another member the leader. For the leader only. */
  async promote(user: string): Promise<void> {
    await this.#ask("party_promote", { user });
  }

  /** Takes another member out. For the leader only. */
  async kick(user: string): Promise<void> {
    await this.#ask("party_kick", { user });
  }

  async ready(ready = true): Promise<void> {
    await this.#ask("party_ready", { ready });
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("party", this.#changed);
    this.#channel.off("party_left", this.#left);
    this.#channel.off("party_invite", this.#invited);
    this.#channel.off("connect", this.#anew);
  }

  readonly #invited = (invite: PartyInvite): void => this.#invites.notify(invite);

  /** Answers and events say the same, in either order: the higher number is the newer. */
  readonly #changed = (party: PartyInfo): void => {
    if (this.#info?.party === party.party && party.seq <= this.#info.seq) return;
    this.#info = party;
    this.#changes.notify(party);
  };

  readonly #left = ({ party }: { party: string }): void => {
    if (this.#info?.party === party) this.#forget();
  };

  /** The player may have been away for so long that the party went on without them. */
  readonly #anew = (): void => {
    clearTimeout(this.#retry);
    if (this.#info) this.load().catch(() => (this.#retry = setTimeout(this.#anew, RETRY_MS)));
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
