import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { TickcastError } from "../src/errors.js";
import { loadLobby } from "../src/lobby_later.js";
import { Matchmaking } from "../src/matchmaking.js";
import type { Grant } from "../src/messages.js";
import type { Room } from "../src/room.js";
import { FakeChannel } from "./support.js";

let channel: FakeChannel;

beforeAll(async () => void (await loadLobby()));

beforeEach(() => {
  vi.useFakeTimers();
  channel = new FakeChannel();
  channel.connected = true;
});
afterEach(() => void vi.useRealTimers());

describe("matchmaking", () => {
  const leave = vi.fn(() => Promise.resolve());
  const seated = { leave } as unknown as Room;
  const grants: Grant[] = [];
  let closing: AbortController;
  beforeEach(() => {
    grants.length = 0;
    leave.mockClear();
    closing = new AbortController();
  });
  /** The queues of a server, on which taking a seat takes as long as `seat` says. */
  const queue = (seat: Promise<void> = Promise.resolve()): Matchmaking =>
    new Matchmaking(
      channel,
      1_000,
      async (grant) => {
        grants.push(grant);
        await seat;
        return seated as never;
      },
      closing.signal,
    );
  const match = (ticket = "t"): Grant => ({ ticket, url: "", room: "r" });
  const refused = (code: string, more: object = {}) => ({ ok: false, error: { code, message: "no", ...more } });

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

  test("waits on when a reconnection finds the player still queued", async () => {
    let answers = 0;
    channel = new FakeChannel(() => (++answers === 1 ? { ok: true } : refused("already_queued")));
    const waiting = queue().enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    channel.drop();
    channel.accept();
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("matched", match());
    expect(await waiting).toBe(seated);
    expect(answers).toBe(2);
  });

  test("queues again after a temporary refusal on a reconnection", async () => {
    let answers = 0;
    channel = new FakeChannel(() => (++answers === 2 ? refused("rate_limited", { retry_after: 3 }) : { ok: true }));
    const waiting = queue().enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    channel.drop();
    channel.accept();
    await vi.advanceTimersByTimeAsync(2_900);
    expect(answers).toBe(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(answers).toBe(3);
    channel.receive("matched", match());
    expect(await waiting).toBe(seated);
  });

  test("hears a match that is told as soon as the channel is connected", async () => {
    channel = new FakeChannel(undefined, (channel) => {
      channel.accept();
      channel.receive("matched", match());
    });
    expect(await queue().follow()).toBe(seated);
  });

  test("uses the ticket of a match that is told again while the seat is taken", async () => {
    let sit: () => void = () => undefined;
    const waiting = queue(new Promise((resolve) => (sit = resolve))).enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("matched", match("first"));
    await vi.advanceTimersByTimeAsync(0);
    channel.drop();
    channel.accept();
    channel.receive("matched", { ...match("another"), room: "other" });
    channel.receive("matched", match("second"));
    expect(grants).toEqual([match("second")]);
    sit();
    expect(await waiting).toBe(seated);
    expect(channel.sentAs("enqueue")).toHaveLength(1);
  });

  test("takes the seat once the request on its way is answered", async () => {
    let answer: (value: object) => void = () => undefined;
    channel = new FakeChannel(() => new Promise((resolve) => (answer = resolve)));
    const waiting = queue().enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("matched", match("first"));
    channel.receive("matched", match("second"));
    await vi.advanceTimersByTimeAsync(100);
    expect(grants).toEqual([]);
    answer({ ok: true });
    expect(await waiting).toBe(seated);
    expect(grants).toEqual([match("second")]);
  });

  test("rejects when the server connection is closed", async () => {
    const waiting = queue().enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    closing.abort(new TickcastError("closed", "the program closed the connection"));
    await expect(waiting).rejects.toMatchObject({ code: "closed" });
    await expect(queue().enqueue("yard")).rejects.toMatchObject({ code: "closed" });
    expect(channel.sentAs("enqueue")).toHaveLength(1);
  });

  test("rejects when the server refuses the player for good", async () => {
    const waiting = queue().enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    channel.drop("io server disconnect");
    channel.receive("connect_error", new Error("blocked: not here"));
    await expect(waiting).rejects.toMatchObject({ code: "blocked" });
  });

  test("connects again when the server closes the namespace", async () => {
    const waiting = queue().enqueue("yard");
    await vi.advanceTimersByTimeAsync(0);
    channel.drop("io server disconnect");
    await vi.advanceTimersByTimeAsync(1_100);
    expect(channel.sentAs("enqueue")).toHaveLength(2);
    channel.receive("matched", match());
    expect(await waiting).toBe(seated);
  });

  test("leaves the queue on the next connection when it is aborted without one", async () => {
    const abort = new AbortController();
    const waiting = queue().enqueue("yard", { signal: abort.signal });
    await vi.advanceTimersByTimeAsync(0);
    channel.drop();
    abort.abort(new Error("changed my mind"));
    await expect(waiting).rejects.toThrow("changed my mind");
    expect(channel.sentAs("leave")).toHaveLength(0);
    channel.accept();
    channel.drop();
    channel.accept();
    await vi.advanceTimersByTimeAsync(0);
    expect(channel.sentAs("leave").length).toBeGreaterThan(0);
    expect(channel.sentAs("enqueue")).toHaveLength(1);
  });

  test("sends nothing when it is aborted while it connects", async () => {
    channel = new FakeChannel(undefined, () => undefined);
    const abort = new AbortController();
    const waiting = queue().enqueue("yard", { signal: abort.signal });
    abort.abort(new Error("changed my mind"));
    await expect(waiting).rejects.toThrow("changed my mind");
    channel.accept();
    expect(channel.sent).toEqual([]);
  });

  test("can be aborted and asked again at once", async () => {
    const abort = new AbortController();
    const queues = queue();
    const first = queues.enqueue("yard", { signal: abort.signal });
    abort.abort(new Error("strict mode"));
    const second = queues.enqueue("yard");
    await expect(first).rejects.toThrow("strict mode");
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("matched", match());
    expect(await second).toBe(seated);
    expect(leave).not.toHaveBeenCalled();
  });

  test("gives up a match that was on its way when it was aborted", async () => {
    let answer: (value: object) => void = () => undefined;
    channel = new FakeChannel((event) =>
      event === "leave" ? new Promise((resolve) => (answer = resolve)) : { ok: true },
    );
    channel.connected = true;
    const abort = new AbortController();
    const waiting = queue().enqueue("yard", { signal: abort.signal });
    await vi.advanceTimersByTimeAsync(0);
    abort.abort(new Error("changed my mind"));
    await expect(waiting).rejects.toThrow("changed my mind");
    channel.receive("matched", match());
    await vi.advanceTimersByTimeAsync(0);
    answer(refused("not_queued"));
    await vi.advanceTimersByTimeAsync(0);
    expect([grants, leave.mock.calls.length]).toEqual([[match()], 1]);
    channel.receive("matched", match("later"));
    expect(grants).toHaveLength(1);
  });
});
