// The queue: wait until enough players want the same game.

import { TickcastError } from "./errors.js";
import type { Channel } from "./link.js";
import { open, request } from "./link.js";
import type { Grant, TakeSeat } from "./lobby.js";
import type { Room } from "./room.js";
import type { AnyGame, GameTypes, QueueStatus } from "./types.js";

export interface EnqueueOptions {
  /** Hears of every move of the queue. */
  onStatus?: (status: QueueStatus) => void;
  /** Leaves the queue when it is aborted; `enqueue` then rejects with the signal's reason. */
  signal?: AbortSignal;
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

  /** Waits in the queue of a game and takes a seat in the match that comes of it. One queue at a time. */
  async enqueue<G extends GameTypes = AnyGame>(game: string, options: EnqueueOptions = {}): Promise<Room<G>> {
    options.signal?.throwIfAborted();
    await open(this.#channel, this.#timeout);
    return this.#takeSeat(await this.#matched(game, options));
  }

  #matched(game: string, { onStatus, signal }: EnqueueOptions): Promise<Grant> {
    const channel = this.#channel;
    return new Promise<Grant>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        channel.off("matched", matched);
        channel.off("status", status);
        channel.off("connect", enqueue);
        signal?.removeEventListener("abort", aborted);
        settle();
      };
      const matched = (grant: Grant): void => finish(() => resolve(grant));
      const status = (news: QueueStatus): void => onStatus?.(news);
      const aborted = (): void => {
        this.#ask("leave").catch(() => undefined);
        finish(() => reject(signal?.reason));
      };
      const enqueue = (): void => {
        this.#ask("enqueue", { game }).catch((error: unknown) => {
          // A connection that ends leaves the queue; the next one enqueues again.
          if (error instanceof TickcastError && error.code === "closed") return;
          finish(() => reject(error));
        });
      };
      channel.on("matched", matched);
      channel.on("status", status);
      channel.on("connect", enqueue);
      signal?.addEventListener("abort", aborted);
      if (signal?.aborted) aborted();
      else enqueue();
    });
  }

  #ask(event: string, argument?: object): Promise<unknown> {
    return request(this.#channel, this.#timeout, event, argument);
  }
}
