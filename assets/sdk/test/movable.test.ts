// A channel moves between connections while it is used.

import { expect, test } from "vitest";
import { MovableChannel } from "../src/movable.js";
import { FakeChannel } from "./support.js";

test("a channel that moves sends its CONNECT, unless that is out already, and shows the same later", () => {
  for (const hasEntered of [false, true]) {
    const [old, next] = [new FakeChannel(), new FakeChannel()];
    const shown: object[] = [];
    next.connect = () => {
      if (typeof next.auth === "function") next.auth((auth) => void shown.push(auth));
      return next;
    };
    const channel = new MovableChannel(old);
    channel.auth = (give) => give({ resume: "token" });
    const heard: unknown[] = [];
    channel.on("s", (frame) => void heard.push(frame));
    channel.moveTo(next, hasEntered);
    expect(shown).toEqual(hasEntered ? [] : [{ resume: "token" }]);
    next.connect();
    expect(shown.at(-1)).toEqual({ resume: "token" });
    old.receive("s", 1);
    next.receive("s", 2);
    expect(heard).toEqual([2]);
  }
});
