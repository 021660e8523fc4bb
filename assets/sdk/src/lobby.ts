// The lobby: what is hosted and what runs, and the ways into a room.

import type { Channel } from "./channel.js";
import { request } from "./channel.js";
import { Chat } from "./chat.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { Grant } from "./messages.js";
import { Party } from "./party.js";
import { Presence } from "./presence.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import type { AnyGame, ConfigOf, GameInfo, GameTypes, RoomInfo, RoomSearch } from "./types.js";

/** The whole list, or what was missed of its changes. */
interface Listing {
  seq: number;
  rooms?: RoomInfo[];
  changes?: ListingChange[];
}

interface ListingChange {
  seq: number;
  added: RoomInfo[];
  updated: RoomInfo[];
  removed: string[];
}

const RETRY_MS = 1_000;

export class Lobby {
  /** What people say: to everybody, to their party, in their room, to one person. */
  readonly chat: Chat;
  /** The people to play with. */
  readonly party: Party;
  /** What other people do. */
  readonly presence: Presence;
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #takeSeat: TakeSeat;
  readonly #listing: LiveListing;

  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat) {
    this.#channel = channel;
    this.#timeout = timeout;
    this.#takeSeat = takeSeat;
    this.#listing = new LiveListing(channel, timeout);
    this.chat = new Chat(channel, timeout);
    this.party = new Party(channel, timeout);
    this.presence = new Presence(channel, timeout);
  }

  /** The games that the server hosts. */
  async games(): Promise<GameInfo[]> {
    return (await this.#ask<{ games: GameInfo[] }>("games")).games;
  }

  /**
   * Calls back with all open rooms, now and whenever they change, until the returned function is called. The list stays
   * whole over lost updates and reconnections.
   */
  async rooms(callback: (rooms: RoomInfo[]) => void, filter: { game?: string } = {}): Promise<Unsubscribe> {
    const { game } = filter;
    return this.#listing.subscribe((rooms) =>
      callback(game === undefined ? rooms : rooms.filter((r) => r.game === game)),
    );
  }

  /** Open rooms as they are now, in the order asked for. */
  async search(search: RoomSearch = {}): Promise<RoomInfo[]> {
    return (await this.#ask<{ rooms: RoomInfo[] }>("rooms", search)).rooms;
  }

  /** A seat in the fullest open room of a game, or in a new one. */
  async quick<G extends GameTypes = AnyGame>(game: string): Promise<Room<G>> {
    return this.#takeSeat(await this.#ask<Grant>("quick", { game }));
  }

  /** A new room. Configuration fields left out have their defaults; `room.code` is the code of a private room. */
  async create<G extends GameTypes = AnyGame>(
    game: string,
    options: { config?: Partial<ConfigOf<G>>; private?: boolean } = {},
  ): Promise<Room<G>> {
    return this.#takeSeat(await this.#ask<Grant>("create", { game, ...options }));
  }

  /** A seat in a listed room. */
  async join<G extends GameTypes = AnyGame>(room: string): Promise<Room<G>> {
    return this.#takeSeat(await this.#ask<Grant>("join", { room }));
  }

  /** A seat in a private room. */
  async joinCode<G extends GameTypes = AnyGame>(code: string): Promise<Room<G>> {
    return this.#takeSeat({ ...(await this.#ask<Grant>("join", { code })), code });
  }

  /**
   * A place from which to watch a listed room, as late as its game says. It has seat 0, and sends nothing of what the player
   * does. After a drop it is asked for anew.
   */
  async spectate<G extends GameTypes = AnyGame>(room: string): Promise<Room<G>> {
    return this.#spectate<G>({ room });
  }

  /** A place from which to watch a private room. */
  async spectateCode<G extends GameTypes = AnyGame>(code: string): Promise<Room<G>> {
    return this.#spectate<G>({ code });
  }

  /** Removes a player from a room that this one created; they cannot come back to it. */
  async kick(room: string, seat: number): Promise<void> {
    await this.#ask("kick", { room, seat });
  }

  /** Stops listening for good. */
  close(): void {
    this.#listing.close();
    this.chat.close();
    this.party.close();
    this.presence.close();
  }

  async #spectate<G extends GameTypes>(which: { room: string } | { code: string }): Promise<Room<G>> {
    const renew = (): Promise<Grant> => this.#ask<Grant>("spectate", which);
    return this.#takeSeat({ ...(await renew()), ...which, renew });
  }

  #ask<T>(event: string, argument?: object): Promise<T> {
    return request<T>(this.#channel, this.#timeout, event, argument);
  }
}

