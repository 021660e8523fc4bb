import { expect, test, vi } from "vitest";

import { Listeners } from "../src/listeners.js";

test("one function added twice is called twice and stopped one at a time", () => {
  const all = new Listeners<[number]>();
  const callback = vi.fn<(n: number) => void>();
  const stop = all.add(callback);
  all.add(callback);
  all.notify(1);
  stop();
  stop();
  all.notify(2);
  expect(callback.mock.calls).toEqual([[1], [1], [2]]);
});

test("an exception is reported as uncaught, and the others still hear", () => {
  const all = new Listeners<[]>();
  const later = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
  const heard = vi.fn<() => void>();
  all.add(() => {
    throw new Error("mine");
  });
  all.add(heard);
  all.notify();
  expect(heard).toHaveBeenCalledOnce();
  expect(later.mock.calls[0]?.[0]).toThrow("mine");
  later.mockRestore();
});
