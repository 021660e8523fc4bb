// Matchmaking: waits in a queue, answers ready checks, and takes the seat in the match.

import type { Channel } from "./channel.js";
import { open, request } from "./channel.js";
import { TickcastError } from "./errors.js";
import type { Grant } from "./messages.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import type { AnyGame, GameTypes, QueueStatus, Rating, ReadyCheck, ReadyCount, Unready } from "./types.js";

/** Callbacks while the player waits in a queue. */
export interface QueueOptions {
  /** Called on every change of the player's place in the queue. */
  onStatus?: (status: QueueStatus) => void;
  /**
   * Asks the player to confirm that they are ready. Return `false`, or a promise of it, to decline. Without this callback
   * every check is accepted. It is not called in modes that have no ready check.
   */
  onReadyCheck?: (check: ReadyCheck) => boolean | Promise<boolean>;
  /** Called when another player has accepted the ready check. */
  onReady?: (count: ReadyCount) => void;
  /** Called when others did not accept the ready check, and this player is back in the queue. */
  onUnready?: (unready: Unready) => void;
  /** Leaves the queue when aborted. The promise then rejects with the reason of the signal. */
  signal?: AbortSignal;
}

/** What kind of match to look for, and callbacks while waiting. */
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

  constructor(channel: Channel, timeout: number, takeSeat: TakeSeat) {
    this.#channel = channel;
    this.#timeout = timeout;
    this.#takeSeat = takeSeat;
  }

  /**
   * Waits in the queue of a game, and takes the seat in the match that is found. The leader of a party queues for all of
   * its members. Throws a `TickcastError`: `unready` if the player or their party did not accept a ready check,
   * `party_left` if another member left the queue or the party changed.
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
    options.signal?.throwIfAborted();
    await open(this.#channel, this.#timeout);
    return this.#takeSeat(await this.#matched(options, wish));
  }

  #matched({ onStatus, onReadyCheck, onReady, onUnready, signal }: QueueOptions, wish?: object): Promise<Grant> {
    return new Promise<Grant>((resolve, reject) => {
      const fail = (error: unknown): void => finish(() => reject(error));
      const enqueue = (): void => {
        if (!wish) return;
        this.#ask("enqueue", wish).catch((error: unknown) => {
          // The server removes a lost connection from the queue. `connect` then enqueues again.
          if (error instanceof TickcastError && error.code === "closed") return;
          fail(error);
        });
      };
      const aborted = (): void => {
        this.#ask("leave").catch(() => undefined);
        fail(signal?.reason);
      };
      const heard: Record<string, (argument: any) => void> = {
        matched: (grant: Grant) => finish(() => resolve(grant)),
        status: (news: QueueStatus) => onStatus?.(news),
        ready_check: (check: ReadyCheck) => void this.#answer(check, onReadyCheck).catch(fail),
        ready: (count: ReadyCount) => onReady?.(count),
        unready: (unready: Unready) => {
          if (unready.requeued) onUnready?.(unready);
          else
            fail(
              new TickcastError("unready", `the ready check was ${unready.reason}, and the player has left the queue`),
            );
        },
        left: () => fail(new TickcastError("party_left", "a member of the party has left the queue")),
        connect: enqueue,
      };
      const finish = (settle: () => void): void => {
        for (const [event, listener] of Object.entries(heard)) this.#channel.off(event, listener);
        signal?.removeEventListener("abort", aborted);
        settle();
      };
      for (const [event, listener] of Object.entries(heard)) this.#channel.on(event, listener);
      signal?.addEventListener("abort", aborted);
      if (signal?.aborted) aborted();
      else enqueue();
    });
  }

  /** Answers a ready check. A late answer is not an error: the server has sent `unready` then. */
  async #answer(check: ReadyCheck, onReadyCheck: QueueOptions["onReadyCheck"]): Promise<void> {
    const accepts = onReadyCheck ? await onReadyCheck(check) : true;
    try {
      await this.#ask(accepts ? "accept" : "decline", { check: check.check });
    } catch (error) {
      if (!(error instanceof TickcastError && (error.code === "unknown_check" || error.code === "closed"))) throw error;
    }
  }

  #ask(event: string, argument?: object): Promise<unknown> {
    return request(this.#channel, this.#timeout, event, argument);
  }
}
