import { describe, expect, test } from "vitest";

import { Clock, Delay, Lead, Slew, Stalls, unwrap16 } from "../src/clock.js";

const HZ = 50; // 20 ms a tick
const TRUE = (now: number): number => 1_000 + now / 20;

function ask(clock: Clock, sent: number, there: number, back: number, truth = TRUE): void {
  clock.answer(sent, sent + there + back, truth(sent + there));
}

describe("the clock", () => {
  test("knows the server's time from an even round trip", () => {
    const clock = new Clock(HZ);
    clock.restart(0, 990);
    expect(clock.settled).toBe(false);
    ask(clock, 0, 30, 30);
    expect(clock.settled).toBe(true);
    expect(clock.rtt).toBe(60);
    expect(clock.tick(500)).toBeCloseTo(TRUE(500));
  });

  test("trusts the answer with the shortest round trip", () => {
    const clock = new Clock(HZ);
    ask(clock, 0, 20, 20);
    ask(clock, 1_000, 20, 300);
    ask(clock, 2_000, 200, 20);
    expect(clock.tick(3_000)).toBeCloseTo(TRUE(3_000));
  });

  test("follows a server that has lost time without running backwards", () => {
    const clock = new Clock(HZ);
    const late = (now: number): number => TRUE(now) - 6;
    ask(clock, 0, 10, 10);
    let last = clock.tick(1_000);
    ask(clock, 1_000, 15, 15, late);
    for (let now = 1_016; now < 4_000; now += 16) {
      const tick = clock.tick(now);
      expect(tick).toBeGreaterThan(last);
      last = tick;
    }
    expect(clock.tick(4_000)).toBeCloseTo(late(4_000));
  });

  test("asks often at first, then rarely and in pairs", () => {
    const clock = new Clock(HZ);
    const asked: number[] = [];
    for (let now = 0; now < 12_000; now += 20) {
      if (!clock.due(now)) continue;
      asked.push(now);
      ask(clock, now, 5, 5);
    }
    expect(asked).toEqual([0, 100, 200, 300, 400, 5_400, 5_500, 10_500, 10_600]);
  });

  test("uses the second answer of a pair if the first waited for a tick", () => {
    const clock = new Clock(HZ);
    let last = 0;
    for (let now = 0; now < 120_000; now += 20) {
      if (!clock.due(now)) continue;
      ask(clock, now, now - last > 1_000 ? 25 : 5, 5);
      last = now;
    }
    expect(clock.rtt).toBe(10);
    expect(clock.estimate(120_000)).toBeCloseTo(TRUE(120_000));
  });

  test("measures again on a new connection and keeps its estimate until then", () => {
    const clock = new Clock(HZ);
    ask(clock, 0, 10, 10);
    clock.restart(5_000, 1);
    expect(clock.settled).toBe(false);
    expect(clock.tick(5_000)).toBeCloseTo(TRUE(5_000));
  });

  test.each([
    ["goes on if the server's newest tick is a moment ago", 3, true],
    ["measures again if the server is ahead, because this machine slept", -5, false],
    ["measures again if the server is far behind, because the match stood still", 60, false],
  ])("on a new connection to the same match, it %s", (_, ago, settled) => {
    const clock = new Clock(HZ);
    ask(clock, 0, 10, 10);
    clock.resume(5_000, TRUE(5_000) - ago);
    expect(clock.settled).toBe(settled);
    expect(clock.due(5_000)).toBe(true);
    expect(clock.tick(5_000)).toBeCloseTo(TRUE(5_000));
    ask(clock, 5_000, 30, 30);
    expect(clock.rtt).toBe(settled ? 20 : 60);
  });

  test("knows no time on its first connection before an answer", () => {
    const clock = new Clock(HZ);
    clock.resume(0, 990);
    expect(clock.settled).toBe(false);
  });
});

test("a slewed value catches up smoothly, and jumps over a long distance", () => {
  const flow = new Slew(0.05, 10);
  expect(flow.follow(0, 100)).toBe(100);
  expect(flow.follow(100, 108)).toBeCloseTo(105.5);
  expect(flow.follow(200, 106)).toBeCloseTo(110);
  expect(flow.follow(300, 200)).toBe(200);
});

