// Keeps a seat's connection alive: notices one that is dead, and connects again where Socket.IO would not.

import type { SeatChannel } from "./channel.js";
import { Retry } from "./channel.js";
import type { TickcastError } from "./errors.js";
import { isTemporary } from "./errors.js";
import { later } from "./later.js";
import type { Scout } from "./scout.js";
import type { RoomStatus } from "./types.js";

const loadScout = later(() => import("./scout.js"));

/** Seconds for which a frame is due and does not come, after which the transport counts as dead. */
const SILENT_S = 4;

/** The surroundings of `Lifeline`. */
export interface LifelineSink {
  status(): RoomStatus;
  /** Whether a frame is due within a second, so that silence means trouble. */
  isFrameDue(): boolean;
  /** Sends an input that could not be sent before. Called each second, as frames may not come. */
  flush(): void;
  /** The server has refused to take the seat back. */
  expired(message: string): void;
  /** The round trip, in milliseconds. */
  rtt(): number;
  /** Whether the seat can be taken back on another connection while this one is open. A spectator needs another ticket for that. */
  readonly canMove: boolean;
}

export class Lifeline {
  readonly #seatChannel: SeatChannel;
  readonly #sink: LifelineSink;
  readonly #check: ReturnType<typeof setInterval>;
  #silent = 0;
  readonly #reconnect: Retry;
  #scout: Pick<Scout, "stop"> | undefined;

  constructor(seatChannel: SeatChannel, sink: LifelineSink) {
    this.#seatChannel = seatChannel;
    this.#sink = sink;
    this.#reconnect = new Retry(() => seatChannel.channel.connect());
    this.#check = setInterval(() => this.#checkSilence(), 1_000);
    const isPlaying = (): boolean => sink.status() === "playing" && sink.isFrameDue();
    if (!sink.canMove) return;
    // Without the scout, a dead line is found by `SILENT_S` alone.
    loadScout().then(
      ({ Scout }) => (this.#scout ??= new Scout(seatChannel, { ...sink, isPlaying })),
      () => undefined,
    );
  }

  /** Notes that the server has sent something. */
  heard(): void {
    this.#silent = 0;
  }

  /** Takes a lost connection. Socket.IO restores a lost transport, but not a namespace that the server has closed. */
  lost(reason: string): void {
    if (reason === "io server disconnect") this.#reconnect.later();
  }

  /** Takes the failure of an attempt to connect; `undefined` if Socket.IO tries again by itself. */
  refused(refused: TickcastError | undefined): void {
    if (!refused || this.#sink.status() === "over") return;
    if (isTemporary(refused)) this.#reconnect.later();
    else this.#sink.expired(refused.message);
  }

  stop(): void {
    clearInterval(this.#check);
    this.#reconnect.stop();
    this.#scout?.stop();
    this.#scout = { stop: () => undefined };
  }

  #checkSilence(): void {
    this.#sink.flush();
    if (!this.#sink.isFrameDue()) this.#silent = 0;
    if (this.#sink.status() !== "playing" || ++this.#silent < SILENT_S) return;
    this.#silent = 0;
    this.#seatChannel.cut();
  }
}
