// A program that queues, lists rooms, listens or blocks before the code for that is there.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Lobby } from "../src/lobby.js";
import type { Matchmaking } from "../src/matchmaking.js";
import { FakeChannel } from "./support.js";

const CODE = "../src/lobby_code.js";
const GRANT = { ticket: "t", url: "", room: "r" };
const SEATED = { leave: vi.fn(() => Promise.resolve()) };

let channel: FakeChannel;
let closing: AbortController;
let taken: string[];
let arrive: () => void;
let isMissing: boolean;

/** A server's lobby and queues, in modules that were not loaded before. */
async function start(): Promise<{ lobby: Lobby; matchmaking: Matchmaking }> {
  const takeSeat = async ({ room }: { room: string }): Promise<never> => {
    taken.push(room);
    return SEATED as never;
  };
  const [{ Lobby }, { Matchmaking }] = await Promise.all([import("../src/lobby.js"), import("../src/matchmaking.js")]);
  return {
    lobby: new Lobby(channel, 1_000, takeSeat),
    matchmaking: new Matchmaking(channel, 1_000, takeSeat, closing.signal),
  };
}

/** Waits until everything that waits for the code has had its turn. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

beforeEach(() => {
  channel = new FakeChannel((event) => (event === "rooms" ? { ok: true, seq: 1, rooms: [] } : { ok: true }));
  channel.connected = true;
  closing = new AbortController();
  taken = [];
  isMissing = false;
  SEATED.leave.mockClear();
  const gate = new Promise<void>((resolve) => (arrive = resolve));
  vi.resetModules();
  vi.doMock(CODE, async (importOriginal) => {
    await gate;
    if (isMissing) throw new Error("404");
    return importOriginal();
  });
});
afterEach(() => vi.doUnmock(CODE));

test("nothing that the server says before the code is there is lost", async () => {
  const { matchmaking } = await start();
  const moves: number[] = [];
  const following = matchmaking.follow({ onStatus: ({ position }) => moves.push(position) });
  await settle();
  channel.receive("status", { game: "yard", position: 2, waiting: 2, needed: 2 });
  channel.receive("status", { game: "yard", position: 1, waiting: 2, needed: 2 });
  channel.receive("matched", GRANT);
  arrive();
  expect(await following).toBe(SEATED);
  expect([moves, taken]).toEqual([[2, 1], ["r"]]);
});

test("a player queues once the code is there", async () => {
  const { matchmaking } = await start();
  const waiting = matchmaking.enqueue("yard");
  await settle();
  expect(channel.sentAs("enqueue")).toEqual([]);
  arrive();
  await vi.waitFor(() => expect(channel.sentAs("enqueue")).toEqual([{ game: "yard" }]));
  channel.receive("matched", GRANT);
  expect(await waiting).toBe(SEATED);
});

test("a player who gives up before the code is there does so at once, and never queues", async () => {
  const { matchmaking } = await start();
  const abort = new AbortController();
  const waiting = matchmaking.enqueue("yard", { signal: abort.signal });
  abort.abort(new Error("no more"));
  await expect(waiting).rejects.toThrow("no more");
  arrive();
  await settle();
  expect(channel.sent).toEqual([]);
});

test("the seat of a player who gave up before the code was there is freed", async () => {
  const { matchmaking } = await start();
  const abort = new AbortController();
  const following = matchmaking.follow({ signal: abort.signal });
  channel.receive("matched", GRANT);
  abort.abort(new Error("no more"));
  await expect(following).rejects.toThrow("no more");
  arrive();
  await vi.waitFor(() => expect(SEATED.leave).toHaveBeenCalledOnce());
  expect(taken).toEqual(["r"]);
});

test("a member of a party who gives up before the code is there leaves the queue", async () => {
  const { matchmaking } = await start();
  const abort = new AbortController();
  const following = matchmaking.follow({ signal: abort.signal });
  abort.abort(new Error("no more"));
  await expect(following).rejects.toThrow("no more");
  arrive();
  await vi.waitFor(() => expect(channel.sentAs("leave")).toHaveLength(1));
});

test("two who ask before the code is there share a list and a history", async () => {
  const { lobby } = await start();
  const heard: string[] = [];
  const asked = [
    lobby.rooms((rooms) => heard.push(`rooms ${rooms.length}`)),
    lobby.rooms((rooms) => heard.push(`rooms ${rooms.length}`)),
    lobby.block("u"),
    lobby.block("v"),
  ];
  arrive();
  await Promise.all(asked);
  expect(heard).toEqual(["rooms 0", "rooms 0"]);
  expect(channel.sentAs("rooms")).toHaveLength(1);
  expect(lobby.blocked).toEqual(["u", "v"]);
});

test("code that cannot be loaded is told, and asked for again", async () => {
  isMissing = true;
  const { lobby, matchmaking } = await start();
  arrive();
  const refused = { code: "unreachable", message: expect.stringContaining("cannot be loaded") };
  await expect(matchmaking.enqueue("yard")).rejects.toMatchObject(refused);
  await expect(lobby.rooms(() => undefined)).rejects.toMatchObject(refused);
  await expect(lobby.chat.listen("lobby", () => undefined)).rejects.toMatchObject(refused);
  await expect(lobby.block("u")).rejects.toMatchObject(refused);
  expect([channel.sent, lobby.blocked]).toEqual([[], []]);
});
