// Where a guest's token is kept, and how a token of the host is fetched.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { Identity } from "../src/identity.js";
import { FakeChannel } from "./support.js";

/** The key under which the guest of a server is looked for. */
function key(url: string): string | undefined {
  let asked: string | undefined;
  const getItem = (name: string) => {
    asked = name;
    return null;
  };
  new Identity(url, { storage: { getItem, setItem: () => undefined, removeItem: () => undefined } });
  return asked;
}

test("servers below one origin keep their guests apart", () => {
  expect(key("https://play.test/a/")).toBe("tickcast:guest:https://play.test/a");
  expect(key("https://play.test/b")).toBe("tickcast:guest:https://play.test/b");
  expect(key("https://play.test/")).toBe("tickcast:guest:https://play.test");
  expect(key("https://play.test:443")).toBe(key("https://play.test/"));
});

describe("a function that fetches tokens", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A channel that shows the tokens of `source`, and the list of what it has shown. */
  function channelOf(source: () => string | Promise<string>) {
    const shown: object[] = [];
    const channel = new FakeChannel(undefined, (channel) => {
      (channel.auth as (give: (auth: object) => void) => void)((auth) => shown.push(auth));
    });
    const identity = new Identity("https://play.test", { token: source, storage: null });
    identity.show(channel, true);
    return { channel, identity, shown };
  }

  test("is called again after longer and longer pauses until it has a token", async () => {
    const calls: number[] = [];
    const start = Date.now();
    const { channel, identity, shown } = channelOf(() => {
      calls.push(Date.now() - start);
      if (calls.length < 4) throw new Error("no account");
      return "jwt";
    });
    channel.connect();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([shown, identity.failure]).toEqual([[], new Error("no account")]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([calls, shown, identity.failure]).toEqual([[0, 250, 750, 1_750], [{ token: "jwt" }], undefined]);
  });

  test("is called again if it hangs", async () => {
    let calls = 0;
    const { channel, shown } = channelOf(() => (++calls === 1 ? new Promise<string>(() => undefined) : "jwt"));
    channel.connect();
    await vi.advanceTimersByTimeAsync(10_500);
    expect([calls, shown]).toEqual([2, [{ token: "jwt" }]]);
  });

  test("answers only the newest attempt of a channel that connects, disconnects and connects", async () => {
    const give: ((token: string) => void)[] = [];
    const { channel, shown } = channelOf(() => new Promise<string>((resolve) => give.push(resolve)));
    channel.connect();
    channel.disconnect();
    channel.connect();
    for (const [n, resolve] of give.entries()) resolve(`jwt${n}`);
    await vi.advanceTimersByTimeAsync(0);
    expect(shown).toEqual([{ token: "jwt1" }]);
  });

  test("sends nothing on a channel that was disconnected meanwhile", async () => {
    let resolve: (token: string) => void = () => undefined;
    const { channel, shown } = channelOf(() => new Promise<string>((given) => (resolve = given)));
    channel.connect();
    channel.disconnect();
    resolve("jwt");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(shown).toEqual([]);
  });
});
