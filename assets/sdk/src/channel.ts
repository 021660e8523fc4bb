// The part of a Socket.IO client socket that the SDK uses: connecting to a namespace, and requests with an answer.

import { isTemporary, refusal, TickcastError } from "./errors.js";

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
  /** Disconnects the channel and makes it available to another seat. */
  release(): void;
}

const RETRY_MS = 1_000;

/** Connects to the namespace. Throws a `TickcastError` if the server refuses, or is not reached within `timeout` ms. */
export async function open(channel: Channel, timeout: number): Promise<void> {
  if (channel.connected) return;
  await new Promise<void>((resolve, reject) => {
    let last = "no answer";
    const finish = (error?: TickcastError): void => {
      clearTimeout(timer);
      channel.off("connect", done);
      channel.off("connect_error", failed);
      if (error) {
        channel.disconnect();
        reject(error);
      } else {
        resolve();
      }
    };
    const done = (): void => finish();
    const failed = (error: Error): void => {
      last = error.message;
      // An active channel means that an earlier listener has already started another attempt.
      if (!channel.active) finish(refusal(error) ?? unreachable());
    };
    const unreachable = (): TickcastError => new TickcastError("unreachable", `cannot connect: ${last}`);
    const timer = setTimeout(() => finish(unreachable()), timeout);
    channel.on("connect", done);
    channel.on("connect_error", failed);
    // A socket that is already connecting would send its CONNECT twice.
    if (!channel.active) channel.connect();
  });
}

/**
 * Connects an open channel again where Socket.IO would not: after the server has closed the namespace, and after a temporary
 * refusal. Calls `ended` once with the reason if the server refuses for good. Returns a function that stops all of this.
 */
export function keepConnected(channel: Channel, ended: (reason: TickcastError) => void): () => void {
  let retry: ReturnType<typeof setTimeout> | undefined;
  const reconnectSoon = (): void => {
    clearTimeout(retry);
    retry = setTimeout(() => channel.connect(), RETRY_MS);
  };
  const end = (reason: TickcastError): void => {
    stop();
    ended(reason);
  };
  const heard: Record<string, (argument: any) => void> = {
    ended: ({ code, message }: { code: string; message: string }) => end(new TickcastError(code, message)),
    disconnect: (reason: string) => {
      // Socket.IO restores a lost transport, but not a namespace that the server has closed.
      if (reason === "io server disconnect") reconnectSoon();
    },
    connect_error: (error: Error) => {
      // An active channel is being connected again already: Socket.IO retries, or a forgotten guest comes as a new one.
      if (channel.active) return;
      const refused = refusal(error);
      if (!refused || isTemporary(refused)) reconnectSoon();
      else end(refused);
    },
  };
  const stop = (): void => {
    clearTimeout(retry);
    for (const [event, listener] of Object.entries(heard)) channel.off(event, listener);
  };
  for (const [event, listener] of Object.entries(heard)) channel.on(event, listener);
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
    const text = error instanceof Error ? error.message : String(error);
    throw text.includes("timed out")
      ? new TickcastError("timeout", `the server did not answer ${event} within ${timeout} ms`)
      : new TickcastError("closed", `the connection closed before the server answered ${event}`);
  }
  const { ok, error } = (answer ?? {}) as Answer;
  if (ok === true) return answer as T;
  const message = error?.message ?? `the server sent no valid answer to ${event}`;
  throw new TickcastError(error?.code ?? "internal", message, error?.retry_after);
}
