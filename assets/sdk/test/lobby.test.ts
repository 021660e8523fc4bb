import { expect, test, vi } from "vitest";

import { TickcastError } from "../src/errors.js";
import { Lobby } from "../src/lobby.js";
import type { Grant } from "../src/messages.js";
import type { RoomInfo } from "../src/types.js";
import { FakeChannel } from "./support.js";

const room = (id: string, players = 1, game = "arena"): RoomInfo => ({ room: id, game, players, bots: 0, seats: 8 });
const change = (seq: number, more: object): object => ({ seq, added: [], updated: [], removed: [], ...more });

/** A lobby whose server lists `listing.rooms` at `listing.seq`. */
function lobby(listing: { seq: number; rooms: RoomInfo[] }) {
  const channel = new FakeChannel((event) =>
    event === "rooms" ? { ok: true, ...listing } : { ok: false, error: { code: "room_full", message: "no seat" } },
  );
  channel.connected = true;
  const seen: string[][] = [];
  const callback = (rooms: RoomInfo[]): void => void seen.push(rooms.map(({ room, players }) => `${room}:${players}`));
  return { channel, callback, seen, lobby: new Lobby(channel, 1_000, () => Promise.reject(new Error("no seat here"))) };
}

test("the list follows its updates", async () => {
  const t = lobby({ seq: 5, rooms: [room("a"), room("b")] });
  const stop = await t.lobby.rooms(t.callback);
  t.channel.receive("rooms", change(6, { added: [room("c")], updated: [room("a", 3)], removed: ["b"] }));
  t.channel.receive("rooms", change(6, { added: [room("again")] }));
  stop();
  t.channel.receive("rooms", change(7, { removed: ["a"] }));
  expect(t.seen).toEqual([
    ["a:1", "b:1"],
    ["a:3", "c:1"],
  ]);
});

test("a gap makes the client request the whole list", async () => {
  const listing = { seq: 5, rooms: [room("a")] };
  const t = lobby(listing);
  await t.lobby.rooms(t.callback);
  Object.assign(listing, { seq: 9, rooms: [room("z")] });
  t.channel.receive("rooms", change(8, { added: [room("y")] }));
  t.channel.receive("rooms", change(9, { added: [room("z")] }));
  t.channel.receive("rooms", change(10, { updated: [room("z", 4)] }));
  await vi.waitFor(() => expect(t.seen).toHaveLength(2));
  expect(t.seen[1]).toEqual(["z:4"]);
  expect(t.channel.sentAs("rooms")).toHaveLength(2);
});

test("a gap is filled with the missed changes if the server has them", async () => {
  const missed: Record<string, unknown> = { seq: 5, rooms: [room("a")] };
  const t = lobby(missed as { seq: number; rooms: RoomInfo[] });
  await t.lobby.rooms(t.callback);
  delete missed.rooms;
  Object.assign(missed, { seq: 7, changes: [change(6, { added: [room("y")] }), change(7, { removed: ["a"] })] });
  t.channel.receive("rooms", change(7, { removed: ["a"] }));
  t.channel.receive("rooms", change(8, { updated: [room("y", 4)] }));
  await vi.waitFor(() => expect(t.seen.at(-1)).toEqual(["y:4"]));
  expect(t.channel.sentAs("rooms")).toEqual([{}, { after: 5 }]);
});

test("a search sends its filters", async () => {
  const t = lobby({ seq: 5, rooms: [room("a")] });
  const search = { game: "arena", open: true, config: { map: "dust" }, sort: "players", limit: 1 } as const;
  expect(await t.lobby.search(search)).toEqual([room("a")]);
  expect(t.channel.sentAs("rooms")).toEqual([search]);
});

test("updates that overtake the answer are kept, and gaps are filled", async () => {
  const listing = { seq: 5, rooms: [room("a")] };
  const t = lobby(listing);
  const watching = t.lobby.rooms(t.callback);
  t.channel.receive("rooms", change(5, { added: [room("a")] }));
  t.channel.receive("rooms", change(7, { added: [room("c")] }));
  listing.seq = 7;
  listing.rooms = [room("a"), room("c", 2)];
  await watching;
  await vi.waitFor(() => expect(t.seen.at(-1)).toEqual(["a:1", "c:2"]));
});

test("a room that is busy is asked again until it answers or the time is over", async () => {
  vi.useFakeTimers();
  let busy = 3;
  const channel = new FakeChannel(() =>
    busy-- > 0
      ? { ok: false, error: { code: "room_busy", message: "a step" } }
      : { ok: true, ticket: "t", url: "", room: "r1" },
  );
  channel.connected = true;
  const seats: Grant[] = [];
  const lobby = new Lobby(channel, 1_000, (grant) => {
    seats.push(grant);
    return Promise.reject(new Error("no seat here"));
  });
  const joining = expect(lobby.join("r1")).rejects.toThrow("no seat here");
  await vi.advanceTimersByTimeAsync(800);
  await joining;
  expect([seats.length, channel.sentAs("join").length]).toEqual([1, 4]);

  busy = 100;
  const late = expect(lobby.quick("arena")).rejects.toMatchObject({ code: "room_busy" });
  await vi.advanceTimersByTimeAsync(1_500);
  await late;
  expect(channel.sentAs("quick")).toHaveLength(5);
  vi.useRealTimers();
});

