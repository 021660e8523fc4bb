// The way from a seat to its server: inputs and acknowledgements.

import type { SeatChannel } from "./channel.js";
import { encodeInput } from "./input.js";

/** The longest time and the most frames without an acknowledgement, by which the server bounds what is in flight. */
const KEEP_ALIVE_MS = 500;
const ACK_FRAMES = 4;

/** The surroundings of `Uplink`. */
export interface UplinkSource {
  /** The current time in milliseconds. */
  now(): number;
  /** Whether the seat may send at all. */
  isOpen(): boolean;
}

/**
 * Sends inputs and acknowledgements. It sends nothing while the connection is saturated: an input that waits could not be
 * replaced by a newer one any more.
 */
export class Uplink {
  readonly #seatChannel: SeatChannel;
  readonly #source: UplinkSource;
  #sentAt = -Infinity;
  #unacked = 0;

  constructor(seatChannel: SeatChannel, source: UplinkSource) {
    this.#seatChannel = seatChannel;
    this.#source = source;
  }

  /** Sends an input or an acknowledgement. Returns false if it cannot be sent now. */
  send(bytes: Uint8Array): boolean {
    const { channel } = this.#seatChannel;
    if (!channel.connected || !this.#source.isOpen() || this.#seatChannel.isSaturated()) return false;
    channel.emit("i", bytes);
    this.#sentAt = this.#source.now();
    this.#unacked = 0;
    return true;
  }

  /** Notes that a frame has come, and acknowledges `tick`, the newest in the mirror, if that is due. */
  took(tick: number): void {
    this.#unacked += 1;
    const isDue = this.#unacked >= ACK_FRAMES || this.#source.now() - this.#sentAt >= KEEP_ALIVE_MS;
    if (isDue) this.send(encodeInput(tick));
  }
}
