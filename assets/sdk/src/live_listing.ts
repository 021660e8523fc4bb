// The list of open rooms, as it changes. Loaded when a program first asks for it.

import type { Ask, Channel, Retry } from "./channel.js";
import type { Listeners, Unsubscribe } from "./listeners.js";
import type { Tools } from "./tools.js";
import type { RoomInfo, RoomSearch } from "./types.js";

/** A page of the list. `next` is the first room of the next page. */
interface RoomsPage {
  rooms: RoomInfo[];
  next?: string;
}

/** The first page of the list, or the changes since a known one. */
interface Listing extends Partial<RoomsPage> {
  seq: number;
  changes?: ListingChange[];
}

interface ListingChange {
  seq: number;
  added: RoomInfo[];
  updated: RoomInfo[];
  removed: string[];
}

/**
 * The listing that all subscribers share. It always covers all games, because a connection has one subscription whose
 * update numbers must not depend on the filters of the subscribers.
 */
export class LiveListing {
  readonly #channel: Channel;
  readonly #ask: Ask;
  readonly #tools: Tools;
  readonly #subscribers: Listeners<[RoomInfo[]]>;
  #rooms = new Map<string, RoomInfo>();
  /** The number of the newest update in `#rooms`; `undefined` while a request for the list is pending. */
  #seq: number | undefined;
  #early: ListingChange[] = [];
  #pending: Promise<void> | undefined;
  // Retrying covers temporary refusals. After another lost connection, `connect` triggers a reload as well.
  readonly #retry: Retry;
  #stop: (() => void) | undefined;

  constructor(channel: Channel, ask: Ask, tools: Tools) {
    this.#channel = channel;
    this.#ask = ask;
    this.#tools = tools;
    this.#subscribers = new tools.Listeners();
    this.#retry = new tools.Retry(() => this.#renew());
  }

  async subscribe(callback: (rooms: RoomInfo[]) => void): Promise<Unsubscribe> {
    this.#stop ??= this.#tools.listen(this.#channel, {
      rooms: (change: ListingChange) => this.#changed(change),
      // A new connection may have reached another server, which numbers its updates differently.
      connect: () => this.#retry.start(),
    });
    if (this.#seq === undefined) await this.#load();
    const stop = this.#subscribers.add(callback);
    callback(this.#list());
    return stop;
  }

  close(): void {
    this.#retry.stop();
    this.#stop?.();
  }

  /** Requests the whole list, or the changes after a number. Simultaneous callers share one request. */
  #load(after?: number): Promise<void> {
    this.#seq = undefined;
    return (this.#pending ??= this.#request(after));
  }

  async #request(after: number | undefined): Promise<void> {
    let listing: Listing;
    const rooms: RoomInfo[] = [];
    try {
      listing = await this.#ask<Listing>("rooms", after === undefined ? {} : { after });
      rooms.push(...(listing.rooms ?? []));
      // Updates that arrive between two pages are newer than the first one, and are applied to all of them below.
      for (let { next } = listing; next !== undefined; ) {
        const page = await this.#ask<RoomsPage>("rooms", { from: next });
        rooms.push(...page.rooms);
        next = page.next;
      }
    } finally {
      this.#pending = undefined;
    }
    if (listing.rooms) {
      this.#rooms = new Map(rooms.map((room) => [room.room, room]));
      this.#seq = listing.seq;
    } else {
      this.#seq = after;
    }
    // Updates may overtake the answer. Their numbers show which of them it already contains.
    const changes = [...(listing.changes ?? []), ...this.#early.splice(0)];
    if (!changes.every((change) => this.#merge(change))) this.#catchUp();
  }

  /** Loads the list again, or the changes after a number, and tells all subscribers. */
  async #renew(after?: number): Promise<void> {
    this.#early = [];
    await this.#load(after);
    this.#subscribers.notify(this.#list());
  }

  #changed(change: ListingChange): void {
    if (this.#seq === undefined) {
      this.#early.push(change);
      return;
    }
    if (change.seq <= this.#seq) return;
    if (this.#merge(change)) this.#subscribers.notify(this.#list());
    else this.#catchUp();
  }

  /** Requests the changes that are missing. */
  #catchUp(): void {
    const newest = this.#seq;
    this.#retry.start(() => this.#renew(newest));
  }

  /** Applies an update unless the list already contains it. Returns false if updates before it are missing. */
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

/** Searches the open rooms once, page by page. */
export async function searchRooms(ask: Ask, search: RoomSearch): Promise<RoomInfo[]> {
  let { rooms, next } = await ask<RoomsPage>("rooms", search);
  while (next !== undefined && rooms.length < (search.limit ?? Infinity)) {
    const page: RoomsPage = await ask<RoomsPage>("rooms", { ...search, from: next });
    rooms = [...rooms, ...page.rooms];
    next = page.next;
  }
  return rooms.slice(0, search.limit);
}
