// The player's own ratings, by game and mode.

import { effect, signal } from "@preact/signals";
import type { Rating } from "@tickcast/client";

import { gameView } from "../game_views.ts";
import { games } from "./listing.ts";
import { stay } from "./play.ts";
import { server } from "./session.ts";

export const ratings = signal<Readonly<Record<string, Rating>>>({});

/** The key of a rating. */
export function rated(game: string, mode: string): string {
  return `${game}/${mode}`;
}

/** Fetches the ratings over each connection, and after each match. */
export function followRatings(): void {
  effect(() => {
    if (!server.value || stay.value) return;
    for (const { name } of games.value) {
      for (const mode of gameView(name)?.modes ?? []) if (mode.isRated) void fetchRating(name, mode.name);
    }
  });
}

/** Fetches a rating. A server with other modes, or one that is busy, leaves it as it was. */
export async function fetchRating(game: string, mode: string): Promise<void> {
  const rating = await server
    .peek()
    ?.matchmaking.rating(game, mode)
    .catch(() => undefined);
  if (rating) ratings.value = { ...ratings.peek(), [rated(game, mode)]: rating };
}
