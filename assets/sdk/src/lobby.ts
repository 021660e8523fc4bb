// The lobby: hosted games, open rooms, and the ways into a room.

import { Blocks } from "./blocks.js";
import type { Ask, Channel } from "./channel.js";
import { listen, Retry, request } from "./channel.js";
import { Chat } from "./chat.js";
import { codeOf } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { Grant } from "./messages.js";
import { Party } from "./party.js";
import { Presence } from "./presence.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import type { AnyGame, ConfigOf, GameInfo, GameTypes, RoomInfo, RoomSearch, Strength } from "./types.js";

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

/** The time between two requests to a room whose step takes too long. */
const BUSY_MS = 250;

/**
 * The lobby of a server: its games and rooms, and the ways into a room.
 *
 * Methods that lead into a room resolve with a `Room`. They throw a `TickcastError`, such as `room_full`,
 * `unknown_room`, `unknown_game` or `bad_config`.
 */
export class Lobby {
  /** Chat with everyone, the party, the room, or one player. */
  readonly chat: Chat;
  /** The player's party. */
  readonly party: Party;
  /** The presence of other players. */
  readonly presence: Presence;
  readonly #ask: Ask;
  readonly #timeout: number;
  readonly #takeSeat: TakeSeat;
  readonly #listing: LiveListing;
  readonly #blocks: Blocks;

  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat) {
    const ask: Ask = (event, argument) => request(channel, timeout, event, argument);
    this.#ask = ask;
    this.#timeout = timeout;
    this.#takeSeat = takeSeat;
    this.#listing = new LiveListing(channel, ask);
    this.#blocks = new Blocks(channel, ask);
    this.chat = new Chat(channel, ask);
    this.party = new Party(channel, ask);
    this.presence = new Presence(channel, ask);
  }

  /** The games that the server hosts. */
  async games(): Promise<GameInfo[]> {
    return (await this.#ask<{ games: GameInfo[] }>("games")).games;
  }

  /**
   * Calls back with all open rooms, now and on every change, until the returned function is called. The list is complete
   * even after lost updates and reconnections.
   *
   * @example
   * ```ts
   * const stop = await server.lobby.rooms((rooms) => {
   *   list.replaceChildren(...rooms.map(({ room, players, seats }) => row(room, `${players} of ${seats}`)));
   * }, { game: "arena" });
   * ```
   */
  async rooms(callback: (rooms: RoomInfo[]) => void, filter: { game?: string } = {}): Promise<Unsubscribe> {
    const { game } = filter;
    return this.#listing.subscribe((rooms) =>
      callback(game === undefined ? rooms : rooms.filter((r) => r.game === game)),
    );
  }

  /**
   * Searches the open rooms once, without a subscription.
   *
   * @example
   * ```ts
   * const rooms = await server.lobby.search({ game: "arena", open: true, sort: "players", limit: 10 });
   * ```
   */
  async search(search: RoomSearch = {}): Promise<RoomInfo[]> {
    let { rooms, next } = await this.#ask<RoomsPage>("rooms", search);
    while (next !== undefined && rooms.length < (search.limit ?? Infinity)) {
      const page: RoomsPage = await this.#ask<RoomsPage>("rooms", { ...search, from: next });
      rooms = [...rooms, ...page.rooms];
      next = page.next;
    }
    return rooms.slice(0, search.limit);
  }

  /**
   * Takes a seat in the fullest open room of a game, or in a new room if there is none. Two requests of one player at the same
   * time may get the same seat.
   *
   * @example
   * ```ts
   * import type { Arena } from "./arena.d.ts";
   *
   * const room = await server.lobby.quick<Arena>("arena");
   * ```
   */
  async quick<G extends GameTypes = AnyGame>(game: string): Promise<Room<G>> {
    return this.#enter("quick", { game });
  }

  /**
   * Creates a room and takes a seat in it. Fields that `config` omits have their defaults. `strength` says how strong the bots
   * play, one of the game's `strengths`; by default they are weaker against one player than against several.
   *
   * @example
   * ```ts
   * const room = await server.lobby.create("arena", { config: { frag_limit: 10 }, private: true });
   * shareLink.href = `#${room.code}`; // friends join by this code
   * ```
   */
  async create<G extends GameTypes = AnyGame>(
    game: string,
    options: { config?: Partial<ConfigOf<G>>; private?: boolean; strength?: Strength } = {},
  ): Promise<Room<G>> {
    return this.#takeSeat(await this.#place("create", { game, ...options }));
  }

  /**
   * Takes a seat in a listed room.
   *
   * @example
   * ```ts
   * const [fullest] = await server.lobby.search({ open: true, sort: "players", limit: 1 });
   * if (fullest) await server.lobby.join(fullest.room);
   * ```
   */
  async join<G extends GameTypes = AnyGame>(room: string): Promise<Room<G>> {
    return this.#enter("join", { room });
  }

  /** Takes a seat in a private room. */
  async joinCode<G extends GameTypes = AnyGame>(code: string): Promise<Room<G>> {
    return this.#enter("join", { code });
  }

  /**
   * Spectates a listed room, with the delay that its game sets. The returned room has seat 0, and its `input` does
   * nothing. After a lost connection it asks the lobby for a new ticket by itself.
   *
   * @example
   * ```ts
   * const room = await server.lobby.spectate(id);
   * room.spectating; // true
   * for (const { id, Pos } of room.view("Pos")) draw(id, Pos.at);
   * ```
   */
  async spectate<G extends GameTypes = AnyGame>(room: string): Promise<Room<G>> {
    return this.#spectate<G>({ room });
  }

  /** Spectates a private room. */
  async spectateCode<G extends GameTypes = AnyGame>(code: string): Promise<Room<G>> {
    return this.#spectate<G>({ code });
  }

  /** Removes a player from a room that this player created. They cannot return to it. */
  async kick(room: string, seat: number): Promise<void> {
    await this.#ask("kick", { room, seat });
  }

  /** The users whom the player blocks. */
  get blocked(): string[] {
    return this.#blocks.users;
  }

  /**
   * Blocks a user: their messages and invitations do not reach the player any more, for as long as this page lives. Keep
   * the list yourself to block the same users on the next visit.
   *
   * @example
   * ```ts
   * await server.lobby.block(message.user);
   * localStorage.setItem("blocked", JSON.stringify(server.lobby.blocked));
   * ```
   */
  async block(user: string): Promise<void> {
    await this.#blocks.add(user);
  }

  /** Lets the messages and invitations of a user reach the player again. */
  async unblock(user: string): Promise<void> {
    await this.#blocks.remove(user);
  }

  /** Stops listening for good. */
  close(): void {
    this.#listing.close();
    this.#blocks.close();
    this.chat.close();
    this.party.close();
    this.presence.close();
  }

  async #spectate<G extends GameTypes>(which: { room: string } | { code: string }): Promise<Room<G>> {
    const renew = (): Promise<Grant> => this.#place("spectate", which);
    return this.#takeSeat({ ...(await renew()), ...which, renew });
  }

  /**
   * Takes a seat. A player has one in a room: if another request of theirs got the same one and has left it since, or if the room
   * has ended meanwhile, asks again.
   */
  async #enter<G extends GameTypes>(event: string, argument: Record<string, string>): Promise<Room<G>> {
    const enter = async (): Promise<Room<G>> =>
      this.#takeSeat<G>({ ...(await this.#place(event, argument)), ...(argument.code && { code: argument.code }) });
    try {
      return await enter();
    } catch (error) {
      if (codeOf(error) !== "ticket_expired") throw error;
      return enter();
    }
  }

  /** Asks for a place in a room. A room whose step takes too long is asked again for as long as a request may take. */
  async #place(event: string, argument: object): Promise<Grant> {
    let left = this.#timeout;
    for (;;) {
      try {
        return await this.#ask<Grant>(event, argument);
      } catch (error) {
        if (codeOf(error) !== "room_busy" || left <= 0) throw error;
      }
      left -= BUSY_MS;
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
  }
}

/**
 * The listing that all subscribers share. It always covers all games, because a connection has one subscription whose
 * update numbers must not depend on the filters of the subscribers.
 */
class LiveListing {
  readonly #channel: Channel;
  readonly #ask: Ask;
  readonly #subscribers = new Listeners<[RoomInfo[]]>();
  #rooms = new Map<string, RoomInfo>();
  /** The number of the newest update in `#rooms`; `undefined` while a request for the list is pending. */
  #seq: number | undefined;
  #early: ListingChange[] = [];
  #pending: Promise<void> | undefined;
  // Retrying covers temporary refusals. After another lost connection, `connect` triggers a reload as well.
  readonly #retry = new Retry(() => this.#renew());
  #stop: (() => void) | undefined;

  constructor(channel: Channel, ask: Ask) {
    this.#channel = channel;
    this.#ask = ask;
  }

  async subscribe(callback: (rooms: RoomInfo[]) => void): Promise<Unsubscribe> {
    this.#stop ??= listen(this.#channel, {
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
