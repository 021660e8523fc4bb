import type { PredictionStats } from "./accuracy.js";
import type { StepContext } from "./rollback.js";
import type { Type } from "./schema.js";

/** The shape of a game's types, as `--print-types <game>` prints and `/schema/<game>.d.ts` serves them. */
export interface GameTypes {
  components: object;
  events: object;
  commands?: object;
  input: unknown;
  /** The generated types omit the configuration. A program may add it. */
  config?: unknown;
}

/** A game's configuration, if its types include one. */
export type ConfigOf<G extends GameTypes> = G extends { config: infer C } ? C : Record<string, unknown>;

/** The types of a program without generated types: every name is accepted and every value is `any`. */
export interface AnyGame {
  components: Record<string, any>;
  events: Record<string, any>;
  commands: Record<string, any>;
  input: any;
  config: any;
}

/** The names of a game's components. */
export type ComponentName<G extends GameTypes> = keyof G["components"] & string;
/** The names of a game's events. */
export type EventName<G extends GameTypes> = keyof G["events"] & string;

/** The names of a game's commands. */
export type CommandName<G extends GameTypes> = keyof CommandsOf<G> & string;
/** The value of a command. */
export type CommandOf<G extends GameTypes, C extends CommandName<G>> = CommandsOf<G>[C];
type CommandsOf<G extends GameTypes> = G extends { commands: infer C } ? C : Record<never, never>;

/** An entity. Its components are properties, and a component that it lacks is `undefined`. */
export type EntityOf<G extends GameTypes> = { readonly id: number } & {
  readonly [C in ComponentName<G>]?: G["components"][C];
};

/** An entity of `room.view`, which has all of the requested components. */
export type Viewed<G extends GameTypes, C extends ComponentName<G>> = { readonly id: number } & {
  readonly [K in C]: G["components"][K];
};

/** A game's input. Omitted fields keep their value, and omitted one-shot fields stay unset. */
export type InputOf<G extends GameTypes> = G["input"] extends object ? Partial<G["input"]> : G["input"];

/**
 * One tick of the rules for the player's avatar: changes the components of `me`, with the whole input of that tick. It must not
 * change anything else, because the same tick is stepped again when the server's state differs.
 */
export type StepOf<G extends GameTypes, C extends ComponentName<G>> = (
  me: { readonly id: number } & { [K in C]: G["components"][K] },
  input: G["input"],
  context: StepContext<ConfigOf<G>>,
) => void;

/** Options of `room.predict`. */
export interface PredictOptions {
  /**
   * The distance, in the game's units, from which on an error is not drawn as a slide: the avatar has respawned, for example.
   * Default: every error slides.
   */
  snap?: number;
}

/**
 * How `room.spawns` foresees what the player's avatar spawns. `C` is the component that the spawned entities have, and `F` are the
 * components of the avatar from which that can be told.
 */
export interface SpawnOptions<G extends GameTypes, C extends ComponentName<G>, F extends ComponentName<G>> {
  from: F[];
  /**
   * The entities that the avatar spawns in a tick, by the value of their component: none in most ticks. `me` is the avatar after that
   * tick. It must not change anything, because the same tick is looked at several times.
   */
  spawn(me: Viewed<G, F>, tick: number): readonly G["components"][C][];
  /** The tick in which an entity was spawned. */
  born(value: G["components"][C]): number;
}

/** An entity of `room.spawns`, as it should be drawn now. */
export interface Spawned<T> {
  /** Stays the same while the entity is drawn. Negative for those of the player that were foreseen, which the server numbers later. */
  readonly id: number;
  /** The seat that it belongs to; 0 if it has none. */
  readonly seat: number;
  /** Whether it is drawn in the player's own time, ahead of the server. */
  readonly own: boolean;
  /** The value of its component. */
  readonly value: T;
  /** The moment at which it should be drawn, in ticks: the player's own time, or the one in which `view` draws others. */
  readonly tick: number;
  /** 1, and less while an entity fades that the server turns out not to have spawned. */
  readonly alpha: number;
}

/** A 2D vector. */
export interface Vec2 {
  x: number;
  y: number;
}

/** A 3D vector. */
export interface Vec3 extends Vec2 {
  z: number;
}

/** A taken seat of a room. */
export interface SeatInfo {
  seat: number;
  name: string;
  status: "playing" | "away" | "bot";
}

/** How strong bots play. */
export type Strength = "easy" | "normal" | "hard";

/** A room of the public list. `players` and `bots` have seats; `seats` is the number of all seats. */
export interface RoomInfo {
  room: string;
  game: string;
  players: number;
  bots: number;
  seats: number;
  /** How strong the bots play, if somebody chose that. Otherwise they are weaker against one player than against several. */
  strength?: Strength;
}

/** A game that the server hosts, with its tick rate, its range of seats, and its current rooms and players. */
export interface GameInfo {
  name: string;
  hz: number;
  seats: [min: number, max: number];
  rooms: number;
  players: number;
  /** The strengths that the bots can have, the weakest first; absent if there is nothing to choose. */
  strengths?: Strength[];
}

