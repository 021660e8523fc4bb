import type { Mock } from "vitest";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { TickcastError } from "../src/errors.js";
import type { Grant } from "../src/messages.js";
import { channel, enter, room, SNAPSHOT, seatChannel, sent, sit, welcome } from "./seat.js";
import { frame, schema } from "./support.js";

describe("a lost connection", () => {
  const statuses = (): string[] => {
    const all: string[] = [];
    room.onStatus((status, over) => all.push(over ? `${status} ${over.reason}` : status));
    return all;
  };

  test("is not waited for: a player whose line is silent tries another one, and a spectator cannot", async () => {
    for (const [seat, tries] of [
      [2, true],
      [0, false],
    ] as const) {
      await sit({ seat });
      await vi.dynamicImportSettled();
      channel.receive("s", SNAPSHOT);
      await vi.advanceTimersByTimeAsync(1_200);
      expect(seatChannel.tryAnother).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1_800);
      expect(seatChannel.tryAnother.mock.calls.length > 0).toBe(tries);
      expect(seatChannel.cut).not.toHaveBeenCalled();
      room.leave();
      await vi.advanceTimersByTimeAsync(10);
      seatChannel.tryAnother.mockClear();
    }
  });

  test("is resumed with the newest token and the mirror's tick", async () => {
    await sit();
    expect(channel.pass()).toEqual({ resume: "first" });
    channel.receive("s", SNAPSHOT);
    const all = statuses();
    room.input({ dir: "E" });
    await vi.advanceTimersByTimeAsync(100);
    channel.drop();
    room.input({ dir: "N", fire: true });
    expect(channel.pass()).toEqual({ resume: "first", tick: 10 });
    channel.accept();
    channel.receive("welcome", welcome({ resume: "second", state: "diff", tick: 40 }));
    channel.receive("s", frame(2, 40, 30, 1, 1, [2, 1, [0], [33]]));
    expect(all).toEqual(["reconnecting", "playing"]);
    expect(room.get(0)?.Hp).toBe(33);
    expect(channel.pass()).toEqual({ resume: "second", tick: 40 });
    await vi.advanceTimersByTimeAsync(100);
    expect((sent().at(-1) as number[]).slice(3)).toEqual([2, 0, 0, 1]);
    expect((sent().at(-1) as number[])[1]).toBe(2);
  });

  test("waits for the snapshot if the server begins with one", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    channel.drop();
    channel.accept();
    channel.receive("welcome", welcome({ state: "snapshot", tick: 400 }));
    channel.receive("s", frame(1, 11, 1, 0, 0, [-3, [0]]));
    expect(room.tick).toBe(10);
    channel.receive("s", frame(0, 400, 0, 0, 0, [-1, 1, [1], 2]));
    expect([...room.entities].map((entity) => entity.id)).toEqual([1]);
    expect(channel.sentAs("resync")).toEqual([]);
  });

  test("that lasted longer than ids rest tells of despawns, then of spawns", async () => {
    await sit();
    channel.receive("s", SNAPSHOT);
    const heard: unknown[] = [];
    room.onSpawn(({ id, Hp }) => heard.push(["spawn", id, Hp]));
    room.onDespawn(({ id, Hp }) => heard.push(["despawn", id, Hp]));
    channel.drop();
    channel.accept();
    channel.receive("welcome", welcome({ state: "snapshot", tick: 400 }));
    channel.receive("s", frame(0, 400, 0, 0, 0, [-1, 0b100, [1], 7]));
    expect(heard).toEqual([
      ["despawn", 0, 50],
      ["despawn", 1, 60],
      ["spawn", 1, 7],
    ]);
  });

  test("ends the room when the seat is lost", async () => {
    await sit();
    const overs: unknown[] = [];
    const all = statuses();
    room.onOver((over) => overs.push(over));
    channel.drop();
    channel.receive("connect_error", new Error("websocket error"));
    expect(room.status).toBe("reconnecting");
    channel.receive("connect_error", new Error("resume_expired: the seat was kept for 20 s"));
    expect(room.status).toBe("over");
    expect(overs).toEqual([{ reason: "expired", message: "the seat was kept for 20 s", winners: [] }]);
    expect(all).toEqual(["reconnecting", "over expired"]);
    expect(seatChannel.release).toHaveBeenCalledOnce();
  });

  test("is retried after a temporary refusal or a closed namespace", async () => {
    await sit();
    const connect = vi.spyOn(channel, "connect").mockReturnValue(channel);
    channel.drop("io server disconnect");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connect).toHaveBeenCalledTimes(1);
    for (const [refused, times] of [
      ["rate_limited: wait", 2],
      ["room_busy: try again later", 3],
    ] as const) {
      channel.receive("connect_error", new Error(refused));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(connect).toHaveBeenCalledTimes(times);
    }
    expect(room.status).toBe("reconnecting");
  });

  test("is not assumed in a match that steps on input, unless an input has no answer", async () => {
    await sit({ schema: { ...schema, onInput: true } });
    await vi.dynamicImportSettled();
    channel.receive("s", SNAPSHOT);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seatChannel.tryAnother).not.toHaveBeenCalled();
    expect(seatChannel.cut).not.toHaveBeenCalled();
    room.input({ fire: true });
    await vi.advanceTimersByTimeAsync(500);
    channel.receive("s", frame(1, 1900, 1890, 1, 0));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seatChannel.cut).not.toHaveBeenCalled();
    expect((sent().at(-1) as number[]).length).toBe(1);
    room.input({ fire: true });
    expect((sent().at(-1) as number[]).slice(1, 3)).toEqual([2, 0]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(seatChannel.tryAnother).toHaveBeenCalled();
    expect(seatChannel.cut).toHaveBeenCalled();
  });

  test("is assumed when the server is silent", async () => {
    await sit();
    await vi.advanceTimersByTimeAsync(3_500);
    channel.receive("s", SNAPSHOT);
    await vi.advanceTimersByTimeAsync(3_400);
    expect(seatChannel.cut).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seatChannel.cut).toHaveBeenCalledOnce();
  });
});

