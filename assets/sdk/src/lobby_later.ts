// Loads the code of the queue, the list of rooms, the chat, the presence of others and the blocked people, once for all connections.

import { messageOf, TickcastError } from "./errors.js";
import { later } from "./later.js";

const load = later(() => import("./lobby_code.js"));

/** Loads the code. Throws a `TickcastError`, `unreachable`, if its file cannot be loaded; the next call tries again. */
export async function loadLobby(): Promise<typeof import("./lobby_code.js")> {
  try {
    return await load();
  } catch (error) {
    throw new TickcastError("unreachable", `a file of the SDK cannot be loaded: ${messageOf(error)}`);
  }
}
