// A seat in a room on a fake connection, in virtual time. Importing this file sets each test up.

import { decode } from "@msgpack/msgpack";
import type { Mock } from "vitest";
import { afterEach, beforeEach, vi } from "vitest";
import type { SeatChannel } from "../src/channel.js";
import type { Grant, Welcome } from "../src/messages.js";
import { Room } from "../src/room.js";
import type { AnyGame } from "../src/types.js";
import { FakeChannel, frame, schema } from "./support.js";

/** The server's answer to a client that takes a seat. */
export const welcome = (more: Partial<Welcome> = {}): Welcome => ({
  seat: 2,
  room: "r1",
  game: "yard",
  protocol: 1,
  tick: 10,
  hz: 30,
  schema,
  resume: "first",
  state: "snapshot",
  grace: 20,
  config: { map: "yard" },
  teams: 0,
  seats: [{ seat: 2, name: "Ada", status: "playing" }],
  ...more,
});

/** Two entities at tick 10. */
export const SNAPSHOT = frame(0, 10, 0, 0, 0, [-1, 0b111, [-2], 1, 0, 0, 50, 2, 4, 4, 60]);

export let channel: FakeChannel;
export let seatChannel: SeatChannel & {
  cut: Mock<() => void>;
  release: Mock<() => void>;
  tryAnother: Mock<() => () => void>;
};
/** The room of the last `enter` or `sit`. */
export let room: Room;

/** Makes the connection take no more. */
export function saturate(full: boolean): void {
  saturated = full;
}
let saturated = false;

/** The server's tick at `performance.now()` 0. */
const EPOCH = 10;

beforeEach(() => {
  vi.useFakeTimers();
  channel = new FakeChannel((event) =>
    event === "t" ? { ok: true, tick: EPOCH + (performance.now() * 30) / 1000 } : { ok: true },
  );
  channel.connected = true;
  saturated = false;
  seatChannel = {
    channel,
    timeout: 1_000,
    isSaturated: () => saturated,
    tryAnother: vi.fn(() => () => undefined),
    address: (file) => `http://yard.test/${file}`,
    cut: vi.fn(),
    release: vi.fn(),
  };
});
afterEach(() => void vi.useRealTimers());

/** Takes a seat. The room delivers no event before the program has run. */
export function enter(more: Partial<Welcome> = {}, grant?: Partial<Grant>): void {
  room = new Room<AnyGame>(seatChannel, welcome(more), grant);
}

/** Takes a seat, and lets the program run. */
export async function sit(more: Partial<Welcome> = {}): Promise<void> {
  enter(more);
  await vi.advanceTimersByTimeAsync(0);
}

/** The inputs that were sent, decoded. */
export const sent = (): unknown[] => channel.sentAs("i").map((bytes) => decode(bytes as Uint8Array));
