// A Socket.IO namespace as the SDK uses it: connecting to it, and requests that are answered.

import { refusal, TickcastError } from "./errors.js";

/** A namespace of a connection: what the SDK uses of a Socket.IO client socket, which it is. Tests stand in for it. */
export interface Channel {
  readonly connected: boolean;
  /** Whether it is connected or tries to be. */
  readonly active: boolean;
  auth: object | ((give: (auth: object) => void) => void);
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  timeout(ms: number): { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> };
  connect(): unknown;
  disconnect(): unknown;
}

/** A channel to `/gameplay`, lent out for one seat. */
export interface SeatChannel {
  channel: Channel;
  /** Milliseconds that a request waits for its answer. */
  timeout: number;
  /** Cuts the transport below, so that Socket.IO makes a new one. */
  cut(): void;
  /** Gives the channel back, disconnected. */
  release(): void;
}

/** Connects, and waits until the namespace has taken the connection. */
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
      // Unless somebody who heard of it before has begun another attempt.
      if (!channel.active) finish(refusal(error) ?? unreachable());
    };
    const unreachable = (): TickcastError => new TickcastError("unreachable", `cannot connect: ${last}`);
    const timer = setTimeout(() => finish(unreachable()), timeout);
    channel.on("connect", done);
    channel.on("connect_error", failed);
    channel.connect();
  });
}

/** Asks the server and returns its answer. Throws a `TickcastError` if it refuses or does not answer in time. */
export async function request<T>(channel: Channel, timeout: number, event: string, argument?: object): Promise<T> {
  let answer: unknown;
  try {
    const asked = channel.timeout(timeout);
    answer = await (argument ? asked.emitWithAck(event, argument) : asked.emitWithAck(event));
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw text.includes("timed out")
      ? new TickcastError("timeout", `no answer to ${event} within ${timeout} ms`)
      : new TickcastError("closed", `the connection closed before the answer to ${event}`);
  }
  const { ok, error } = (answer ?? {}) as { ok?: boolean; error?: { code?: string; message?: string } };
  if (ok === true) return answer as T;
  throw new TickcastError(error?.code ?? "internal", error?.message ?? `no valid answer to ${event}`);
}
