// Taking a seat: from a ticket to `welcome`, over lost connections, and giving it up on the way.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Grant } from "../src/messages.js";
import { takeSeat } from "../src/seat.js";
import { welcome } from "./seat.js";
import { FakeChannel } from "./support.js";

let channel: FakeChannel;
let grant: Grant;
let abort: AbortController;
let shown: object[];
const release = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  release.mockClear();
  shown = [];
  channel = new FakeChannel(undefined, (channel) => shown.push(channel.pass()));
  grant = { ticket: "first", url: "", room: "r1" };
  abort = new AbortController();
});
afterEach(() => void vi.useRealTimers());

const take = () =>
  takeSeat(
    {
      gameplay: () => ({
        channel,
        timeout: 1_000,
        isSaturated: () => false,
        tryAnother: () => () => undefined,
        address: (file) => file,
        cut: () => undefined,
        release,
      }),
    },
    grant,
    abort.signal,
  );

test("a temporary refusal or a closed namespace is tried again with the same ticket", async () => {
  const taking = take();
  channel.refuse("rate_limited: wait");
  await vi.advanceTimersByTimeAsync(1_100);
  channel.accept();
  channel.drop("io server disconnect");
  await vi.advanceTimersByTimeAsync(1_100);
  channel.accept();
  channel.receive("welcome", welcome());
  expect((await taking).seat).toBe(2);
  expect(shown).toEqual([{ ticket: "first" }, { ticket: "first" }, { ticket: "first" }]);
});

test("the room names the mode that the matchmaker told", async () => {
  grant = { ...grant, game: "yard", mode: "2v2", team: 2 };
  const taking = take();
  channel.accept();
  channel.receive("welcome", welcome());
  const { mode, team } = await taking;
  expect([mode, team]).toEqual(["2v2", 2]);
});

test("a refused ticket is replaced by a fresh one, if there is one", async () => {
  const taking = take();
  grant.ticket = "second";
  channel.refuse("ticket_expired: too old");
  channel.refuse("ticket_used: it is used up");
  await expect(taking).rejects.toMatchObject({ code: "ticket_used" });
  expect(shown).toEqual([{ ticket: "first" }, { ticket: "second" }]);
  expect(release).toHaveBeenCalledOnce();
});

test("a seat that is given up before welcome comes is refused at once", async () => {
  const taking = take();
  channel.accept();
  channel.receive("over", { reason: "closed", message: "ticket_expired: the seat was given up", winners: [] });
  await expect(taking).rejects.toMatchObject({ code: "ticket_expired", message: "the seat was given up" });
  expect(release).toHaveBeenCalledOnce();
});

test("an attempt that is aborted leaves the seat that it gets", async () => {
  const taking = take();
  channel.accept();
  abort.abort(new Error("closed"));
  await expect(taking).rejects.toThrow("closed");
  expect(release).not.toHaveBeenCalled();
  channel.receive("welcome", welcome());
  await vi.advanceTimersByTimeAsync(0);
  expect(channel.sentAs("leave")).toHaveLength(1);
  expect(release).toHaveBeenCalledOnce();
});

test("an attempt that is aborted ends even if no answer comes", async () => {
  const taking = take();
  abort.abort(new Error("closed"));
  await expect(taking).rejects.toThrow("closed");
  await vi.advanceTimersByTimeAsync(2_100);
  expect(release).toHaveBeenCalledOnce();
});

test("nothing is tried after an abort", async () => {
  abort.abort(new Error("closed"));
  await expect(take()).rejects.toThrow("closed");
  expect(shown).toEqual([]);
});
