import { expect, test, vi } from "vitest";

import { Listeners } from "../src/listeners.js";

test("a function that is added twice is called twice", () => {
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

test("an exception is reported as uncaught and stops no other callback", () => {
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
