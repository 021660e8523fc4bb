// A room over a simulated line, in virtual time.

import { expect, test, vi } from "vitest";

import type { Conditions } from "../src/inspector/conditions.js";
import { wireOf } from "../src/inspector/wire.js";
import { channel, enter, room, SNAPSHOT, sent, sit } from "./seat.js";
import { frame } from "./support.js";

const SLOW: Conditions = { round_trip_ms: 200, jitter_ms: 0, loss: 0, blackout: null };
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const methods = (): string[] => Object.keys(channel).filter((name) => ["emit", "timeout"].includes(name));

/** Makes requests as Socket.IO does: with `emit`. */
function asSocketIo(): void {
  channel.timeout = () => ({
    emitWithAck: async (event, ...args) => {
      channel.emit(event, ...args);
      return { ok: true, tick: 10 };
    },
  });
}

test("a frame comes half of the round trip later, and an input goes that long", async () => {
  await sit();
  wireOf(room).simulate(SLOW);
  channel.receive("s", SNAPSHOT);
  await pass(99);
  expect(room.tick).toBe(0);
  await pass(1);
  expect(room.tick).toBe(10);
  await pass(100);
  const before = sent().length;
  room.input({ dir: "E" });
  await pass(99);
  expect(sent()).toHaveLength(before);
  await pass(40);
  expect(sent()).toHaveLength(before + 1);
});

test("an answer takes the whole round trip", async () => {
  await sit();
  const wire = wireOf(room);
  wire.simulate(SLOW);
  const ping = wire.ping();
  await pass(300);
  expect(await ping).toBe(200);
});

test("a request goes once over the line, although Socket.IO sends it with emit", async () => {
  await sit();
  asSocketIo();
  const wire = wireOf(room);
  const seen: string[] = [];
  wire.observe({ sent: (event) => seen.push(event), received: () => undefined });
  wire.simulate(SLOW);
  const ping = wire.ping();
  await pass(1_000);
  expect(await ping).toBe(200);
  expect(seen.filter((event) => event === "t").length).toBe(channel.sent.filter(([event]) => event === "t").length - 1);
});

test("without conditions, what is on its way arrives at once and in order, and nothing stays attached", async () => {
  await sit();
  const listeners = () => Object.values(channel.listening());
  const before = listeners();
  const wire = wireOf(room);
  expect(methods()).toEqual([]);
  wire.simulate(SLOW);
  expect(methods()).toEqual(["emit", "timeout"]);
  const ticks: number[] = [];
  room.onFrame((tick) => ticks.push(tick));
  channel.receive("s", SNAPSHOT);
  channel.receive("s", frame(1, 11, 1, 0, 0));
  room.input({ dir: "E" });
  expect(ticks).toEqual([]);
  wire.simulate(null);
  expect(ticks).toEqual([10, 11]);
  expect(methods()).toEqual([]);
  expect(listeners()).toEqual(before);
  channel.receive("s", frame(1, 12, 1, 0, 0));
  expect(ticks).toEqual([10, 11, 12]);
});

test("the conditions change while connected", async () => {
  await sit();
  const wire = wireOf(room);
  wire.simulate(SLOW);
  channel.receive("s", SNAPSHOT);
  wire.simulate({ ...SLOW, round_trip_ms: 20 });
  channel.receive("s", frame(1, 11, 1, 0, 0));
  await pass(99);
  expect(room.tick).toBe(0);
  await pass(1);
  expect(room.tick).toBe(11);
  channel.receive("s", frame(1, 12, 1, 0, 0));
  await pass(10);
  expect(room.tick).toBe(12);
});

test("a lost connection loses what is on its way, and its requests fail", async () => {
  await sit();
  const wire = wireOf(room);
  wire.simulate(SLOW);
  channel.receive("s", SNAPSHOT);
  const ping = wire.ping();
  await pass(50);
  channel.drop();
  expect(room.status).toBe("reconnecting");
  await pass(500);
  expect(room.tick).toBe(0);
  expect(await ping).toBeUndefined();
});

test("the end of the room leaves nothing attached, and its channel to the next room", async () => {
  await sit();
  const wire = wireOf(room);
  wire.observe({ sent: () => undefined, received: () => undefined });
  wire.simulate(SLOW);
  channel.receive("over", { reason: "closed", message: "", winners: [] });
  expect(room.status).toBe("playing");
  await pass(100);
  expect(room.status).toBe("over");
  expect(methods()).toEqual([]);
  expect(channel.listening()).toEqual({});
  wire.simulate(SLOW);
  expect(methods()).toEqual([]);
});

test("an observer hears what passes, and nothing after it has stopped", async () => {
  enter();
  const seen: string[] = [];
  const stop = wireOf(room).observe({
    sent: (event) => seen.push(`up ${event}`),
    received: (event) => seen.push(`down ${event}`),
  });
  await pass(0);
  channel.receive("s", SNAPSHOT);
  room.input({ dir: "E" });
  await pass(500);
  expect(seen).toContain("down s");
  expect(seen).toContain("up i");
  stop();
  const count = seen.length;
  channel.receive("s", frame(1, 11, 1, 0, 0));
  room.input({ dir: "N" });
  await pass(500);
  expect(seen).toHaveLength(count);
  expect(methods()).toEqual([]);
});

test("something that is no room is refused", () => {
  expect(() => wireOf({})).toThrow(/not a room/);
});