describe("the delay", () => {
  const delayAfter = (late: (n: number) => number): number => {
    const delay = new Delay(2, 25);
    for (let n = 0; n < 400; n++) delay.arrived(late(n));
    return delay.ticks(1);
  };

  test("is minimal on a fast and steady connection", () => expect(delayAfter(() => 0.5)).toBe(2));
  test("covers the latency from the server", () => expect(delayAfter(() => 4)).toBeCloseTo(5));
  test("grows with jitter", () => expect(delayAfter((n) => 4 + (n % 2) * 2)).toBeGreaterThan(6));
  test("has a maximum", () => expect(delayAfter((n) => (n % 2) * 80)).toBe(25));
  test("does not cover rare stalls, nor what waited behind them", () => {
    const delay = new Delay(2, 25);
    for (let tick = 0; tick < 300; tick++) {
      // Every 30 ticks, a frame is lost, and comes with the six behind it.
      const lost = Math.floor(tick / 30) * 30;
      const at = tick - lost < 7 ? lost + 10 : tick + 4;
      delay.arrived(at - tick, at);
    }
    expect(delay.ticks(1)).toBe(5);
  });
  test("covers a frame every third tick", () => expect(new Delay(2, 25).ticks(3)).toBe(3));
});

describe("the lead", () => {
  test("begins with the latency to the server", () => {
    const lead = new Lead(25);
    lead.restart(2.5, 0);
    expect(lead.ticks).toBe(3.5);
  });

  test("grows once for all inputs that were late together", () => {
    const lead = new Lead(25);
    lead.feedback(1, -2, 5);
    expect(lead.ticks).toBe(4);
    for (let seq = 2; seq <= 5; seq++) lead.feedback(seq, -2, 9);
    expect(lead.ticks).toBe(4);
    lead.feedback(6, 0, 9);
    expect(lead.ticks).toBe(5);
  });

  test("does not count one input twice", () => {
    const lead = new Lead(25);
    lead.feedback(1, 0, 0);
    lead.feedback(1, 0, 0);
    expect(lead.ticks).toBe(2);
  });

  test("shrinks after a long time with a comfortable margin", () => {
    const lead = new Lead(25);
    lead.restart(9, 0);
    for (let seq = 1; seq <= 19; seq++) lead.feedback(seq, 7, seq);
    expect(lead.ticks).toBe(10);
    lead.feedback(20, 7, 20);
    expect(lead.ticks).toBe(7);
  });

  test("stays within its maximum", () => {
    const lead = new Lead(25);
    lead.feedback(1, -25, 1);
    expect(lead.ticks).toBe(25);
  });

  test("does not prepare for blackouts", () => {
    const lead = new Lead(15);
    lead.feedback(1, -30, 9);
    // Inputs that were sent before the news are held up, too.
    for (let seq = 2; seq <= 9; seq++) lead.feedback(seq, seq - 12, 9);
    expect(lead.ticks).toBe(1);
    lead.feedback(10, -2, 10);
    expect(lead.ticks).toBe(4);
  });
});

test("does not shrink below its floor, and grows from there", () => {
  const lead = new Lead(25);
  lead.floor = 6;
  expect(lead.ticks).toBe(6);
  lead.floor = 30;
  expect(lead.ticks).toBe(25);
});

describe("stalls", () => {
  const after = (...late: number[]): number => {
    const stalls = new Stalls(9);
    for (const ticks of late) stalls.arrived(ticks);
    return stalls.longest;
  };
  const quiet = (frames: number): number[] => new Array<number>(frames).fill(0);

  test("are remembered for a while", () => {
    expect(after(0, 5, 4, 0)).toBe(5);
    expect(after(5, ...quiet(598))).toBe(5);
    expect(after(5, ...quiet(599))).toBe(0);
  });

  test("are not blackouts, nor what comes after one", () => {
    expect(after(0, 30, 20, 8, 3, 0)).toBe(0);
    expect(after(30, 8, 0, 4, 0)).toBe(4);
  });
});

test("16 bits unwrap to the newest number that they match", () => {
  expect(unwrap16(0, 10)).toBe(0);
  expect(unwrap16(5, 10)).toBe(5);
  expect(unwrap16(0xffff, 0x10002)).toBe(0xffff);
  expect(unwrap16(1, 0x10002)).toBe(0x10001);
});
