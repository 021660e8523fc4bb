// The queue: wait until there are others for a match, and say that you are there when it is found.

import type { Channel } from "./channel.js";
import { open, request } from "./channel.js";
import { TickcastError } from "./errors.js";
import type { Grant } from "./messages.js";
import type { Room } from "./room.js";
import type { TakeSeat } from "./seat.js";
import type { AnyGame, GameTypes, QueueStatus, Rating, ReadyCheck, ReadyCount, Unready } from "./types.js";

export interface QueueOptions {
  /** Hears of every move of the queue. */
  onStatus?: (status: QueueStatus) => void;
  /**
   * Asks the player whether they are there; `false`, or a promise of it, declines. Modes without a ready check never ask,
   * and a program without this callback is always there.
   */
  onReadyCheck?: (check: ReadyCheck) => boolean | Promise<boolean>;
  /** Hears how many of those who are asked are there. */
  onReady?: (count: ReadyCount) => void;
  /** Hears that others were not there, and that the player waits again. */
  onUnready?: (unready: Unready) => void;
  /** Leaves the queue when it is aborted; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface EnqueueOptions extends QueueOptions {
  /** The game's default mode unless told. */
  mode?: string;
  /** What must be the same for all in a match, where the mode has such properties. */
  properties?: Record<string, string | number | boolean | null>;
  /** Round-trip times to the mode's regions, in milliseconds. */
  regions?: Record<string, number>;
}

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
   * Waits in the queue of a game and takes a seat in the match that comes of it. One queue at a time; the leader of a party
   * queues for all. Rejects with `unready` when the player, or their party, is not there when asked, and with `party_left`
   * when another member leaves the queue, or the party changes.
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

  /** The player's skill in a mode of a game. */
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
          // A connection that ends leaves the queue; the next one enqueues again.
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
          else fail(new TickcastError("unready", `the ready check was ${unready.reason}, and you have left the queue`));
        },
        left: () => fail(new TickcastError("party_left", "a member of your party has left the queue")),
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

  /** Says whether the player is there. Too late is no fault: the server says `unready` then. */
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
