import type { Channel } from "./channel.js";
import { open } from "./channel.js";
import type { ConnectionOptions } from "./connections.js";
import { Connections } from "./connections.js";
import { TickcastError } from "./errors.js";
import type { IdentityOptions, Session } from "./identity.js";
import { Identity } from "./identity.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import { Lobby } from "./lobby.js";
import { Matchmaking } from "./matchmaking.js";
import type { Grant } from "./messages.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import { takeSeat } from "./seat.js";
import type { GameTypes } from "./types.js";

export interface ConnectOptions extends ConnectionOptions, IdentityOptions {}

/** A Tickcast server, connected. */
export interface Server {
  readonly lobby: Lobby;
  readonly matchmaking: Matchmaking;
  /** Who the player is. */
  readonly session: Session;
  /**
   * Opens a namespace that the host added to the server, such as `/shop`, over the same connection. It shows who the player is,
   * and is the same channel each time. Throws a `TickcastError` as `connect` does.
   */
  namespace(path: string): Promise<Channel>;
  /** Calls back when the server has ended the connection for good, and why: the player was blocked. */
  onEnded(callback: (error: TickcastError) => void): Unsubscribe;
  /** Leaves every room and closes every connection. */
  close(): void;
}

/**
 * Connects to a Tickcast server. `url` is its address, such as `http://localhost:3000`. Throws a `TickcastError`:
 * `bad_name`, `auth_required`, `bad_token`, `token_expired`, `blocked`, or `unreachable` if no connection comes about in time.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Server> {
  const identity = new Identity(url, options);
  const servers = new Map<string, Connections>();
  const connectionsTo = (to: string): Connections => {
    const found = servers.get(to) ?? new Connections(to, options);
    servers.set(to, found);
    return found;
  };
  const rooms = new Set<Room>();
  const take: TakeSeat = async <G extends GameTypes>(grant: Grant): Promise<Room<G>> => {
    const room = await takeSeat<G>(connectionsTo(grant.url || url), grant);
    const any = room as unknown as Room;
    rooms.add(any);
    room.onOver(() => rooms.delete(any));
    return room;
  };
  const home = connectionsTo(url);
  const lobbyChannel = home.channel("/lobby");
  const queueChannel = home.channel("/matchmaking");
  const told = identity.bind(lobbyChannel, true);
  void identity.bind(queueChannel, false);
  const ended = new Listeners<[TickcastError]>();
  lobbyChannel.on("ended", ({ code, message }: { code: string; message: string }) =>
    ended.notify(new TickcastError(code, message)),
  );
  await open(lobbyChannel, home.timeout);
  await inTime(told, lobbyChannel, home.timeout);
  const lobby = new Lobby(lobbyChannel, home.timeout, take);
  const added = new Map<string, Channel>();
  return {
    lobby,
    get session() {
      return identity.session;
    },
    matchmaking: new Matchmaking(queueChannel, home.timeout, take),
    async namespace(path) {
      const channel = added.get(path) ?? home.channel(path);
      if (!added.has(path)) identity.show(channel, false);
      added.set(path, channel);
      await open(channel, home.timeout);
      return channel;
    },
    onEnded: (callback) => ended.add(callback),
    close() {
      for (const room of rooms) void room.leave();
      lobby.close();
      for (const channel of added.values()) channel.disconnect();
      queueChannel.disconnect();
      lobbyChannel.disconnect();
    },
  };
}

/** Waits for the first event; a server that never sends it is none of Tickcast's. */
async function inTime(told: Promise<void>, channel: Channel, timeout: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TickcastError("timeout", `no session within ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([told, late]);
  } catch (error) {
    channel.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
