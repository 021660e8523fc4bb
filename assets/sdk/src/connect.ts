// The entry point: connects, and puts the parts of a server together.

import type { Channel } from "./channel.js";
import { open } from "./channel.js";
import type { ConnectionOptions } from "./connections.js";
import { Connections, checkAddress } from "./connections.js";
import { messageOf, TickcastError, withDeadline } from "./errors.js";
import type { IdentityOptions, Session } from "./identity.js";
import { Identity } from "./identity.js";
import type { Unsubscribe } from "./listeners.js";
import { Lobby } from "./lobby.js";
import { Matchmaking } from "./matchmaking.js";
import type { Grant } from "./messages.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import { takeSeat } from "./seat.js";
import type { ServerStatus, ServerStatusListener } from "./status.js";
import { ConnectionStatus } from "./status.js";
import type { GameTypes } from "./types.js";

/** How to connect, and as whom. Every field is optional. */
export interface ConnectOptions extends ConnectionOptions, IdentityOptions {
  /** The same as `server.onStatus`, but it also hears `connecting`. */
  onStatus?: ServerStatusListener;
}

/**
 * A connection to a Tickcast server: its lobby, its matchmaking, and the player's session.
 *
 * @example
 * ```ts
 * const server = await connect("http://localhost:3000", { name: "Ada" });
 * server.onStatus((status, reason) => {
 *   banner.textContent = status === "closed" ? `Disconnected: ${reason?.message}` : status;
 * });
 * console.log(`You are ${server.session.name}.`);
 * const room = await server.lobby.quick("arena");
 * // ... play ...
 * await room.leave();
 * server.close();
 * ```
 */
export interface Server {
  /** Games, open rooms, chat, presence and parties. */
  readonly lobby: Lobby;
  /** Queues for matches. */
  readonly matchmaking: Matchmaking;
  /** The player's id and name, as the server knows them. */
  readonly session: Session;
  /** The current state of the connection. Each room has a `status` of its own. */
  readonly status: ServerStatus;
  /**
   * Calls back on every change of `status`. With `closed`, the second argument is the reason: the server's code, such as
   * `blocked` or `token_expired`, or `closed` after `server.close()`.
   *
   * @example
   * ```ts
   * const stop = server.onStatus((status, reason) => {
   *   if (status === "reconnecting") showSpinner();
   *   if (status === "connected") hideSpinner();
   *   if (status === "closed") showError(reason?.code, reason?.message);
   * });
   * ```
   */
  onStatus(callback: ServerStatusListener): Unsubscribe;
  /**
   * Opens a namespace that the host added to the server, such as `/shop`, over the same connection and with the player's
   * token. Calls with the same path return the same channel. `listeners`, by event, are there before the first event; one that is
   * added to the channel later misses what the server sends right after the connection. Throws a `TickcastError` as
   * `connect` does.
   */
  namespace(path: string, listeners?: Record<string, (...args: any[]) => void>): Promise<Channel>;
  /** Leaves every room and closes every connection. What waits for a room rejects with `closed`, and gives up its seat. */
  close(): void;
}

/**
 * Connects to a Tickcast server.
 *
 * `url` is the server's address, such as `http://localhost:3000`. Resolves once the server has told who the player is.
 * Throws a `TickcastError` with the code `bad_name`, `auth_required`, `bad_token`, `token_expired` or `blocked`;
 * `unreachable` if there is no connection within `timeout`; `timeout` if the server sends no session. Throws a `TypeError` if
 * `url` is not an address with a scheme.
 *
 * @example
 * As a guest, and with a token of your own accounts:
 * ```ts
 * const server = await connect("http://localhost:3000", { name: "Ada" });
 *
 * const member = await connect("https://play.example.org", {
 *   token: async () => (await fetch("/api/game-token")).text(), // called for every new connection
 * });
 * ```
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Server> {
  checkAddress(url);
  const identity = new Identity(url, options);
  const servers = new Map<string, Connections>();
  const connectionsTo = (to: string): Connections => {
    const found = servers.get(to) ?? new Connections(to, options);
    servers.set(to, found);
    return found;
  };
  const rooms = new Set<Room>();
  const closing = new AbortController();
  const take: TakeSeat = async <G extends GameTypes>(grant: Grant, signal = closing.signal): Promise<Room<G>> => {
    const room = await takeSeat<G>(connectionsTo(grant.url || url), grant, signal);
    if (signal.aborted) {
      void room.leave();
      signal.throwIfAborted();
    }
    const untyped = room as unknown as Room;
    rooms.add(untyped);
    room.onOver(() => rooms.delete(untyped));
    return room;
  };
  const home = connectionsTo(url);
  const lobbyChannel = home.channel("/lobby");
  const queueChannel = home.channel("/matchmaking");
  const session = identity.bind(lobbyChannel, true);
  void identity.bind(queueChannel, false);
  const status = new ConnectionStatus(lobbyChannel, options.onStatus);
  try {
    await open(lobbyChannel, home.timeout);
    // A server of another kind never sends a session.
    const late = (): Error => new TickcastError("timeout", `the server sent no session within ${home.timeout} ms`);
    await withDeadline(home.timeout, session, late);
  } catch (error) {
    lobbyChannel.disconnect();
    const reason = failureOf(error, identity);
    status.close(reason);
    throw reason;
  }
  status.opened();
  const lobby = new Lobby(lobbyChannel, home.timeout, take);
  const added = new Map<string, Channel>();
  return {
    lobby,
    matchmaking: new Matchmaking(queueChannel, home.timeout, take, closing.signal),
    get session() {
      return identity.session;
    },
    get status() {
      return status.value;
    },
    onStatus: (callback) => status.onChange(callback),
    async namespace(path, listeners = {}) {
      const channel = added.get(path) ?? home.channel(path);
      if (!added.has(path)) identity.show(channel, false);
      added.set(path, channel);
      for (const [event, listener] of Object.entries(listeners)) channel.on(event, listener);
      await open(channel, home.timeout);
      return channel;
    },
    close() {
      const reason = new TickcastError("closed", "the program closed the connection");
      status.close(reason);
      closing.abort(reason);
      for (const room of rooms) void room.leave();
      lobby.close();
      for (const channel of added.values()) channel.disconnect();
      queueChannel.disconnect();
      lobbyChannel.disconnect();
    },
  };
}

/** Why there is no connection. A token that could not be fetched explains why the server was not reached. */
function failureOf(error: unknown, { failure }: Identity): TickcastError {
  if (!(error instanceof TickcastError)) return new TickcastError("unreachable", String(error));
  if (error.code !== "unreachable" || failure === undefined) return error;
  return new TickcastError("unreachable", `the token could not be fetched: ${messageOf(failure)}`);
}
