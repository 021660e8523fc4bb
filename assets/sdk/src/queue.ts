// Waits in a queue, and takes the seat in the match. Loaded when a program first queues.

import type { Grant } from "./messages.js";
import type { Room } from "./room.js";
import type { GameTypes } from "./types.js";
import type { Early, QueueOptions, QueueParts } from "./wait.js";
import { Wait } from "./wait.js";

/** The waits of one player, one at a time. */
export class Queue {
  readonly #parts: QueueParts;
  #stopLeaving: () => void = () => undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Waits for a match, and takes the seat. `early` has what the server said before. */
  async wait<G extends GameTypes>(
    options: QueueOptions,
    wish: object | undefined,
    signal: AbortSignal,
    early: Early,
  ): Promise<Room<G>> {
    const grant = await this.#match(new Wait(this.#parts, options, wish), signal, early);
    return this.#sit<G>(grant, signal);
  }

  async #match(wait: Wait, signal: AbortSignal, early: Early): Promise<Grant> {
    const { closing, tools } = this.#parts;
    this.#stopLeaving();
    const aborted = (): void => {
      if (wait.grant) this.#giveUp(wait.grant);
      // The server takes out a player who has no connection left.
      else if (wait.isPlaced && !closing.aborted) this.#leave();
      wait.fail(signal.reason);
    };
    if (signal.aborted) {
      wait.grant = early.flatMap(([event, grant]) => (event === "matched" ? [grant as Grant] : [])).at(-1);
      aborted();
      throw signal.reason;
    }
    signal.addEventListener("abort", aborted);
    try {
      return await wait.start(early);
    } catch (error) {
      // The request may have arrived, and only its answer is missing.
      if (tools.codeOf(error) === "timeout" && wait.isPlaced) this.#leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", aborted);
    }
  }

  /** Takes the seat. A player whose line breaks before they have it is told the match again, with a fresh ticket. */
  async #sit<G extends GameTypes>(grant: Grant, signal: AbortSignal): Promise<Room<G>> {
    const { channel, takeSeat, tools } = this.#parts;
    const toldAgain = ({ room, ticket }: Grant): void => {
      if (room === grant.room) grant.ticket = ticket;
    };
    const stop = tools.listen(channel, { matched: toldAgain });
    try {
      return await takeSeat<G>(grant, signal);
    } finally {
      stop();
    }
  }

  /**
   * Leaves the queue. If the connection is lost, leaves it on the next one, because the server may not know that the old one
   * is dead. A match that was already on its way is given up.
   */
  #leave(): void {
    const { channel, timeout, tools } = this.#parts;
    this.#stopLeaving();
    const leave = (): void => {
      tools.request(channel, timeout, "leave").then(stop, (error: unknown) => {
        if (tools.codeOf(error) !== "closed" && tools.codeOf(error) !== "timeout") stop();
      });
    };
    const stop = tools.listen(channel, { connect: leave, matched: (grant: Grant) => this.#giveUp(grant) });
    this.#stopLeaving = stop;
    if (channel.connected) leave();
  }

  /** Frees a seat that nobody will take, which would stay reserved otherwise. */
  #giveUp(grant: Grant): void {
    this.#parts.takeSeat(grant).then(
      (room) => room.leave(),
      () => undefined,
    );
  }
}
