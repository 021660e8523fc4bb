// The players with the highest ratings, by game and mode.

import { signal } from "@preact/signals";
import type { Leader } from "@tickcast/client";

import { gameView } from "../game_views.ts";
import type { Mode } from "../view.ts";
import { games } from "./listing.ts";
import { fetchRating } from "./ratings.ts";
import { connected } from "./session.ts";

/** A rated mode of a hosted game. */
export interface RankedMode {
  readonly game: string;
  readonly title: string;
  readonly mode: Mode;
}

/** The leaders, by the key of a rating. A mode that is not here was not fetched yet. */
export const leaders = signal<Readonly<Record<string, readonly Leader[]>>>({});

/** The rated modes of the hosted games. */
export function rankedModes(): RankedMode[] {
  return games.value.flatMap(({ name: game }) => {
    const { title = game, modes = [] } = gameView(game) ?? {};
    return modes.filter(({ isRated }) => isRated).map((mode) => ({ game, title, mode }));
  });
}

/** Fetches the leaders of a mode, and the player's own rating. A server that is busy, or has other modes, leaves them as they were. */
export async function fetchLeaders(key: string, game: string, mode: string): Promise<void> {
  const from = await connected();
  if (!from) return;
  const told = await from.matchmaking.leaders(game, mode).catch(() => undefined);
  if (told) leaders.value = { ...leaders.peek(), [key]: told };
  await fetchRating(game, mode);
}
