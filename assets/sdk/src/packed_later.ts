// Loads the code of packed lists, once for all rooms.

import { FrameError, messageOf } from "./errors.js";
import { later } from "./later.js";

type PackedCode = typeof import("./packed.js");

let code: PackedCode | undefined;

const load = later(async () => (code = await import("./packed.js")));

/** Loads the code. Throws a `FrameError` if its file cannot be loaded; the next packed list tries again. */
export async function loadPacked(): Promise<void> {
  try {
    await load();
  } catch (error) {
    throw new FrameError(`packed lists cannot be read: ${messageOf(error)}`);
  }
}

/** Decodes a packed list. Throws a `FrameError` if it is malformed, or if the code is not there. */
export function unpack(decode: (code: PackedCode) => number[]): number[] {
  if (!code) {
    load().catch(() => undefined);
    throw new FrameError("the code of packed lists is not there");
  }
  try {
    return decode(code);
  } catch (error) {
    throw new FrameError(messageOf(error));
  }
}
