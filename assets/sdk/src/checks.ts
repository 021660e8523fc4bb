// Checks of what the server sends. All throw a `FrameError` that says what is wrong.

import { FrameError } from "./errors.js";

/** Verifies that a value is an integer. */
export function integer(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw new FrameError(`${what} ${String(value)} is not an integer`);
  return value as number;
}

/** Verifies that a value is an integer in a range. */
export function within(value: unknown, what: string, least: number, most: number): number {
  const number = integer(value, what);
  if (number < least || number > most) throw new FrameError(`${what} ${number} is not within ${least} to ${most}`);
  return number;
}

/** Verifies that a value is an integer from 0 on. */
export function natural(value: unknown, what: string, most = Number.MAX_SAFE_INTEGER): number {
  return within(value, what, 0, most);
}
