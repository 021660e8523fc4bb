// One wait in a queue: from the request to the match that the server tells.

import type { Channel } from "./channel.js";
import type { TickcastError } from "./errors.js";
import type { Grant } from "./messages.js";
import type { TakeSeat } from "./seat.js";
import type { Tools } from "./tools.js";
import type { QueueStatus, ReadyCheck, ReadyCount, Unready } from "./types.js";

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

/** The surroundings of a queue. */
export interface QueueParts {
  channel: Channel;
  /** How long a request waits for its answer, in milliseconds. */
  timeout: number;
  takeSeat: TakeSeat;
  /** Aborted when the program closes the connection to the server. */
  closing: AbortSignal;
  tools: Tools;
}

/** Events with their arguments, in the order in which they came. */
export type Early = [event: string, argument: unknown][];

const RETRY_S = 1;

/** A player who waits for a match, over as many connections as that takes. */
export class Wait {
  readonly #parts: QueueParts;
  readonly #options: QueueOptions;
  /** The argument of `enqueue`; `undefined` for a member of a party, whose leader queues. */
  readonly #wish: object | undefined;
  #settle: { resolve(grant: Grant): void; reject(reason: unknown): void } | undefined;
  /** The match that the server has told, while the answer to a request is still on its way. */
  grant: Grant | undefined;
  #accepted = false;
  #asking: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #stopListening: (() => void) | undefined;
  #stopKeeping: (() => void) | undefined;

  constructor(parts: QueueParts, options: QueueOptions, wish?: object) {
    this.#parts = parts;
    this.#options = options;
    this.#wish = wish;
  }

  /** Whether the server may count the player as waiting, or as matched. */
  get isPlaced(): boolean {
    return this.#wish === undefined || this.#asking !== undefined;
  }

  /** Takes what the server said early, connects, queues, and resolves with the match. */
  start(early: Early): Promise<Grant> {
    const { channel, tools } = this.#parts;
    const found = new Promise<Grant>((resolve, reject) => (this.#settle = { resolve, reject }));
    const listeners: Record<string, (argument: any) => void> = {
      connect: () => this.#enqueue(),
      matched: (grant: Grant) => this.#matched(grant),
      status: (news: QueueStatus) => this.#options.onStatus?.(news),
      ready_check: (check: ReadyCheck) => void this.#answer(check).catch((error: unknown) => this.fail(error)),
      ready: (count: ReadyCount) => this.#options.onReady?.(count),
      unready: (unready: Unready) => this.#unready(unready),
      left: () => this.fail(new tools.TickcastError("party_left", "a member of the party has left the queue")),
    };
    // A player whose seat is reserved is told of it as soon as the channel is connected.
    this.#stopListening = tools.listen(channel, listeners);
    for (const [event, argument] of early) listeners[event]?.(argument);
    this.#connect().catch((error: unknown) => this.fail(error));
    return found;
  }

  /** Ends the wait with an error. Does nothing if it has ended. */
  fail(reason: unknown): void {
    this.#finish()?.reject(reason);
  }

  async #connect(): Promise<void> {
    const { channel, timeout, tools } = this.#parts;
    if (channel.connected) this.#enqueue();
    else await tools.open(channel, timeout);
    if (this.#settle) this.#stopKeeping = tools.keepConnected(channel, (reason) => this.fail(reason));
  }

  #finish(): { resolve(grant: Grant): void; reject(reason: unknown): void } | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    clearTimeout(this.#retry);
    this.#stopKeeping?.();
    this.#stopListening?.();
    return settle;
  }

  #enqueue(): void {
    clearTimeout(this.#retry);
    if (!this.#wish || this.grant) return;
    this.#asking = this.#ask("enqueue", this.#wish).then(
      () => void (this.#accepted = true),
      (error: unknown) => this.#notQueued(error),
    );
  }

  #notQueued(error: unknown): void {
    if (this.grant || !this.#settle) return;
    const { codeOf, isTemporary } = this.#parts.tools;
    const code = codeOf(error);
    // `connect` enqueues again.
    if (code === "closed") return;
    // The first refusal is an answer to the program. After that, the player waits until the server says that they do not.
    if (this.#accepted && code === "already_queued") return;
    if (!this.#accepted || !isTemporary(error)) {
      this.fail(error);
      return;
    }
    const { retryAfter = RETRY_S } = error as TickcastError;
    this.#retry = setTimeout(() => this.#enqueue(), 1_000 * retryAfter);
  }

  /**
   * Takes the match once no request is on its way: the server would take one that arrives after the seat was taken as a wish
   * for another match.
   */
  #matched(grant: Grant): void {
    const isFirst = this.grant === undefined;
    this.grant = grant;
    const take = (): void => this.#finish()?.resolve(this.grant ?? grant);
    if (!this.#asking) take();
    else if (isFirst) void this.#asking.then(take);
  }

  #unready(unready: Unready): void {
    if (unready.requeued) this.#options.onUnready?.(unready);
    else
      this.fail(
        new this.#parts.tools.TickcastError(
          "unready",
          `the ready check was ${unready.reason}, and the player has left the queue`,
        ),
      );
  }

  /** Answers a ready check. A late answer is not an error: the server has sent `unready` then. */
  async #answer(check: ReadyCheck): Promise<void> {
    const { onReadyCheck } = this.#options;
    const accepts = onReadyCheck ? await onReadyCheck(check) : true;
    try {
      await this.#ask(accepts ? "accept" : "decline", { check: check.check });
    } catch (error) {
      const { codeOf, isTemporary } = this.#parts.tools;
      // The server asks again if the answer was lost with its connection.
      if (codeOf(error) !== "unknown_check" && !isTemporary(error)) throw error;
    }
  }

  #ask(event: string, argument: object): Promise<unknown> {
    const { channel, timeout, tools } = this.#parts;
    return tools.request(channel, timeout, event, argument);
  }
}
