// The lobby: hosted games, open rooms, and the ways into a room.

import type { Blocks } from "./blocks.js";
import type { Ask, Channel } from "./channel.js";
import { request } from "./channel.js";
import { Chat } from "./chat.js";
import { codeOf } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";
import type { LiveListing } from "./live_listing.js";
import { loadLobby } from "./lobby_later.js";
import type { Grant } from "./messages.js";
import { Party } from "./party.js";
import { Presence } from "./presence.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import { TOOLS } from "./tools.js";
import type { AnyGame, ConfigOf, GameInfo, GameTypes, RoomInfo, RoomSearch, Strength } from "./types.js";

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
  readonly #channel: Channel;
  readonly #ask: Ask;
  readonly #timeout: number;
  readonly #takeSeat: TakeSeat;
  #listing: LiveListing | undefined;
  #blocks: Blocks | undefined;

  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat) {
    const ask: Ask = (event, argument) => request(channel, timeout, event, argument);
    this.#channel = channel;
    this.#ask = ask;
    this.#timeout = timeout;
    this.#takeSeat = takeSeat;
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
    const { LiveListing } = await loadLobby();
    this.#listing ??= new LiveListing(this.#channel, this.#ask, TOOLS);
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
    const { searchRooms } = await loadLobby();
    return searchRooms(this.#ask, search);
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
    return this.#blocks?.users ?? [];
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
    await (await this.#loadBlocks()).add(user);
  }

  /** Lets the messages and invitations of a user reach the player again. */
  async unblock(user: string): Promise<void> {
    await (await this.#loadBlocks()).remove(user);
  }

  /** Stops listening for good. */
  close(): void {
    this.#listing?.close();
    this.#blocks?.close();
    this.chat.close();
    this.party.close();
    this.presence.close();
  }

  async #loadBlocks(): Promise<Blocks> {
    const { Blocks } = await loadLobby();
    return (this.#blocks ??= new Blocks(this.#channel, this.#ask, TOOLS));
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