/** Filters and order for a search in the list of rooms. Every field is optional. */
export interface RoomSearch {
  game?: string;
  /** Whether a seat must be free. */
  open?: boolean;
  /** Values that the room's configuration must have. */
  config?: Record<string, unknown>;
  /** The order of the list: most players, most free seats, newest, or oldest. */
  sort?: "players" | "free" | "newest" | "oldest";
  limit?: number;
}

/** A chat channel. */
export type ChatChannel = "lobby" | "party" | "room" | "private";

/** A chat message. */
export interface ChatMessage {
  channel: ChatChannel;
  /** The id of the history that contains it. Each party and each room has its own. */
  id: string;
  /** The number of the message in that history, from 1. */
  seq: number;
  /** When it was sent, in milliseconds since 1970. */
  at: number;
  user: string;
  name: string;
  /** The recipient of a private message. */
  to?: string;
  text: string;
}

/** A player who is typing. */
export interface Typing {
  channel: ChatChannel;
  user: string;
  name: string;
}

/** The activity of a user. `name` is `null` for a user who has been absent for a while. */
export interface UserPresence {
  user: string;
  name: string | null;
  status: "online" | "queue" | "match" | "away" | "offline";
}

/** A member of a party. */
export interface PartyMember extends UserPresence {
  ready: boolean;
}

/** The state of a party. `seq` grows with every change. */
export interface PartyInfo {
  seq: number;
  party: string;
  /** The code by which friends join. */
  code: string;
  leader: string;
  members: PartyMember[];
}

/** An invitation to a party. */
export interface PartyInvite {
  party: string;
  code: string;
  from: UserPresence;
}

/** A waiting player's place in the queue of a game. */
export interface QueueStatus {
  game: string;
  mode: string;
  /** The place in the queue, from 1. A party has one place. */
  position: number;
  /** The number of waiting players. */
  waiting: number;
  /** The number of players in a match. */
  needed: number;
  /** How long the player has waited, in seconds. */
  waited: number;
  /** How long recent players waited for a match, in seconds; `null` if there were none. */
  estimate: number | null;
}

/** A match was found, and its players have `seconds` to confirm that they are ready. */
export interface ReadyCheck {
  check: number;
  game: string;
  mode: string;
  players: number;
  seconds: number;
}

/** How many players have accepted a ready check. */
export interface ReadyCount {
  check: number;
  accepted: number;
  players: number;
}

/** A ready check failed, so that its match is not played. */
export interface Unready {
  check: number;
  reason: "declined" | "timed_out" | (string & {});
  /** Whether the player is back in the queue, with the time that they have already waited. */
  requeued: boolean;
}

/** A skill estimate, which starts at 1500, and its standard deviation. */
export interface Rating {
  mode: string;
  rating: number;
  deviation: number;
}

/** A player with a high rating. */
export interface Leader {
  /** The user's id. */
  user: string;
  name: string;
  rating: number;
  deviation: number;
}

/** The inputs that the server has refused since its last report. */
export interface Refused {
  code: string;
  message: string;
  count: number;
}

/** A vote to remove the player in `seat`. `passed` is `null` while the vote is open. */
export interface Vote {
  seat: number;
  votes: number;
  needed: number;
  passed: boolean | null;
}

/**
 * How a room ended for this player. The server sends the first seven reasons. `expired` means that the seat was given up
 * while the connection was lost.
 */
export interface Over {
  reason:
    | "finished"
    | "rules_error"
    | "over_budget"
    | "closed"
    | "replaced"
    | "left"
    | "kicked"
    | "idle"
    | "expired"
    | (string & {});
  message: string;
  winners: number[];
}

/** Measurements of a room's connection. */
export interface RoomStats {
  /** The shortest recent round-trip time, in milliseconds. */
  rtt: number;
  /** The mean deviation of the frames' arrivals, in milliseconds. */
  jitter: number;
  /** The delay of `view` behind the server's time, in ticks. */
  delay: number;
  /** How many ticks ahead of the server's time inputs are targeted. */
  lead: number;
  /** How many ticks before its own tick the newest input came that the server has taken: 0 or less is too late. */
  margin: number;
  /** The number of state frames that were received. */
  frames: number;
  /** The size of those frames, in bytes. */
  bytes: number;
  /** Snapshots that were requested because a frame did not fit. */
  resyncs: number;
  /** Frames that came so late that the picture had passed what they tell, and jumped: `delay` was too short. */
  underruns: number;
  /** How well `predict` does; `undefined` without it. */
  prediction: PredictionStats | undefined;
}

/** The state of a room. `over` is final. */
export type RoomStatus = "playing" | "reconnecting" | "over";

/** A difference between the local and the server's state, found by a checksum and corrected by a snapshot. */
export interface Desync {
  /** The tick whose checksum differed. */
  tick: number;
  component: Type | undefined;
  expected: number;
  got: number;
  /**
   * The entities whose component the snapshot changed: those that were wrong, and any that changed in the meantime.
   * Empty if the connection was lost before a snapshot came.
   */
  entities: number[];
}
