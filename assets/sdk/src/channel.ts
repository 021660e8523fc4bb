// The part of a Socket.IO client socket that the SDK uses: connecting to a namespace, and requests with an answer.

import { isTemporary, messageOf, refusal, TickcastError } from "./errors.js";

/** A Socket.IO client socket, reduced to what the SDK uses, so that tests can replace it. */
export interface Channel {
  readonly connected: boolean;
  /** Whether the socket is connected or connecting. */
  readonly active: boolean;
  auth: object | ((give: (auth: object) => void) => void);
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  timeout(ms: number): { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> };
  connect(): unknown;
  disconnect(): unknown;
}

/** A channel to `/gameplay` that one seat uses at a time. */
export interface SeatChannel {
  channel: Channel;
  /** How long a request waits for its answer, in milliseconds. */
  timeout: number;
  /** Whether the transport takes no more for now, so that what is sent waits in this program. */
  isSaturated(): boolean;
  /** The address of a file of the server. */
  address(file: string): string;
  /** Closes the underlying transport, so that Socket.IO opens a new one. */
  cut(): void;
  /**
   * Opens another connection, to which the channel moves as soon as it is there. Does nothing if WebSockets do not pass. Returns a
   * function that gives the attempt up, if the channel has not moved.
   */
  tryAnother(): () => void;
  /** Disconnects the channel and makes it available to another seat. */
  release(): void;
}

const RETRY_MS = 1_000;

/** Adds listeners by event. Returns a function that removes them. */
export function listen(channel: Channel, listeners: Record<string, (argument: any) => void>): () => void {
  const all = Object.entries(listeners);
  for (const [event, listener] of all) channel.on(event, listener);
  return () => {
    for (const [event, listener] of all) channel.off(event, listener);
  };
}

/** Repeats something that may fail until it succeeds, once a second. */
export class Retry {
  readonly #act: () => unknown;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(act: () => unknown) {
    this.#act = act;
  }

  /** Acts now. `first` acts in its own way, once. */
  async start(first = this.#act): Promise<void> {
    this.stop();
    try {
      await first();
    } catch {
      this.later();
    }
  }

  /** Acts after a second. */
  later(): void {
    this.stop();
    this.#timer = setTimeout(() => void this.start(), RETRY_MS);
  }

  /** Stops repeating. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Connects to the namespace. Throws a `TickcastError` if the server refuses, or is not reached within `timeout` ms. */
export async function open(channel: Channel, timeout: number): Promise<void> {
  if (channel.connected) return;
  await new Promise<void>((resolve, reject) => {
    let last = "no answer";
    const finish = (error?: TickcastError): void => {
      clearTimeout(timer);
      stop();
      if (error) {
        channel.disconnect();
        reject(error);
      } else {
        resolve();
      }
    };
    const unreachable = (): TickcastError => new TickcastError("unreachable", `cannot connect: ${last}`);
    const timer = setTimeout(() => finish(unreachable()), timeout);
    const stop = listen(channel, {
      connect: () => finish(),
      connect_error: (error: Error) => {
        last = error.message;
        // An active channel means that an earlier listener has already started another attempt.
        if (!channel.active) finish(refusal(error) ?? unreachable());
      },
    });
    // A socket that is already connecting would send its CONNECT twice.
    if (!channel.active) channel.connect();
  });
}

/**
 * Connects an open channel again where Socket.IO would not: after the server has closed the namespace, and after a temporary
 * refusal. Calls `ended` once with the reason if the server refuses for good. Returns a function that stops all of this.
 */
export function keepConnected(channel: Channel, ended: (reason: TickcastError) => void): () => void {
  const reconnect = new Retry(() => channel.connect());
  const end = (reason: TickcastError): void => {
    stop();
    ended(reason);
  };
  const unlisten = listen(channel, {
    ended: ({ code, message }: { code: string; message: string }) => end(new TickcastError(code, message)),
    disconnect: (reason: string) => {
      // Socket.IO restores a lost transport, but not a namespace that the server has closed.
      if (reason === "io server disconnect") reconnect.later();
    },
    connect_error: (error: Error) => {
      // An active channel is being connected again already: Socket.IO retries, or a forgotten guest comes as a new one.
      if (channel.active) return;
      const refused = refusal(error);
      if (!refused || isTemporary(refused)) reconnect.later();
      else end(refused);
    },
  });
  const stop = (): void => {
    reconnect.stop();
    unlisten();
  };
  return stop;
}

interface Answer {
  ok?: boolean;
  error?: { code?: string; message?: string; retry_after?: number };
}

/** Sends a request and returns the answer. Throws a `TickcastError` if the server refuses or does not answer in time. */
export async function request<T>(channel: Channel, timeout: number, event: string, argument?: object): Promise<T> {
  let answer: unknown;
  try {
    const asked = channel.timeout(timeout);
    answer = await (argument ? asked.emitWithAck(event, argument) : asked.emitWithAck(event));
  } catch (error) {
    throw messageOf(error).includes("timed out")
      ? new TickcastError("timeout", `the server sent no answer to ${event} within ${timeout} ms`)
      : new TickcastError("closed", `the connection closed before the answer to ${event}`);
  }
  const { ok, error } = (answer ?? {}) as Answer;
  if (ok === true) return answer as T;
  const message = error?.message ?? `the server sent no valid answer to ${event}`;
  throw new TickcastError(error?.code ?? "internal", message, error?.retry_after);
}

/** Sends a request on a channel, as `request` does. */
export type Ask = <T>(event: string, argument?: object) => Promise<T>;
