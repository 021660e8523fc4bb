import { deflateRawSync } from "node:zlib";

import { encode } from "@msgpack/msgpack";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Desync } from "../src/types.js";
import { channel, enter, room, SNAPSHOT, saturate, seatChannel, sent, sit, welcome } from "./seat.js";
import { deflated, frame, schema } from "./support.js";

describe("a seat", () => {
  test("has the values of the welcome", async () => {
    await sit();
    expect(room).toMatchObject({ id: "r1", game: "yard", seat: 2, hz: 30, tick: 0, status: "playing", grace: 20 });
    expect(room.config).toEqual({ map: "yard" });
    expect(room.seats).toHaveLength(1);
  });

  test("loses no event before the program can listen", async () => {
    enter();
    channel.receive("e", frame(9, [1, 2, 4, -4], [7]));
    channel.receive("s", SNAPSHOT);
    await Promise.resolve();
    const heard: unknown[] = [];
    room.on("Hit", (hit, tick) => heard.push([tick, hit]));
    room.on("Bell", (bell) => heard.push(bell));
    room.onSpawn((entity) => heard.push(entity.id));
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual([[9, { who: 2, at: { x: 2, y: -2 } }], true, 0, 1]);
  });
});

describe("a frame", () => {
  test("is reported when all of it is in the mirror", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    const heard: unknown[] = [];
    room.onChange("Hp", (entity, hp) => heard.push([entity.id, hp, room.get(1), room.tick]));
    room.onRemove("Seat", (entity) => heard.push(["free", entity.id]));
    room.onDespawn((entity) => heard.push(["gone", entity.id, entity.Hp]));
    room.onFrame((tick) => heard.push(tick));
    channel.receive("s", frame(1, 11, 1, 0, 0, [2, 1, [0], [-5]], [-2, 0, [0]], [-3, [1]]));
    expect(heard).toEqual([["gone", 1, 60], [0, 45, undefined, 11], ["free", 0], 11]);
    expect([...room.entities].map((entity) => entity.id)).toEqual([0]);
  });

  test("reaches a callback until it is stopped", async () => {
    await sit();
    const hps: number[] = [];
    const stop = room.onChange("Hp", (_, hp) => hps.push(hp as number));
    channel.receive("s", SNAPSHOT);
    stop();
    channel.receive("s", frame(1, 11, 1, 0, 0, [2, 1, [0], [-5]]));
    expect(hps).toEqual([50, 60]);
    expect(() => room.onChange("Speed", () => undefined)).toThrow("yard has no component Speed");
  });

  test("that is malformed is reported and makes it request a snapshot", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    const faults: string[] = [];
    room.onFault((error) => faults.push(error.message));
    await vi.advanceTimersByTimeAsync(1_500);
    channel.receive("s", frame(1, 11, 1, 0, 0, [2, 1, [0]]));
    channel.receive("s", frame(1, 11, 1, 0, 0, [2, 1, [0], [-5]]));
    expect(faults).toEqual(["change of Hp has length 3 instead of 4"]);
    expect(channel.sentAs("resync")).toEqual([{}]);
    expect(room.get(0)?.Hp).toBe(50);
    channel.receive("s", frame(0, 12, 0, 0, 0, [-1, 0b100, [0], 7]));
    channel.receive("s", frame(1, 13, 1, 0, 0, [2, 1, [0], [1]]));
    expect(room.get(0)?.Hp).toBe(8);
  });

  test("with another base makes it request a snapshot once a second", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    await vi.advanceTimersByTimeAsync(1_500);
    for (let tick = 20; tick < 80; tick++) {
      channel.receive("s", frame(1, tick, 1, 0, 0));
      await vi.advanceTimersByTimeAsync(33);
    }
    expect(channel.sentAs("resync")).toHaveLength(2);
    expect(room.tick).toBe(10);
    expect(room.stats.resyncs).toBe(2);
  });

  test("with another checksum is reported with the differing entities", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    const desyncs: Desync[] = [];
    room.onDesync((desync) => desyncs.push(desync));
    await vi.advanceTimersByTimeAsync(1_500);
    channel.receive("s", frame(1, 11, 1, 0, 0, [-4, 2, 12345]));
    const [request] = channel.sentAs("resync") as [{ got: number }];
    expect(request).toEqual({ component: 2, expected: 12345, got: expect.any(Number) as number });
    channel.receive("s", frame(1, 12, 1, 0, 0));
    expect(room.tick).toBe(12);
    expect(desyncs).toEqual([]);
    channel.receive("s", frame(0, 13, 0, 0, 0, [-1, 0b111, [-2], 1, 0, 0, 50, 2, 4, 4, 61]));
    expect(desyncs).toEqual([
      { tick: 11, component: schema.components[2], expected: 12345, got: request.got, entities: [1] },
    ]);
  });
});

