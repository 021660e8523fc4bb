// A seat whose line is silent tries fresh connections beside it.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { SeatChannel } from "../src/channel.js";
import { Scout, Silence } from "../src/scout.js";
import { FakeChannel } from "./support.js";

const RTT = 100;

/** A silence that has heard a frame every `every` ms for some seconds, the last one at 10,000. */
function used(every: number): Silence {
  const silence = new Silence(0);
  for (let at = every; at <= 10_000; at += every) silence.heard(at);
  silence.heard(10_000);
  return silence;
}

/** The moments from 10,000 on at which attempts are due, if one looks every 10 ms. */
function attempts(silence: Silence, until: number, random = 0): number[] {
  const due: number[] = [];
  for (let at = 10_000; at <= 10_000 + until; at += 10) if (silence.isDue(at, RTT, random)) due.push(at - 10_000);
  return due;
}

describe("a silence", () => {
  test("is suspicious after half a second where frames come each tick", () => {
    expect(attempts(used(33), 1_250)).toEqual([500, 750, 1_000, 1_250]);
  });

  test("is no surprise on a line that often stalls", () => {
    const silence = used(33);
    silence.heard(10_400);
    silence.heard(10_433);
    expect(silence.isDue(10_433 + 860, RTT, 0)).toBe(false);
    expect(silence.isDue(10_433 + 910, RTT, 0)).toBe(true);
  });

  test("of a second is usual in a quiet room, and one that is longer is not", () => {
    expect(attempts(used(1_000), 1_340)).toEqual([]);
    expect(attempts(used(1_000), 1_350)).toEqual([1_350]);
  });

  test("leads to fewer attempts the longer it lasts, at moments that differ from client to client", () => {
    const all = attempts(used(33), 60_000);
    expect(all.filter((at) => at < 3_500).length).toBeGreaterThan(10);
    expect(all.length).toBeLessThan(32);
    expect((all.at(-1) ?? 0) - (all.at(-2) ?? 0)).toBeCloseTo(4_000, -2);
    expect(attempts(used(33), 1_250, 0.9)).toEqual([500, 810, 1_120]);
  });

  test("is measured anew after a sign of life, and a blackout is nothing to get used to", () => {
    const silence = used(33);
    expect(attempts(silence, 2_000).length).toBeGreaterThan(5);
    silence.heard(12_000);
    silence.heard(12_033);
    expect(silence.isDue(12_033 + 490, RTT, 0)).toBe(false);
    expect(silence.isDue(12_033 + 500, RTT, 0)).toBe(true);
  });
});

describe("a scout", () => {
  let channel: FakeChannel;
  let isPlaying: boolean;
  let tried: number;
  let givenUp: number;
  let scout: Scout;

  beforeEach(() => {
    vi.useFakeTimers();
    channel = new FakeChannel();
    [isPlaying, tried, givenUp] = [true, 0, 0];
    const tryAnother = (): (() => void) => {
      tried += 1;
      return () => void (givenUp += 1);
    };
    scout = new Scout({ channel, tryAnother } as unknown as SeatChannel, {
      isPlaying: () => isPlaying,
      rtt: () => RTT,
    });
  });
  afterEach(() => {
    scout.stop();
    vi.useRealTimers();
  });

  const frames = async (seconds: number): Promise<void> => {
    for (let k = 0; k < 30 * seconds; k++) {
      await vi.advanceTimersByTimeAsync(33);
      channel.receive("s", new Uint8Array());
    }
  };

  test("does nothing while frames come", async () => {
    await frames(3);
    expect(tried).toBe(0);
  });

  test("gives an attempt up for the next, and the last when the old line speaks", async () => {
    await frames(1);
    await vi.advanceTimersByTimeAsync(1_700);
    expect(tried).toBeGreaterThanOrEqual(4);
    channel.receive("s", new Uint8Array());
    const before = tried;
    await frames(1);
    expect(tried).toBe(before);
    expect(givenUp).toBeGreaterThanOrEqual(before);
  });

  test("leaves a connection alone that is lost or over, and begins anew with the next", async () => {
    await frames(1);
    isPlaying = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tried).toBe(0);
    isPlaying = true;
    await vi.advanceTimersByTimeAsync(400);
    expect(tried).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(tried).toBe(1);
  });

  test("leaves a page alone that nobody sees", async () => {
    vi.stubGlobal("document", { visibilityState: "hidden" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tried).toBe(0);
    vi.unstubAllGlobals();
  });

  test("ends with its room", async () => {
    await frames(1);
    await vi.advanceTimersByTimeAsync(600);
    scout.stop();
    const before = tried;
    expect(givenUp).toBeGreaterThanOrEqual(before);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tried).toBe(before);
  });
});
