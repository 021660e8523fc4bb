// The party: players who queue and play together.

import type { Ask, Channel } from "./channel.js";
import { listen, Retry } from "./channel.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { PartyInfo, PartyInvite } from "./types.js";

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
  readonly #ask: Ask;
  readonly #stop: () => void;
  readonly #changes = new Listeners<[PartyInfo | undefined]>();
  readonly #invites = new Listeners<[PartyInvite]>();
  readonly #retry = new Retry(() => this.load());
  #info: PartyInfo | undefined;

  constructor(channel: Channel, ask: Ask) {
    this.#ask = ask;
    this.#stop = listen(channel, {
      party: (party: PartyInfo) => this.#changed(party),
      party_left: ({ party }: { party: string }) => {
        if (this.#info?.party === party) this.#forget();
      },
      party_invite: (invite: PartyInvite) => this.#invites.notify(invite),
      // The party may have removed the player during a long absence.
      connect: () => {
        if (this.#info) this.#retry.start();
      },
    });
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
    this.#retry.stop();
    this.#stop();
  }

  /** Answers and events carry the same state and may overtake each other. The higher number is newer. */
  #changed(party: PartyInfo): void {
    if (this.#info?.party === party.party && party.seq <= this.#info.seq) return;
    this.#info = party;
    this.#changes.notify(party);
  }

  #joined({ party }: { party: PartyInfo }): PartyInfo {
    this.#changed(party);
    return party;
  }

  #forget(): void {
    if (!this.#info) return;
    this.#info = undefined;
    this.#changes.notify(undefined);
  }
}
