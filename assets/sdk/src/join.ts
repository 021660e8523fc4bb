// From a ticket to a seat: the first connection to `/gameplay`.

import { refusal, TickcastError } from "./errors.js";
import type { GameplayChannel, Link } from "./link.js";
import type { Grant } from "./lobby.js";
import { Room } from "./room.js";
import type { Schema } from "./schema.js";
import type { GameTypes, SeatInfo } from "./types.js";

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

/** A ticket is good for 30 s; after that there is nothing to wait for. */
const TICKET_MS = 30_000;

/** Takes the seat. Throws a `TickcastError` if the server refuses the ticket or cannot be reached while it is good. */
export async function takeSeat<G extends GameTypes>(link: Link, grant: Grant): Promise<Room<G>> {
  const line = link.gameplay();
  try {
    return await sit<G>(line, grant);
  } catch (error) {
    line.release();
    throw error;
  }
}

function sit<G extends GameTypes>(line: GameplayChannel, grant: Grant): Promise<Room<G>> {
  const { channel } = line;
  channel.auth = { ticket: grant.ticket };
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      channel.off("welcome", welcomed);
      channel.off("connect_error", failed);
      settle();
    };
    // The room is made at once: the frames that follow the welcome are for it.
    const welcomed = (welcome: Welcome): void => finish(() => resolve(new Room<G>(line, welcome, grant)));
    const failed = (error: Error): void => {
      const refused = refusal(error);
      if (refused) finish(() => reject(refused));
    };
    const timer = setTimeout(
      () => finish(() => reject(new TickcastError("unreachable", "no welcome while the ticket was good"))),
      TICKET_MS,
    );
    channel.on("welcome", welcomed);
    channel.on("connect_error", failed);
    channel.connect();
  });
}
