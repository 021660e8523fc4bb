import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { Matchmaking } from "../src/matchmaking.js";
import type { Room } from "../src/room.js";
import { FakeChannel } from "./support.js";

let channel: FakeChannel;

beforeEach(() => {
  vi.useFakeTimers();
  channel = new FakeChannel();
  channel.connected = true;
});
afterEach(() => void vi.useRealTimers());

describe("matchmaking", () => {
  const seated = {} as Room;
  const grants: unknown[] = [];
  const queue = (): Matchmaking =>
    new Matchmaking(channel, 1_000, (grant) => {
      grants.push(grant);
      return Promise.resolve(seated as never);
    });

  test("resolves with a room, and enqueues again after a lost connection", async () => {
    channel.connected = false;
    const moves: number[] = [];
    const waiting = queue().enqueue("yard", { onStatus: ({ position }) => moves.push(position) });
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("status", { game: "yard", position: 3, waiting: 3, needed: 4 });
    channel.drop();
    channel.accept();
    channel.receive("matched", { ticket: "t", url: "", room: "r" });
    expect(await waiting).toBe(seated);
    expect(moves).toEqual([3]);
    expect(grants).toEqual([{ ticket: "t", url: "", room: "r" }]);
    expect(channel.sentAs("enqueue")).toEqual([{ game: "yard" }, { game: "yard" }]);
  });

  test("leaves the queue when it is aborted", async () => {
    const abort = new AbortController();
    const waiting = queue().enqueue("yard", { signal: abort.signal });
    await vi.advanceTimersByTimeAsync(0);
    abort.abort(new Error("changed my mind"));
    await expect(waiting).rejects.toThrow("changed my mind");
    expect(channel.sentAs("leave")).toHaveLength(1);
  });

  test("sends the mode, and accepts checks without a callback", async () => {
    const waiting = queue().enqueue("yard", { mode: "2v2", properties: { map: "moon" }, regions: { eu: 20 } });
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("ready_check", { check: 7, game: "yard", mode: "2v2", players: 4, seconds: 10 });
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("matched", { ticket: "t", url: "", room: "r", team: 2 });
    expect(await waiting).toBe(seated);
    expect(channel.sentAs("enqueue")).toEqual([
      { game: "yard", mode: "2v2", properties: { map: "moon" }, regions: { eu: 20 } },
    ]);
    expect(channel.sentAs("accept")).toEqual([{ check: 7 }]);
  });

  test("waits on when others are not ready, and rejects when the player is not", async () => {
    const counts: number[] = [];
    const heard: string[] = [];
    const waiting = queue().follow({
      onReadyCheck: ({ check }) => check === 1,
      onReady: ({ accepted }) => counts.push(accepted),
      onUnready: ({ reason }) => heard.push(reason),
    });
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("ready_check", { check: 1, game: "yard", mode: "2v2", players: 4, seconds: 10 });
    channel.receive("ready", { check: 1, accepted: 3, players: 4 });
    channel.receive("unready", { check: 1, reason: "declined", requeued: true });
    channel.receive("ready_check", { check: 2, game: "yard", mode: "2v2", players: 4, seconds: 10 });
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("unready", { check: 2, reason: "declined", requeued: false });
    await expect(waiting).rejects.toMatchObject({ code: "unready" });
    expect([counts, heard, channel.sentAs("enqueue")]).toEqual([[3], ["declined"], []]);
    expect([channel.sentAs("accept"), channel.sentAs("decline")]).toEqual([[{ check: 1 }], [{ check: 2 }]]);
  });

  test("rejects when the party leaves the queue", async () => {
    const waiting = queue().follow();
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("left", { reason: "party" });
    await expect(waiting).rejects.toMatchObject({ code: "party_left" });
  });

  test("rejects when the server refuses", async () => {
    channel = new FakeChannel(() => ({ ok: false, error: { code: "already_queued", message: "once is enough" } }));
    await expect(queue().enqueue("yard")).rejects.toMatchObject({ code: "already_queued" });
  });
});
