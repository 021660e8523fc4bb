// Takes a seat with a ticket: the first connection to `/gameplay`.

import type { SeatChannel } from "./channel.js";
import type { Connections } from "./connections.js";
import { refusal, TickcastError } from "./errors.js";
import type { Grant, Welcome } from "./messages.js";
import { Room } from "./room.js";
import type { GameTypes } from "./types.js";

/** Takes the seat that a grant names. */
export type TakeSeat = <G extends GameTypes>(grant: Grant) => Promise<Room<G>>;

/** A ticket is valid for 30 s. */
const TICKET_MS = 30_000;

/** Takes the seat. Throws a `TickcastError` if the server refuses the ticket, or cannot be reached while it is valid. */
export async function takeSeat<G extends GameTypes>(connections: Connections, grant: Grant): Promise<Room<G>> {
  const seatChannel = connections.gameplay();
  try {
    return await waitForWelcome<G>(seatChannel, grant);
  } catch (error) {
    seatChannel.release();
    throw error;
  }
}

function waitForWelcome<G extends GameTypes>(seatChannel: SeatChannel, grant: Grant): Promise<Room<G>> {
  const { channel } = seatChannel;
  channel.auth = { ticket: grant.ticket };
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      channel.off("welcome", welcomed);
      channel.off("connect_error", failed);
      settle();
    };
    // The room is created in this very event, because the frames that follow are addressed to it.
    const welcomed = (welcome: Welcome): void => finish(() => resolve(new Room<G>(seatChannel, welcome, grant)));
    const failed = (error: Error): void => {
      const refused = refusal(error);
      if (refused) finish(() => reject(refused));
    };
    const timer = setTimeout(
      () =>
        finish(() =>
          reject(new TickcastError("unreachable", "the server sent no welcome while the ticket was valid (30 s)")),
        ),
      TICKET_MS,
    );
    channel.on("welcome", welcomed);
    channel.on("connect_error", failed);
    channel.connect();
  });
}