test("a seat that another request has left meanwhile is asked for once again", async () => {
  const channel = new FakeChannel(() => ({ ok: true, ticket: `t${channel.sent.length}`, url: "", room: "r1" }));
  channel.connected = true;
  const shown: (string | undefined)[][] = [];
  let code = "ticket_expired";
  const lobby = new Lobby(channel, 1_000, (grant) => {
    shown.push([grant.ticket, grant.code]);
    return Promise.reject(new TickcastError(code as "ticket_expired", "left"));
  });
  await expect(lobby.quick("arena")).rejects.toMatchObject({ code });
  await expect(lobby.joinCode("ABC")).rejects.toMatchObject({ code });
  code = "banned";
  await expect(lobby.join("r1")).rejects.toMatchObject({ code });
  expect(shown).toEqual([["t1"], ["t2"], ["t3", "ABC"], ["t4", "ABC"], ["t5"]].map(([t, c]) => [t, c]));
});

/** A lobby whose server lists one room in each answer. */
function paged() {
  const pages: Record<string, object> = {
    "": { seq: 5, rooms: [room("a")], next: "b" },
    b: { seq: 6, rooms: [room("b")], next: "c" },
    c: { seq: 7, rooms: [room("c", 2)] },
  };
  const channel = new FakeChannel((_, argument) => ({
    ok: true,
    ...pages[(argument as { from?: string }).from ?? ""],
  }));
  channel.connected = true;
  return { channel, lobby: new Lobby(channel, 1_000, () => Promise.reject(new Error("no seat here"))) };
}

test("a list that comes in pages is one list, with the updates in between", async () => {
  const t = paged();
  const seen: string[] = [];
  const watching = t.lobby.rooms((rooms) =>
    seen.push(rooms.map(({ room, players }) => `${room}:${players}`).join(" ")),
  );
  while (t.channel.sentAs("rooms").length === 0) await Promise.resolve();
  t.channel.receive("rooms", change(6, { updated: [room("a", 3)] }));
  t.channel.receive("rooms", change(7, { updated: [room("c", 2)] }));
  await watching;
  expect(seen).toEqual(["a:3 b:1 c:2"]);
  expect(t.channel.sentAs("rooms")).toEqual([{}, { from: "b" }, { from: "c" }]);
});

test("a search reads as many pages as it needs", async () => {
  const t = paged();
  expect(await t.lobby.search({ game: "arena" })).toEqual([room("a"), room("b"), room("c", 2)]);
  expect(await t.lobby.search({ limit: 2 })).toEqual([room("a"), room("b")]);
  expect(t.channel.sentAs("rooms").slice(3)).toEqual([{ limit: 2 }, { limit: 2, from: "b" }]);
});

test("a new connection requests the list again", async () => {
  const listing = { seq: 5, rooms: [room("a")] };
  const t = lobby(listing);
  await t.lobby.rooms(t.callback);
  t.channel.drop();
  Object.assign(listing, { seq: 1, rooms: [room("b")] });
  t.channel.accept();
  await vi.waitFor(() => expect(t.seen).toHaveLength(2));
  t.channel.receive("rooms", change(2, { removed: ["b"] }));
  expect(t.seen.slice(1)).toEqual([["b:1"], []]);
});

test("a subscriber may filter by game", async () => {
  const t = lobby({ seq: 1, rooms: [room("a"), room("d", 2, "duel")] });
  await t.lobby.rooms(t.callback, { game: "duel" });
  await t.lobby.rooms(t.callback);
  expect(t.seen).toEqual([["d:2"], ["a:1", "d:2"]]);
  expect(t.channel.sentAs("rooms")).toHaveLength(1);
});

test("a refusal is an error with its code", async () => {
  const t = lobby({ seq: 1, rooms: [] });
  const error = await t.lobby.join("x").catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TickcastError);
  expect(error).toMatchObject({ code: "room_full", message: "no seat" });
});

test("a spectator's grant can be renewed", async () => {
  const grants: Grant[] = [];
  let n = 0;
  const channel = new FakeChannel(() => ({ ok: true, ticket: `t${++n}`, url: "", room: "r1" }));
  channel.connected = true;
  const lobby = new Lobby(channel, 1_000, (grant) => {
    grants.push(grant);
    return Promise.resolve({} as never);
  });
  await lobby.spectate("r1");
  await lobby.spectateCode("ABCDEF");
  expect(grants.map(({ ticket, code }) => [ticket, code])).toEqual([
    ["t1", undefined],
    ["t2", "ABCDEF"],
  ]);
  expect(await grants[1]?.renew?.()).toMatchObject({ ticket: "t3" });
  expect(channel.sentAs("spectate")).toEqual([{ room: "r1" }, { code: "ABCDEF" }, { code: "ABCDEF" }]);
});
