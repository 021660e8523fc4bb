// Takes a seat with a ticket: the first connection to `/gameplay`.

import type { SeatChannel } from "./channel.js";
import { keepConnected, listen, request } from "./channel.js";
import type { Connections } from "./connections.js";
import { refusal, TickcastError } from "./errors.js";
import type { Grant, Welcome } from "./messages.js";
import { Room } from "./room.js";
import type { GameTypes, Over } from "./types.js";

/** Takes the seat that a grant names. Gives it up if `signal` is aborted. */
export type TakeSeat = <G extends GameTypes>(grant: Grant, signal?: AbortSignal) => Promise<Room<G>>;

/** A ticket is valid for 30 s. */
const TICKET_MS = 30_000;
/** How long an attempt that was given up may go on, so that it can leave the seat. */
const LEAVE_MS = 2_000;

/**
 * Takes the seat. A fresh ticket that is put into the grant meanwhile is used for the next attempt. Throws a `TickcastError`
 * if the server refuses the ticket, or cannot be reached while it is valid, and the reason of the signal if that is aborted.
 */
export async function takeSeat<G extends GameTypes>(
  connections: Pick<Connections, "gameplay">,
  grant: Grant,
  signal: AbortSignal,
): Promise<Room<G>> {
  signal.throwIfAborted();
  const seatChannel = connections.gameplay();
  try {
    return await waitForWelcome<G>(seatChannel, grant, signal);
  } catch (error) {
    if (signal.aborted) leaveSeat(seatChannel);
    else seatChannel.release();
    throw error;
  }
}

function waitForWelcome<G extends GameTypes>(
  seatChannel: SeatChannel,
  grant: Grant,
  signal: AbortSignal,
): Promise<Room<G>> {
  const { channel } = seatChannel;
  return new Promise((resolve, reject) => {
    let stopKeeping: () => void = () => undefined;
    let shown = grant.ticket;
    channel.auth = (give): void => {
      shown = grant.ticket;
      give({ ticket: shown });
    };
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      stopKeeping();
      signal.removeEventListener("abort", aborted);
      stopListening();
      settle();
    };
    // The room is created in this very event, because the frames that follow are addressed to it.
    const welcomed = (welcome: Welcome): void => finish(() => resolve(new Room<G>(seatChannel, welcome, grant)));
    const aborted = (): void => finish(() => reject(signal.reason));
    // The seat was given up, or its room has ended, since the server took the ticket. Then it closes the namespace.
    const ended = ({ message }: Over): void => {
      const reason = refusal(new Error(message)) ?? new TickcastError("ticket_expired", message);
      if (grant.ticket === shown) finish(() => reject(reason));
    };
    const keep = (): void => {
      stopKeeping = keepConnected(channel, (refused) => {
        if (grant.ticket === shown) return finish(() => reject(refused));
        keep();
        channel.connect();
      });
    };
    const late = (): void => {
      const text = `the server sent no welcome within ${TICKET_MS} ms`;
      finish(() => reject(new TickcastError("unreachable", text)));
    };
    const timer = setTimeout(late, TICKET_MS);
    signal.addEventListener("abort", aborted);
    const stopListening = listen(channel, { welcome: welcomed, over: ended });
    keep();
    channel.connect();
  });
}

/** Leaves the seat that an attempt on its way may still get. It would count as taken until the grace time is over. */
function leaveSeat(seatChannel: SeatChannel): void {
  const { channel } = seatChannel;
  const done = (): void => {
    clearTimeout(timer);
    stop();
    seatChannel.release();
  };
  const leave = (): void => void request(channel, LEAVE_MS, "leave").then(done, done);
  const timer = setTimeout(done, LEAVE_MS);
  const stop = listen(channel, { welcome: leave, connect_error: done });
}
