// The games that the server hosts, and its open rooms, kept up to date over every connection.

import { effect, signal } from "@preact/signals";
import type { GameInfo, RoomInfo, Server } from "@tickcast/client";

import { fail, server } from "./session.ts";

export const games = signal<readonly GameInfo[]>([]);
export const rooms = signal<readonly RoomInfo[]>([]);
/** Whether the list of rooms is there. */
export const isListed = signal(false);

/** Follows the server's lists from now on. */
export function followListing(): void {
  let stop: (() => void) | undefined;
  effect(() => {
    const from = server.value;
    if (!from) return;
    const isWanted = (): boolean => from === server.peek();
    load(from, isWanted).then(
      (unsubscribe) => {
        if (!isWanted()) return unsubscribe?.();
        stop?.();
        stop = unsubscribe;
      },
      // A failure of a connection that was replaced does not matter.
      (error: unknown) => void (isWanted() && fail(error)),
    );
  });
}

async function load(from: Server, isWanted: () => boolean): Promise<(() => void) | undefined> {
  const hosted = await from.lobby.games();
  if (!isWanted()) return undefined;
  games.value = hosted;
  return from.lobby.rooms((listed) => {
    if (!isWanted()) return;
    rooms.value = listed;
    isListed.value = true;
  });
}
