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
  test("is suspicious after more than a second, however fast frames came before", () => {
    expect(attempts(used(33), 2_400)).toEqual([1_350, 1_600, 1_850, 2_100, 2_350]);
  });

  test("of a second is none where everybody suddenly stands still", () => {
    const silence = used(33);
    for (let at = 10_000; at < 40_000; at += 50) {
      if (at % 1_050 < 50) silence.heard(at);
      expect(silence.isDue(at, RTT, 0), `at ${at}`).toBe(false);
    }
  });

  test("is no surprise on a line that often stalls", () => {
    const silence = used(33);
    silence.heard(11_200);
    silence.heard(11_233);
    expect(silence.isDue(11_233 + 1_870, RTT, 0)).toBe(false);
    expect(silence.isDue(11_233 + 1_890, RTT, 0)).toBe(true);
  });

  test("is longer where a second is usual", () => {
    expect(attempts(used(1_000), 1_580)).toEqual([]);
    expect(attempts(used(1_000), 1_590)).toEqual([1_590]);
    // Nothing is usual beyond this.
    expect(attempts(used(5_000), 2_610)).toEqual([2_600]);
  });

  test("leads to fewer attempts the longer it lasts, at moments that differ from client to client", () => {
    const all = attempts(used(33), 60_000);
    expect(all.filter((at) => at < 4_350).length).toBeGreaterThan(10);
    expect(all.length).toBeLessThan(32);
    expect((all.at(-1) ?? 0) - (all.at(-2) ?? 0)).toBeCloseTo(4_000, -2);
    expect(attempts(used(33), 2_000, 0.9)).toEqual([1_350, 1_660, 1_970]);
  });

  test("is measured anew after a sign of life, and a blackout is nothing to get used to", () => {
    const silence = used(33);
    expect(attempts(silence, 3_000).length).toBeGreaterThan(5);
    silence.heard(13_100);
    silence.heard(13_133);
    expect(silence.isDue(13_133 + 1_340, RTT, 0)).toBe(false);
    expect(silence.isDue(13_133 + 1_350, RTT, 0)).toBe(true);
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
    await vi.advanceTimersByTimeAsync(2_500);
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
    await vi.advanceTimersByTimeAsync(1_250);
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
    await vi.advanceTimersByTimeAsync(1_450);
    scout.stop();
    const before = tried;
    expect(givenUp).toBeGreaterThanOrEqual(before);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tried).toBe(before);
  });
});
