import { expect, test, vi } from "vitest";

import { Lobby } from "../src/lobby.js";
import type { ChatChannel, ChatMessage, PartyInfo, UserPresence } from "../src/types.js";
import { FakeChannel } from "./support.js";

const refusal = (code: string) => ({ ok: false, error: { code, message: "no" } });
const message = (seq: number, id = "log", channel: ChatChannel = "lobby"): ChatMessage => ({
  channel,
  id,
  seq,
  at: 0,
  user: "ada",
  name: "Ada",
  text: `${id} ${seq}`,
});
const replay = (seqs: number[], id = "log", channel: ChatChannel = "lobby") => ({
  ok: true,
  id,
  seq: seqs.at(-1) ?? 0,
  messages: seqs.map((seq) => message(seq, id, channel)),
  complete: true,
});

/** A lobby whose server gives `answers` in order, then `{ ok: true }`. */
function lobby(...answers: unknown[]) {
  const channel = new FakeChannel(() => answers.shift() ?? { ok: true });
  channel.connected = true;
  return { channel, answers, lobby: new Lobby(channel, 1_000, () => Promise.reject(new Error("no seat here"))) };
}

async function listening(channel: ChatChannel, ...answers: unknown[]) {
  const t = lobby(...answers);
  const seen: string[] = [];
  const stop = await t.lobby.chat.listen(channel, ({ text }) => void seen.push(text));
  return { ...t, seen, stop };
}

test("a listener gets recent messages, then each new one once", async () => {
  const t = await listening("lobby", replay([1, 2]));
  t.channel.receive("chat", message(2));
  t.channel.receive("chat", message(3));
  t.channel.receive("chat", message(1, "other", "room"));
  t.stop();
  t.channel.receive("chat", message(4));
  expect(t.seen).toEqual(["log 1", "log 2", "log 3"]);
  const late: number[] = [];
  await t.lobby.chat.listen("lobby", ({ seq }) => void late.push(seq));
  expect(late).toEqual([1, 2, 3, 4]);
  expect(t.channel.sentAs("listen")).toEqual([{ channel: "lobby" }]);
});

test("a history that comes in pages is read to its end", async () => {
  const t = await listening("lobby", { ...replay([1, 2]), seq: 5 }, { ...replay([3]), seq: 5 }, replay([4, 5]));
  expect(t.seen).toEqual(["log 1", "log 2", "log 3", "log 4", "log 5"]);
  const known = (after: number): object => ({ channel: "lobby", id: "log", after });
  expect(t.channel.sentAs("listen")).toEqual([{ channel: "lobby" }, known(2), known(3)]);
});

test("messages missed during a lost connection are requested", async () => {
  const t = await listening("lobby", replay([1]), replay([2, 3]));
  t.channel.drop();
  t.channel.accept();
  t.channel.receive("chat", message(4));
  await vi.waitFor(() => expect(t.seen).toEqual(["log 1", "log 2", "log 3", "log 4"]));
  expect(t.channel.sentAs("listen")[1]).toEqual({ channel: "lobby", id: "log", after: 1 });
});

test("a gap is filled as far as the server has the messages", async () => {
  const t = await listening("lobby", replay([1]), { ...replay([7, 8]), complete: false });
  t.channel.receive("chat", message(8));
  await vi.waitFor(() => expect(t.seen).toEqual(["log 1", "log 7", "log 8"]));
  t.channel.receive("chat", message(9));
  expect(t.seen.at(-1)).toBe("log 9");
});

test("messages of blocked players leave no gap", async () => {
  const t = await listening("lobby", { ...replay([1]), seq: 3 }, { ...replay([]), seq: 3 });
  t.channel.receive("chat_hidden", { channel: "lobby", id: "log", seq: 4 });
  t.channel.receive("chat", message(5));
  expect(t.seen).toEqual(["log 1", "log 5"]);
  expect(t.channel.sentAs("listen")).toHaveLength(2);
});

test("blocked players are blocked again on each connection", async () => {
  const { channel, lobby: own } = lobby();
  await own.block("eve");
  await own.block("mallory");
  await own.unblock("eve");
  for (let n = 0; n < 60; n++) await own.block(`bot-${n}`);
  channel.drop();
  const before = channel.sentAs("block").length;
  channel.accept();
  await vi.waitFor(() => expect(channel.sentAs("block")).toHaveLength(before + 2));
  const again = channel.sentAs("block").slice(before) as { users: string[] }[];
  expect(again.flatMap(({ users }) => users)).toEqual(own.blocked);
  expect(channel.sentAs("unblock")).toEqual([{ users: ["eve"] }]);
});

test("a refused block is not remembered", async () => {
  const { lobby: own } = lobby(refusal("quota_exceeded"));
  await expect(own.block("eve")).rejects.toMatchObject({ code: "quota_exceeded" });
  expect(own.blocked).toEqual([]);
});

test("a restarted server begins a new history", async () => {
  const t = await listening("lobby", replay([1, 2]), replay([1], "new"));
  t.channel.accept();
  await vi.waitFor(() => expect(t.seen).toEqual(["log 1", "log 2", "new 1"]));
});

