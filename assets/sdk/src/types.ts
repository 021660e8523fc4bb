import type { Type } from "./schema.js";

/** What a game's `/schema/<game>.d.ts` says: the types of everything that travels. */
export interface GameTypes {
  components: object;
  events: object;
  input: unknown;
  /** The served types leave it out; a program that knows its game's configuration may add it. */
  config?: unknown;
}

/** A game's configuration, as far as its types say. */
export type ConfigOf<G extends GameTypes> = G extends { config: infer C } ? C : Record<string, unknown>;

/** For programs without a schema's types: every name is taken and every value is `any`. */
export interface AnyGame {
  components: Record<string, any>;
  events: Record<string, any>;
  input: any;
  config: any;
}

export type ComponentName<G extends GameTypes> = keyof G["components"] & string;
export type EventName<G extends GameTypes> = keyof G["events"] & string;

/** An entity of the mirror. Its components are properties; one that it does not have is `undefined`. */
export type EntityOf<G extends GameTypes> = { readonly id: number } & {
  readonly [C in ComponentName<G>]?: G["components"][C];
};

/** An entity as `room.view` hands it out: the components asked for are there. */
export type Viewed<G extends GameTypes, C extends ComponentName<G>> = { readonly id: number } & {
  readonly [K in C]: G["components"][K];
};

/** Input fields left out keep the value they had; a one-shot field left out is not fired. */
export type InputOf<G extends GameTypes> = G["input"] extends object ? Partial<G["input"]> : G["input"];

export interface Vec2 {
  x: number;
  y: number;
}

export interface Vec3 extends Vec2 {
  z: number;
}

/** A player's place in a room, as everyone sees it. */
export interface SeatInfo {
  seat: number;
  name: string;
  status: "playing" | "away" | "bot";
}

/** A room of the public listing. `players` and `bots` are seated, `seats` is how many there are in all. */
export interface RoomInfo {
  room: string;
  game: string;
  players: number;
  bots: number;
  seats: number;
}

/** A game that the server hosts. */
export interface GameInfo {
  name: string;
  hz: number;
  seats: [min: number, max: number];
  rooms: number;
  players: number;
}

/** What to look for in the listing. */
export interface RoomSearch {
  game?: string;
  /** Whether a seat is free. */
  open?: boolean;
  /** Values that the room's configuration must have. */
  config?: Record<string, unknown>;
  /** The most people, the most free seats, the newest or the oldest first. */
  sort?: "players" | "free" | "newest" | "oldest";
  limit?: number;
}

export type ChatChannel = "lobby" | "party" | "room" | "private";

/** Something that was said. */
export interface ChatMessage {
  channel: ChatChannel;
  /** Which history it is in: another party's, say, has another. */
  id: string;
  /** Its number in that history, from 1. */
  seq: number;
  /** Milliseconds since 1970. */
  at: number;
  user: string;
  name: string;
  /** To whom, if it is private. */
  to?: string;
  text: string;
}

/** Somebody who is writing. */
export interface Typing {
  channel: ChatChannel;
  user: string;
  name: string;
}

/** Somebody, and what they do. `name` is `null` for somebody who has not been here for a while. */
export interface UserPresence {
  user: string;
  name: string | null;
  status: "online" | "queue" | "match" | "away" | "offline";
}

export interface PartyMember extends UserPresence {
  ready: boolean;
}

/** People who play together. */
export interface PartyInfo {
  seq: number;
  party: string;
  /** What a friend types to join. */
  code: string;
  leader: string;
  members: PartyMember[];
}

export interface PartyInvite {
  party: string;
  code: string;
  from: UserPresence;
}

/** Where a waiting player stands in the queue of a game. */
export interface QueueStatus {
  game: string;
  mode: string;
  /** The ticket's place, from 1: a party has one ticket. */
  position: number;
  /** People who wait. */
  waiting: number;
  /** People that a match takes. */
  needed: number;
  /** Seconds that the ticket has waited. */
  waited: number;
  /** Seconds that others have waited lately until they were matched; null if nobody was yet. */
  estimate: number | null;
}

/** A match was found: whoever is asked has some seconds to say that they are there. */
export interface ReadyCheck {
  check: number;
  game: string;
  mode: string;
  players: number;
  seconds: number;
}

/** How many have said that they are ready. */
export interface ReadyCount {
  check: number;
  accepted: number;
  players: number;
}

/** A match that was found is not played. */
export interface Unready {
  check: number;
  reason: "declined" | "timed_out" | (string & {});
  /** Whether the player is in the queue again, with the age of the ticket. */
  requeued: boolean;
}

/** A skill: an estimate, 1500 at first, and its standard deviation. */
export interface Rating {
  mode: string;
  rating: number;
  deviation: number;
}

/** Inputs that the server did not take since it last said so. */
export interface Refused {
  code: string;
  message: string;
  count: number;
}

/** A vote to remove the player in `seat`. `passed` is null while it is open. */
export interface Vote {
  seat: number;
  votes: number;
  needed: number;
  passed: boolean | null;
}

/**
 * How a room ended for this player. The first seven reasons are the server's; `expired` means that the seat was lost
 * while the connection was away.
 */
export interface Over {
  reason: "finished" | "rules_error" | "closed" | "replaced" | "left" | "kicked" | "idle" | "expired" | (string & {});
  message: string;
  winners: number[];
}

/** How the connection fares. */
export interface RoomStats {
  /** The least round trip of late, in milliseconds. */
  rtt: number;
  /** How far behind the server's time `view` draws, in ticks. */
  delay: number;
  /** For how many ticks ahead inputs are meant. */
  lead: number;
  /** State frames received, and their bytes. */
  frames: number;
  bytes: number;
  /** Snapshots asked for because a frame did not fit. */
  resyncs: number;
}

export type RoomStatus = "playing" | "reconnecting" | "over";

/** The mirror differed from the server's state, which a checksum showed; a snapshot has put it right. */
export interface Desync {
  /** The tick whose checksum did not fit. */
  tick: number;
  component: Type | undefined;
  expected: number;
  got: number;
  /**
   * Entities whose component changed with the snapshot: those that were wrong, and any that changed in the moment
   * between. Empty when no snapshot came before the connection was lost.
   */
  entities: number[];
}
