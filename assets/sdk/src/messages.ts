// Server messages that several files read.

import type { Schema } from "./schema.js";
import type { SeatInfo } from "./types.js";

/** The answer of the lobby or the matchmaker that lets this client take a seat. */
export interface Grant {
  ticket: string;
  url: string;
  room: string;
  /** The code of a private room. */
  code?: string;
  /** The player's team, from 1, in a match with teams. */
  team?: number;
  /** The game and the mode of a match from the queue. */
  game?: string;
  mode?: string;
  /** Requests another grant. Spectators need one after a lost connection, because they have no seat to resume. */
  renew?: () => Promise<Grant>;
}

/** The first event of every connection to `/gameplay`. */
export interface Welcome {
  seat: number;
  room: string;
  game: string;
  protocol: number;
  tick: number;
  hz: number;
  schema: Schema;
  resume: string;
  state: "snapshot" | "diff";
  grace: number;
  config: unknown;
  /** The number of teams, to which the seats are dealt in turn; 0 if everybody plays for themselves. */
  teams: number;
  seats: SeatInfo[];
  /** The number of the newest command that was taken from the seat, in games with commands. */
  commands?: number;
  /** The hash of the module of rules that the server has for the game. */
  rules?: string;
}