test("party chat follows the player from party to party", async () => {
  const t = await listening(
    "party",
    refusal("unknown_channel"),
    replay([1, 2], "a", "party"),
    replay([5], "b", "party"),
  );
  t.channel.receive("chat", message(2, "a", "party"));
  await vi.waitFor(() => expect(t.seen).toEqual(["a 1", "a 2"]));
  t.channel.receive("chat", message(5, "b", "party"));
  await vi.waitFor(() => expect(t.seen).toEqual(["a 1", "a 2", "b 5"]));
});

test("a listener that cannot start rejects, and may try again", async () => {
  const t = lobby(refusal("rate_limited"), replay([1]));
  const seen: number[] = [];
  const hear = ({ seq }: ChatMessage): void => void seen.push(seq);
  await expect(t.lobby.chat.listen("lobby", hear)).rejects.toMatchObject({ code: "rate_limited" });
  await t.lobby.chat.listen("lobby", hear);
  expect(seen).toEqual([1]);
});

test("messages and typing go to a channel or a player", async () => {
  const t = lobby();
  await t.lobby.chat.say("party", "go");
  await t.lobby.chat.tell("bob", "psst");
  await t.lobby.chat.typing("lobby");
  await t.lobby.chat.typingTo("bob");
  expect(t.channel.sent).toEqual([
    ["chat", { channel: "party", text: "go" }],
    ["chat", { to: "bob", text: "psst" }],
    ["typing", { channel: "lobby" }],
    ["typing", { to: "bob" }],
  ]);
  const typing = vi.fn();
  t.lobby.chat.onTyping(typing);
  t.channel.receive("typing", { channel: "lobby", user: "bob", name: "Bob" });
  expect(typing).toHaveBeenCalledWith({ channel: "lobby", user: "bob", name: "Bob" });
});

const person = (user: string, status: UserPresence["status"]): UserPresence => ({ user, name: user, status });

test("subscribers of presence share one list and get their changes", async () => {
  const t = lobby(
    { ok: true, users: [person("ada", "online")] },
    { ok: true, users: [person("ada", "online"), person("bob", "match")] },
    { ok: true, users: [person("bob", "match")] },
    { ok: true, users: [person("bob", "offline")] },
  );
  const first: string[] = [];
  const second: string[] = [];
  const stop = await t.lobby.presence.subscribe(["ada"], ({ user, status }) => void first.push(`${user} ${status}`));
  await t.lobby.presence.subscribe(["ada", "bob"], ({ user, status }) => void second.push(`${user} ${status}`));
  t.channel.receive("presence", person("ada", "away"));
  expect(first).toEqual(["ada online", "ada away"]);
  stop();
  t.channel.accept();
  await vi.waitFor(() => expect(second).toEqual(["ada online", "bob match", "ada away", "bob offline"]));
  expect(first).toHaveLength(2);
  expect(t.channel.sentAs("presence")).toEqual([
    { users: ["ada"] },
    { users: ["ada", "bob"] },
    { users: ["ada", "bob"] },
    { users: ["ada", "bob"] },
  ]);
});

const party = (seq: number, more: Partial<PartyInfo> = {}): PartyInfo => ({
  seq,
  party: "p",
  code: "BCDFGH",
  leader: "ada",
  members: [],
  ...more,
});

test("a party has the newest state of answers and events", async () => {
  const t = lobby({ ok: true, party: party(2) });
  const seen: (number | undefined)[] = [];
  t.lobby.party.onChange((info) => void seen.push(info?.seq));
  t.channel.receive("party", party(1));
  t.channel.receive("party", party(2));
  await t.lobby.party.join("bcd fgh");
  t.channel.receive("party", party(3));
  t.channel.receive("party_left", { party: "older", reason: "left" });
  t.channel.receive("party_left", { party: "p", reason: "kicked" });
  t.channel.receive("party", party(1, { party: "next" }));
  expect(seen).toEqual([1, 2, 3, undefined, 1]);
  expect(t.lobby.party.info?.party).toBe("next");
});

test("a reconnected player asks for their party", async () => {
  const t = lobby({ ok: true, party: party(1) }, { ok: true, party: null });
  await t.lobby.party.create();
  const seen = vi.fn();
  t.lobby.party.onChange(seen);
  t.channel.accept();
  await vi.waitFor(() => expect(seen).toHaveBeenCalledWith(undefined));
  t.channel.accept();
  expect(t.channel.sentAs("party")).toHaveLength(1);
});

test("party requests name the player they are about", async () => {
  const t = lobby();
  const invited = vi.fn();
  t.lobby.party.onInvite(invited);
  t.channel.receive("party_invite", { party: "p", code: "BCDFGH", from: person("bob", "online") });
  expect(invited).toHaveBeenCalledOnce();
  await t.lobby.party.invite("bob");
  await t.lobby.party.promote("bob");
  await t.lobby.party.kick("bob");
  await t.lobby.party.ready();
  await t.lobby.party.leave();
  expect(t.channel.sent).toEqual([
    ["party_invite", { user: "bob" }],
    ["party_promote", { user: "bob" }],
    ["party_kick", { user: "bob" }],
    ["party_ready", { ready: true }],
    ["party_leave"],
  ]);
});

test("a closed lobby calls no listener", async () => {
  const t = await listening("lobby", replay([1]));
  const changed = vi.fn();
  t.lobby.party.onChange(changed);
  t.lobby.close();
  t.channel.receive("chat", message(2));
  t.channel.receive("party", party(1));
  t.channel.accept();
  expect(t.seen).toEqual(["log 1"]);
  expect(changed).not.toHaveBeenCalled();
});