describe("a spectator", () => {
  /** Spectates with a lobby that gives these answers to requests for another ticket, and repeats the last one. */
  const spectate = async (...answers: (Partial<Grant> | TickcastError)[]): Promise<Mock<() => Promise<Grant>>> => {
    const renew = vi.fn(async () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof TickcastError) throw answer;
      return answer as Grant;
    });
    enter({ seat: 0, resume: "" }, { renew });
    await vi.advanceTimersByTimeAsync(0);
    channel.receive("s", SNAPSHOT);
    return renew;
  };

  const shown: object[] = [];
  /** Makes a new connection, which asks for its credentials. */
  const comeBack = async (): Promise<void> => {
    channel.drop();
    (channel.auth as (give: (auth: object) => void) => void)((auth) => shown.push(auth));
    await vi.advanceTimersByTimeAsync(0);
  };
  beforeEach(() => void (shown.length = 0));

  test("sends no inputs and acknowledges nothing", async () => {
    await spectate({});
    expect(room.spectating).toBe(true);
    room.input({ dir: "E", fire: true });
    for (let tick = 11; tick < 40; tick++) {
      channel.receive("s", frame(1, tick, 1, 0, 0));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sent()).toEqual([]);
    expect(channel.sentAs("t").length).toBeGreaterThan(0);
  });

  test("reconnects with another ticket", async () => {
    const renew = await spectate({ ticket: "second" });
    await comeBack();
    expect([shown, renew.mock.calls.length, room.status]).toEqual([[{ ticket: "second" }], 1, "reconnecting"]);
    channel.accept();
    channel.receive("welcome", welcome({ seat: 0, resume: "", tick: 60 }));
    channel.receive("s", frame(0, 50, 0, 0, 0, [-1, 0b100, [0], 7]));
    expect([room.status, room.tick, room.get(0)?.Hp]).toEqual(["playing", 50, 7]);
  });

  test("retries a failed request for a ticket, and uses each ticket once", async () => {
    const connect = vi.spyOn(channel, "connect").mockReturnValue(channel);
    const renew = await spectate(new TickcastError("timeout", "no answer"), { ticket: "second" }, { ticket: "third" });
    await comeBack();
    expect([shown, room.status]).toEqual([[], "reconnecting"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connect).toHaveBeenCalledTimes(1);
    void comeBack();
    await comeBack();
    expect([shown, renew.mock.calls.length]).toEqual([[{ ticket: "third" }], 3]);
  });

  test.each([
    { answer: new TickcastError("unknown_room", "it has ended"), message: "it has ended" },
    { answer: undefined, message: "spectating again needs another ticket" },
  ])("hears why it cannot come back: $message", async ({ answer, message }) => {
    if (answer) await spectate(answer);
    else await sit({ seat: 0, resume: "" });
    const overs: unknown[] = [];
    room.onOver((over) => void overs.push(over));
    await comeBack();
    expect([shown, overs]).toEqual([[], [{ reason: "expired", message, winners: [] }]]);
    expect(seatChannel.release).toHaveBeenCalledOnce();
  });

  test("does not reconnect after leaving", async () => {
    await spectate({ ticket: "second" });
    const back = comeBack();
    await room.leave();
    await back;
    expect([shown, room.status]).toEqual([[], "over"]);
  });

  test("sees smooth movement with any delay of the game", async () => {
    await spectate({});
    const [late, xs] = [90, [] as number[]];
    for (let tick = 11; tick < 300; tick++) {
      await vi.advanceTimersByTimeAsync(25);
      if (tick > late) channel.receive("s", frame(1, tick - late + 10, 1, 0, 0, [1, 1, [1], [4]]));
      for (let n = 0; n < 2; n++) {
        const pos = room.view("Pos").find(({ id }) => id === 1);
        if (pos && tick > 200) xs.push((pos.Pos as { at: { x: number } }).at.x);
        await vi.advanceTimersByTimeAsync(n === 0 ? 4 : 100 / 3 - 29);
      }
    }
    expect(Math.min(...xs.slice(1).map((x, n) => x - (xs[n] ?? 0)))).toBeGreaterThan(0);
    expect(room.stats.delay).toBeGreaterThan(late - 10);
  });
});