describe("a compressed snapshot", () => {
  const DEFLATED = deflated(0, 10, 0, 0, 0, [-1, 0b111, [-2], 1, 0, 0, 50, 2, 4, 4, 60]);
  const heard: unknown[] = [];
  // Streams need real timers.
  beforeEach(async () => {
    await sit();
    vi.useRealTimers();
    heard.length = 0;
    room.on("Bell", (_, tick) => heard.push(`bell ${tick}`));
    room.onFrame((tick) => heard.push(`frame ${tick}`));
    room.onSeats((seats) => heard.push(`seats ${seats.length}`));
    room.onStatus((status) => heard.push(status));
    room.onFault((error) => heard.push(error.message));
  });

  const frames = (...ticks: number[]): void => {
    for (const tick of ticks) channel.receive("s", frame(1, tick, 1, 0, 0, [2, 1, [0], [-5]]));
  };

  test("defers all later events, in order", async () => {
    channel.receive("s", DEFLATED);
    channel.receive("e", frame(11, [7]));
    frames(11, 12);
    channel.receive("s", deflated(0, 13, 0, 0, 0, [-1, 0b100, [0], 7]));
    channel.receive("seats", []);
    frames(14);
    channel.receive("over", { reason: "finished", message: "", winners: [] });
    expect([heard, room.tick]).toEqual([[], 0]);
    await vi.waitFor(() => expect(heard).toContain("over"));
    expect(heard).toEqual(["frame 10", "bell 11", "frame 11", "frame 12", "frame 13", "seats 0", "frame 14", "over"]);
    expect(room.get(0)?.Hp).toBe(2);
    expect(room.stats).toMatchObject({ frames: 5, resyncs: 0 });
  });

  test("may come first, before the program can listen", async () => {
    vi.useFakeTimers();
    enter();
    channel.receive("s", DEFLATED);
    frames(11);
    await vi.advanceTimersByTimeAsync(0);
    vi.useRealTimers();
    await vi.waitFor(() => expect(room.tick).toBe(11));
  });

  test("is dropped when the player leaves in the meantime", async () => {
    channel.receive("s", DEFLATED);
    channel.receive("e", frame(11, [7]));
    await room.leave();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([heard, room.tick]).toEqual([["over"], 0]);
  });

  test("is applied even if the connection drops in the meantime", async () => {
    channel.receive("s", DEFLATED);
    frames(11);
    channel.receive("e", frame(12, [7]));
    channel.drop();
    channel.accept();
    channel.receive("welcome", welcome({ resume: "second", state: "snapshot", tick: 40 }));
    channel.receive("s", deflated(0, 40, 0, 0, 0, [-1, 0b100, [0], 7]));
    frames(41);
    await vi.waitFor(() => expect(room.tick).toBe(41));
    expect(heard).toEqual(["frame 10", "frame 11", "bell 12", "reconnecting", "playing", "frame 40", "frame 41"]);
    expect(channel.sentAs("resync")).toEqual([]);
  });

  test.each([
    {
      what: "cut off",
      stream: () => deflateRawSync(Buffer.alloc(3000, "abc")).subarray(0, -1),
      fault: /cannot decompress/,
    },
    { what: "of nothing", stream: () => new Uint8Array(), fault: /cannot decompress/ },
    { what: "too long", stream: () => deflateRawSync(Buffer.alloc(5 << 20)), fault: /more than 4194304 bytes/ },
    { what: "deflated twice", stream: () => deflateRawSync(DEFLATED), fault: /not an array/ },
  ])("that is $what is reported, and another asked for", async ({ stream, fault }) => {
    // The snapshot that the server sends by itself is no longer in flight.
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 5_000);
    channel.receive("s", encode(stream()));
    channel.receive("e", frame(11, [7]));
    frames(11);
    channel.receive("s", frame(0, 12, 0, 0, 0, [-1, 0b100, [0], 7]));
    await vi.waitFor(() => expect(room.tick).toBe(12));
    expect(heard).toEqual([expect.stringMatching(fault), "bell 11", "frame 12"]);
    expect(channel.sentAs("resync")).toEqual([{}]);
    vi.restoreAllMocks();
  });
});