/**
 * The listing that all watchers share. It asks for all games: a connection has one subscription, and the numbers of its
 * updates must not depend on who watches what.
 */
class LiveListing {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #subscribers = new Listeners<[RoomInfo[]]>();
  #rooms = new Map<string, RoomInfo>();
  /** The newest update that `#rooms` holds; `undefined` while the whole list is being asked for. */
  #seq: number | undefined;
  #early: ListingChange[] = [];
  #asking: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #listening = false;

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
  }

  async subscribe(callback: (rooms: RoomInfo[]) => void): Promise<Unsubscribe> {
    if (!this.#listening) {
      this.#listening = true;
      this.#channel.on("rooms", this.#changed);
      this.#channel.on("connect", this.#anew);
    }
    if (this.#seq === undefined) await this.#load();
    const stop = this.#subscribers.add(callback);
    callback(this.#list());
    return stop;
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("rooms", this.#changed);
    this.#channel.off("connect", this.#anew);
  }

  /** Asks for the whole list, or for what came after a change; callers at the same time share one request. */
  #load(after?: number): Promise<void> {
    this.#seq = undefined;
    return (this.#asking ??= this.#ask(after));
  }

  async #ask(after: number | undefined): Promise<void> {
    let listing: Listing;
    try {
      listing = await request<Listing>(this.#channel, this.#timeout, "rooms", after === undefined ? {} : { after });
    } finally {
      this.#asking = undefined;
    }
    if (listing.rooms) {
      this.#rooms = new Map(listing.rooms.map((room) => [room.room, room]));
      this.#seq = listing.seq;
    } else {
      this.#seq = after;
    }
    // Updates may overtake the answer; those that it has in it already are skipped by their number.
    const changes = [...(listing.changes ?? []), ...this.#early.splice(0)];
    if (!changes.every((change) => this.#merge(change))) this.#reload(this.#seq);
  }

  /** The numbers of a new connection may be those of another server. */
  readonly #anew = (): void => this.#reload();

  #reload(after?: number): void {
    clearTimeout(this.#retry);
    this.#early = [];
    this.#load(after).then(
      () => this.#subscribers.notify(this.#list()),
      // Refused for the moment, or the connection dropped again, in which case `connect` comes again too.
      () => (this.#retry = setTimeout(() => this.#reload(), RETRY_MS)),
    );
  }

  readonly #changed = (change: ListingChange): void => {
    if (this.#seq === undefined) {
      this.#early.push(change);
      return;
    }
    if (change.seq <= this.#seq) return;
    if (this.#merge(change)) this.#subscribers.notify(this.#list());
    else this.#reload(this.#seq);
  };

  /** Takes an update in, unless the list has it already; false if there is a gap before it. */
  #merge({ seq, added, updated, removed }: ListingChange): boolean {
    const newest = this.#seq ?? 0;
    if (seq > newest + 1) return false;
    if (seq <= newest) return true;
    this.#seq = seq;
    for (const room of removed) this.#rooms.delete(room);
    for (const room of [...added, ...updated]) this.#rooms.set(room.room, room);
    return true;
  }

  #list(): RoomInfo[] {
    return [...this.#rooms.values()];
  }
}
