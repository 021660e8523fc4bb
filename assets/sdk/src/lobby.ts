// The lobby: what is hosted and what runs, and the ways into a room.

import type { Channel } from "./link.js";
import { request } from "./link.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { Room } from "./room.js";
import type { AnyGame, ConfigOf, GameInfo, GameTypes, RoomInfo } from "./types.js";

/** What the lobby or the matchmaker answers: the pass into a seat. */
export interface Grant {
  ticket: string;
  url: string;
  room: string;
  /** Of a private room. */
  code?: string;
}

/** Takes the seat that a grant names. */
export type TakeSeat = <G extends GameTypes>(grant: Grant) => Promise<Room<G>>;

interface Listing {
  seq: number;
  rooms: RoomInfo[];
}

interface ListingChange {
  seq: number;
  added: RoomInfo[];
  updated: RoomInfo[];
  removed: string[];
}

const RETRY_MS = 1_000;

export class Lobby {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #takeSeat: TakeSeat;
  readonly #listing: LiveListing;

  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat) {
    this.#channel = channel;
    this.#timeout = timeout;
    this.#takeSeat = takeSeat;
    this.#listing = new LiveListing(channel, timeout);
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
    return this.#listing.watch((rooms) => callback(game === undefined ? rooms : rooms.filter((r) => r.game === game)));
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

  /** Stops the listing for good. */
  close(): void {
    this.#listing.close();
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
  readonly #watchers = new Listeners<[RoomInfo[]]>();
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

  async watch(callback: (rooms: RoomInfo[]) => void): Promise<Unsubscribe> {
    if (!this.#listening) {
      this.#listening = true;
      this.#channel.on("rooms", this.#changed);
      this.#channel.on("connect", this.#reload);
    }
    if (this.#seq === undefined) await this.#load();
    const stop = this.#watchers.add(callback);
    callback(this.#list());
    return stop;
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#channel.off("rooms", this.#changed);
    this.#channel.off("connect", this.#reload);
  }

  /** Asks for the whole list; callers at the same time share one request. */
  #load(): Promise<void> {
    this.#seq = undefined;
    return (this.#asking ??= this.#ask());
  }

  async #ask(): Promise<void> {
    let listing: Listing;
    try {
      listing = await request<Listing>(this.#channel, this.#timeout, "rooms", {});
    } finally {
      this.#asking = undefined;
    }
    this.#rooms = new Map(listing.rooms.map((room) => [room.room, room]));
    this.#seq = listing.seq;
    // Updates may overtake the answer; those that it has in it already are skipped by their number.
    if (!this.#early.splice(0).every((change) => this.#merge(change))) this.#reload();
  }

  readonly #reload = (): void => {
    clearTimeout(this.#retry);
    this.#early = [];
    this.#load().then(
      () => this.#watchers.tell(this.#list()),
      // Refused for the moment, or the connection dropped again, in which case `connect` comes again too.
      () => (this.#retry = setTimeout(this.#reload, RETRY_MS)),
    );
  };

  readonly #changed = (change: ListingChange): void => {
    if (this.#seq === undefined) {
      this.#early.push(change);
      return;
    }
    if (change.seq <= this.#seq) return;
    if (this.#merge(change)) this.#watchers.tell(this.#list());
    else this.#reload();
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
