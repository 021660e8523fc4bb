import type { LinkOptions } from "./link.js";
import { Link, open } from "./link.js";
import { takeSeat } from "./join.js";
import type { Grant, TakeSeat } from "./lobby.js";
import { Lobby } from "./lobby.js";
import { Matchmaking } from "./matchmaking.js";
import type { Room } from "./room.js";
import type { GameTypes } from "./types.js";

export interface ConnectOptions extends LinkOptions {
  /** The display name; the server makes one up for a guest. */
  name?: string;
}

/** A Tickcast server, connected. */
export interface Server {
  readonly lobby: Lobby;
  readonly matchmaking: Matchmaking;
  /** Leaves every room and closes every connection. */
  close(): void;
}

/**
 * Connects to a Tickcast server. `url` is its address, such as `http://localhost:3000`. Throws a `TickcastError`:
 * `bad_name`, or `unreachable` if no connection comes about in time.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Server> {
  const { name, ...linking } = options;
  const links = new Map<string, Link>();
  const link = (to: string): Link => {
    const found = links.get(to) ?? new Link(to, linking);
    links.set(to, found);
    return found;
  };
  const rooms = new Set<Room>();
  const take: TakeSeat = async <G extends GameTypes>(grant: Grant): Promise<Room<G>> => {
    const room = await takeSeat<G>(link(grant.url || url), grant);
    const any = room as unknown as Room;
    rooms.add(any);
    room.onOver(() => rooms.delete(any));
    return room;
  };
  const home = link(url);
  const auth = name === undefined ? {} : { name };
  const lobbyChannel = home.channel("/lobby", auth);
  const queueChannel = home.channel("/matchmaking", auth);
  await open(lobbyChannel, home.timeout);
  const lobby = new Lobby(lobbyChannel, home.timeout, take);
  return {
    lobby,
    matchmaking: new Matchmaking(queueChannel, home.timeout, take),
    close() {
      for (const room of rooms) void room.leave();
      lobby.close();
      queueChannel.disconnect();
      lobbyChannel.disconnect();
    },
  };
}
