// Messages of the server that more than one file reads.

import type { Schema } from "./schema.js";
import type { SeatInfo } from "./types.js";

/** What the lobby or the matchmaker answers: the pass into a seat. */
export interface Grant {
  ticket: string;
  url: string;
  room: string;
  /** Of a private room. */
  code?: string;
  /** Of a match with teams, from 1. */
  team?: number;
  /** Asks for another one, where the first cannot be resumed. */
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
  seats: SeatInfo[];
}
