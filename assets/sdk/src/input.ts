// The player's inputs: what to send and when. A function does the sending, so that tests need no socket.

import { encode } from "./msgpack.js";
import type { Codec } from "./schema.js";

/** An input as it is sent. */
export interface SentInput {
  seq: number;
  /** The tick for which it is meant; 0 for the next one. */
  tick: number;
  row: readonly number[];
  /** How far behind that tick the others were drawn, in eighths of a tick. */
  behind?: number | undefined;
}

/** Encodes `[ack]` or `[ack, seq, tick, column, ..., behind?]`, where `ack` is the newest tick in the mirror. */
export function encodeInput(ack: number, input?: SentInput): Uint8Array {
  const values = [ack % 0x10000];
  if (input) values.push(input.seq, input.tick, ...input.row);
  if (input?.behind !== undefined) values.push(input.behind);
  return encode(values);
}

/** The surroundings of `Inputs`. */
export interface InputSink {
  /** The current time in milliseconds. */
  now(): number;
  /** The tick at which an input that is sent now should take effect; 0 for the next one. */
  aim(): number;
  /** Sends an input. Returns false if that is not possible now; the input is then sent later. */
  send(seq: number, tick: number, row: readonly number[]): boolean;
}

/** Sends the input when it changes, at most once per tick, and never loses a one-shot. */
export class Inputs {
  /** The sequence number of the newest input that was sent. */
  seq = 0;
  readonly #codec: Codec;
  readonly #sink: InputSink;
  readonly #interval: number;
  readonly #oneShots: readonly number[];
  /** The current input. One-shots stay set until they are sent. */
  #wanted: number[];
  /** The input that the server has, with one-shots cleared; `undefined` if that is uncertain. */
  #told: readonly number[] | undefined;
  #offered = false;
  #sentAt = -Infinity;
  #sentTick = 0;
  #ticking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(codec: Codec, hz: number, sink: InputSink) {
    this.#codec = codec;
    this.#sink = sink;
    this.#interval = 1000 / hz;
    this.#oneShots = codec.oneShots();
    this.#wanted = codec.blank();
  }

  /** Sets the current input. Throws a `TypeError` that names the field if a value does not fit. */
  offer(input: unknown): void {
    const next = this.#codec.write(input, this.#wanted);
    for (const k of this.#oneShots) next[k] ||= this.#wanted[k] ?? 0;
    this.#wanted = next;
    this.#offered = true;
    this.flush();
  }

  /** Sends the input again, because the server may not have it after a new connection or a refusal. */
  repeat(): void {
    this.#told = undefined;
    this.flush();
  }

  /** The columns that the player wants now, one-shots that were not sent included. */
  get wanted(): readonly number[] {
    return this.#wanted;
  }

  /** The newest input that was sent, with one-shots cleared, and its target tick; `undefined` if the server may not have it. */
  get told(): { tick: number; row: readonly number[] } | undefined {
    return this.#told && { tick: this.#sentTick, row: this.#told };
  }

  /** With local ticks, inputs are sent by `take` only. */
  tickLocally(on: boolean): void {
    if (this.#ticking === on) return;
    this.#ticking = on;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.flush();
  }

  /** Sends the newest input for a local tick, if it changed. */
  take(tick: number): void {
    if (this.#isDue()) this.#send(tick);
  }

  /** Lets the input rest, as if nothing were pressed. */
  rest(): void {
    if (this.#offered) this.offer(this.#codec.read(this.#codec.blank()));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#offered = false;
  }

  /** Sends the input if it changed, or if it could not be sent before. */
  flush(): void {
    if (this.#ticking || !this.#isDue()) return;
    const now = this.#sink.now();
    const wait = this.#sentAt + this.#interval - now;
    // Timers have a resolution of one millisecond.
    if (wait > 1) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.flush();
      }, wait);
      return;
    }
    this.#send(this.#tick());
  }

  #isDue(): boolean {
    return this.#offered && !(this.#told && this.#wanted.every((column, k) => column === this.#told?.[k]));
  }

  #send(tick: number): void {
    if (!this.#sink.send(this.seq + 1, tick, this.#wanted)) return;
    this.seq += 1;
    this.#sentAt = this.#sink.now();
    this.#sentTick = tick;
    this.#wanted = [...this.#wanted];
    for (const k of this.#oneShots) this.#wanted[k] = 0;
    this.#told = [...this.#wanted];
  }

  /** The target tick. Each input has its own, because the server drops the older of two for one tick with its one-shots. */
  #tick(): number {
    const aim = this.#sink.aim();
    if (aim === 0) return 0;
    const next = this.#sentTick + 1;
    return next > aim && next <= aim + 2 ? next : aim;
  }
}
