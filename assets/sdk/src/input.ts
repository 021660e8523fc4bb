// The player's inputs: what to send, and when. No socket: bytes go out through a function.

import { Encoder } from "@msgpack/msgpack";

import type { Codec } from "./schema.js";

const encoder = new Encoder();

/** The bytes of `[ack]`, or of `[ack, seq, tick, column, ...]`. `ack` is the newest tick that the mirror holds. */
export function encodeInput(ack: number, input?: { seq: number; tick: number; row: readonly number[] }): Uint8Array {
  const low = ack % 0x10000;
  return encoder.encode(input ? [low, input.seq, input.tick, ...input.row] : [low]);
}

export interface InputSink {
  /** Milliseconds. */
  now(): number;
  /** The tick that an input sent now is meant for; 0 for the next one. */
  aim(): number;
  /** Sends an input; false if there is no connection, and then it stays to be sent. */
  send(seq: number, tick: number, row: readonly number[]): boolean;
}

/** Sends an input when it changes, at most one a tick, and never loses a one-shot. */
export class Inputs {
  /** The number of the newest input sent. */
  seq = 0;
  readonly #codec: Codec;
  readonly #sink: InputSink;
  readonly #interval: number;
  readonly #oneShots: readonly number[];
  /** What the player wants now; one-shots stay set until they are sent. */
  #wanted: number[];
  /** What the server has last been told, one-shots cleared; `undefined` when that is not certain. */
  #told: readonly number[] | undefined;
  #offered = false;
  #sentAt = -Infinity;
  #sentTick = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(codec: Codec, hz: number, sink: InputSink) {
    this.#codec = codec;
    this.#sink = sink;
    this.#interval = 1000 / hz;
    this.#oneShots = codec.oneShots();
    this.#wanted = codec.blank();
  }

  /** Takes what the player does now. Throws a `TypeError` that names the field when a value does not fit. */
  offer(input: unknown): void {
    const next = this.#codec.write(input, this.#wanted);
    for (const k of this.#oneShots) next[k] ||= this.#wanted[k] ?? 0;
    this.#wanted = next;
    this.#offered = true;
    this.#flush();
  }

  /** The server may not have the newest input (a new connection, a refusal): sends it again. */
  repeat(): void {
    this.#told = undefined;
    this.#flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#offered = false;
  }

  #flush(): void {
    if (!this.#offered || (this.#wanted.every((column, k) => column === this.#told?.[k]) && this.#told)) return;
    const now = this.#sink.now();
    const wait = this.#sentAt + this.#interval - now;
    // A millisecond early is on time: timers are no finer.
    if (wait > 1) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#flush();
      }, wait);
      return;
    }
    const tick = this.#tick();
    if (!this.#sink.send(this.seq + 1, tick, this.#wanted)) return;
    this.seq += 1;
    this.#sentAt = now;
    this.#sentTick = tick;
    for (const k of this.#oneShots) this.#wanted[k] = 0;
    this.#told = [...this.#wanted];
  }

  /** Of two inputs for one tick the server would drop the older with its one-shots, so each has a tick of its own. */
  #tick(): number {
    const aim = this.#sink.aim();
    if (aim === 0) return 0;
    const next = this.#sentTick + 1;
    return next > aim && next <= aim + 2 ? next : aim;
  }
}