describe("inputs", () => {
  test("carry the newest tick, a sequence number and a target tick", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    const serverTick = room.serverTick;
    room.input({ dir: "E", fire: true });
    const [ack, seq, tick, ...row] = sent().at(-1) as number[];
    expect([ack, seq, row]).toEqual([10, 1, [1, 0, 0, 1]]);
    expect(tick).toBeGreaterThan(serverTick);
    expect(tick).toBeLessThanOrEqual(serverTick + 2);
  });

  test("are sent earlier when the server reports them late", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    room.input({ dir: "E" });
    const before = room.stats.lead;
    channel.receive("s", frame(1, 11, 1, 1, -3));
    expect(room.stats.lead).toBe(before + 4);
  });

  test.each([
    { each: 50, acks: [[4464], [4468], [4472], [4476]] },
    { each: 300, acks: [[4464], [4466], [4468], [4470], [4472], [4474], [4476]] },
  ])("or an acknowledgement go out every four frames or half a second: $each ms a frame", async ({ each, acks }) => {
    await sit();
    for (let n = 0; n <= 12; n++) {
      channel.receive("s", frame(0, 70_000 + n, 0, 0, 0));
      await vi.advanceTimersByTimeAsync(each);
    }
    expect(sent()).toEqual(acks);
  });

  test("replace each other while the connection takes no more, and keep their one-shots", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    const before = sent().length;
    saturate(true);
    room.input({ dir: "E", fire: true });
    await vi.advanceTimersByTimeAsync(100);
    room.input({ dir: "N" });
    for (let n = 1; n <= 20; n++) channel.receive("s", frame(0, 10 + n, 0, 0, 0));
    expect(sent()).toHaveLength(before);
    saturate(false);
    channel.receive("s", frame(0, 31, 0, 0, 0));
    expect(sent().slice(before)).toEqual([[31, 1, expect.any(Number), 2, 0, 0, 1]]);
  });

  test("are sent again after a refusal", async () => {
    await sit();
    room.input({ dir: "E", fire: true });
    await vi.advanceTimersByTimeAsync(100);
    const refusals: unknown[] = [];
    room.onRefused((refused) => refusals.push(refused));
    channel.receive("refused", { code: "input_too_early", message: "", count: 1 });
    expect(refusals).toHaveLength(1);
    expect(sent().map((input) => (input as number[]).slice(3))).toEqual([
      [1, 0, 0, 1],
      [1, 0, 0, 0],
    ]);
  });
});

describe("the view", () => {
  test("moves evenly from frame to frame, slightly in the past", async () => {
    await sit();
    const xs: number[] = [];
    for (let tick = 10; tick < 60; tick++) {
      // Each frame travels for a quarter of a tick. 4 steps per tick are 2 units.
      await vi.advanceTimersByTimeAsync(25);
      channel.receive("s", tick === 10 ? SNAPSHOT : frame(1, tick, 1, 0, 0, [1, 1, [1], [4]]));
      for (let n = 0; n < 2; n++) {
        const me = room.me("Pos");
        if (me && tick > 40) xs.push(me.Pos.at.x as number);
        await vi.advanceTimersByTimeAsync(n === 0 ? 4 : 100 / 3 - 29);
      }
    }
    const speeds = xs.slice(1).map((x, n) => x - (xs[n] ?? 0));
    expect(Math.min(...speeds)).toBeGreaterThan(0);
    expect((xs.at(-1) ?? 0) - (xs[0] ?? 0)).toBeCloseTo((18 + 4 / (100 / 3)) * 2, 0);
    expect(room.view("Pos").map((entity) => entity.id)).toEqual([0, 1]);
  });
});

describe("the end", () => {
  test("comes once, and nothing follows it", async () => {
    await sit();
    const heard: unknown[] = [];
    room.onOver((over) => heard.push(over.reason));
    room.onStatus((status) => heard.push(status));
    room.onFrame((tick) => heard.push(tick));
    channel.receive("over", { reason: "finished", message: "", winners: [2] });
    channel.receive("s", SNAPSHOT);
    channel.drop("io server disconnect");
    room.input({ dir: "E" });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(heard).toEqual(["over", "finished"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("comes after leaving", async () => {
    await sit();
    const overs: string[] = [];
    room.onOver((over) => overs.push(over.reason));
    await room.leave();
    await room.leave();
    expect(channel.sentAs("leave")).toHaveLength(1);
    expect(overs).toEqual(["left"]);
    expect(seatChannel.release).toHaveBeenCalledOnce();
  });
});
