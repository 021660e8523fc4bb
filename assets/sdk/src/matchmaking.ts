// Matchmaking: waits in a queue, answers ready checks, and takes the seat in the match.

import type { Channel } from "./channel.js";
import { listen, open, request } from "./channel.js";
import { codeOf } from "./errors.js";
import type { Grant } from "./messages.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import type { AnyGame, GameTypes, Rating } from "./types.js";
import type { QueueOptions } from "./wait.js";
import { Wait } from "./wait.js";

/** The kind of match to look for, and callbacks while waiting. */
export interface EnqueueOptions extends QueueOptions {
  /** The mode of the game. Default: the game's default mode. */
  mode?: string;
  /** Values that all players of a match must share, if the mode defines such properties. */
  properties?: Record<string, string | number | boolean | null>;
  /** Round-trip times to the regions of the mode, in milliseconds. */
  regions?: Record<string, number>;
}

/** The queues of a server. A player waits in one queue at a time. */
export class Matchmaking {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #takeSeat: TakeSeat;
  readonly #closing: AbortSignal;
  #stopLeaving: () => void = () => undefined;

  /** `closing` is aborted when the program closes the connection to the server. */
  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat, closing: AbortSignal) {
    this.#channel = channel;
    this.#timeout = timeout;
    this.#takeSeat = takeSeat;
    this.#closing = closing;
  }

  /**
   * Waits in the queue of a game, and takes the seat in the match that is found. The leader of a party queues for all of
   * its members. A lost connection keeps the place. Throws a `TickcastError`: `unready` if the player or their party did not
   * accept a ready check, `party_left` if another member left the queue or the party changed, `closed` after `server.close()`.
   *
   * @example
   * ```ts
   * const cancel = new AbortController();
   * cancelButton.onclick = () => cancel.abort();
   * const room = await server.matchmaking.enqueue("arena", {
   *   mode: "2v2",
   *   signal: cancel.signal,
   *   onStatus: ({ waiting, needed }) => showQueue(`${waiting} of ${needed} players`),
   *   onReadyCheck: ({ seconds }) => confirmDialog(`Ready? ${seconds} s`), // true or false
   * });
   * ```
   */
  async enqueue<G extends GameTypes = AnyGame>(game: string, options: EnqueueOptions = {}): Promise<Room<G>> {
    const { mode, properties, regions } = options;
    const wish = {
      game,
      ...(mode !== undefined && { mode }),
      ...(properties && { properties }),
      ...(regions && { regions }),
    };
    return this.#wait(options, wish);
  }

  /** Waits for the match that the leader of the player's party queues for. */
  async follow<G extends GameTypes = AnyGame>(options: QueueOptions = {}): Promise<Room<G>> {
    return this.#wait(options);
  }

  /** Fetches the player's rating in a mode of a game. */
  async rating(game: string, mode?: string): Promise<Rating> {
    await open(this.#channel, this.#timeout);
    return request<Rating>(this.#channel, this.#timeout, "rating", mode === undefined ? { game } : { game, mode });
  }

  async #wait<G extends GameTypes>(options: QueueOptions, wish?: object): Promise<Room<G>> {
    const signal = AbortSignal.any([this.#closing, ...(options.signal ? [options.signal] : [])]);
    signal.throwIfAborted();
    const grant = await this.#match(new Wait(this.#channel, this.#timeout, options, wish), signal);
    return this.#sit<G>(grant, signal);
  }

  async #match(wait: Wait, signal: AbortSignal): Promise<Grant> {
    this.#stopLeaving();
    const aborted = (): void => {
      if (wait.grant) this.#giveUp(wait.grant);
      // The server takes out a player who has no connection left.
      else if (wait.isPlaced && !this.#closing.aborted) this.#leave();
      wait.fail(signal.reason);
    };
    signal.addEventListener("abort", aborted);
    try {
      return await wait.start();
    } catch (error) {
      // The request may have arrived, and only its answer is missing.
      if (codeOf(error) === "timeout" && wait.isPlaced) this.#leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", aborted);
    }
  }

  /** Takes the seat. A player whose line breaks before they have it is told the match again, with a fresh ticket. */
  async #sit<G extends GameTypes>(grant: Grant, signal: AbortSignal): Promise<Room<G>> {
    const toldAgain = ({ room, ticket }: Grant): void => {
      if (room === grant.room) grant.ticket = ticket;
    };
    const stop = listen(this.#channel, { matched: toldAgain });
    try {
      return await this.#takeSeat<G>(grant, signal);
    } finally {
      stop();
    }
  }

  /**
   * Leaves the queue. If the connection is lost, leaves it on the next one, because the server may not know that the old one
   * is dead. A match that was already on its way is given up.
   */
  #leave(): void {
    this.#stopLeaving();
    const leave = (): void => {
      request(this.#channel, this.#timeout, "leave").then(stop, (error: unknown) => {
        if (codeOf(error) !== "closed" && codeOf(error) !== "timeout") stop();
      });
    };
    const stop = listen(this.#channel, { connect: leave, matched: (grant: Grant) => this.#giveUp(grant) });
    this.#stopLeaving = stop;
    if (this.#channel.connected) leave();
  }

  /** Frees a seat that nobody will take, which would stay reserved otherwise. */
  #giveUp(grant: Grant): void {
    this.#takeSeat(grant).then(
      (room) => room.leave(),
      () => undefined,
    );
  }
}
