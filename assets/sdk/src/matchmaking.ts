// Matchmaking: waits in a queue, answers ready checks, and takes the seat in the match.

import type { Channel } from "./channel.js";
import { listen, open, request } from "./channel.js";
import { loadLobby } from "./lobby_later.js";
import type { Queue } from "./queue.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import { TOOLS } from "./tools.js";
import type { AnyGame, GameTypes, Leader, Rating } from "./types.js";
import type { Early, QueueOptions, QueueParts } from "./wait.js";

/** The events of a wait. */
const QUEUE_EVENTS = ["matched", "status", "ready_check", "ready", "unready", "left"];

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
  readonly #parts: QueueParts;
  #queue: Queue | undefined;

  /** `closing` is aborted when the program closes the connection to the server. */
  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat, closing: AbortSignal) {
    this.#parts = { channel, timeout, takeSeat, closing, tools: TOOLS };
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
  rating(game: string, mode?: string): Promise<Rating> {
    return this.#ask<Rating>("rating", game, mode);
  }

  /** Fetches the players with the highest ratings in a mode of a game, the highest first: at most 50. */
  async leaders(game: string, mode?: string): Promise<Leader[]> {
    return (await this.#ask<{ leaders: Leader[] }>("leaders", game, mode)).leaders;
  }

  async #ask<T extends object>(event: string, game: string, mode?: string): Promise<T> {
    const { channel, timeout } = this.#parts;
    await open(channel, timeout);
    return request<T>(channel, timeout, event, { game, ...(mode !== undefined && { mode }) });
  }

  async #wait<G extends GameTypes>(options: QueueOptions, wish?: object): Promise<Room<G>> {
    const { channel, closing } = this.#parts;
    const signal = AbortSignal.any([closing, ...(options.signal ? [options.signal] : [])]);
    signal.throwIfAborted();
    const early: Early = [];
    const note = (event: string) => [event, (argument: unknown) => void early.push([event, argument])];
    const stop = listen(channel, Object.fromEntries(QUEUE_EVENTS.map(note)));
    const waiting = loadLobby()
      .finally(stop)
      .then(({ Queue }) => (this.#queue ??= new Queue(this.#parts)).wait<G>(options, wish, signal, early));
    return new Promise((resolve, reject) => {
      // Before the code is there, nobody else looks at the signal.
      const abort = (): void => reject(signal.reason);
      signal.addEventListener("abort", abort);
      waiting.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }
}
