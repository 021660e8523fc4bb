// The games that this page can show, by the names that the server uses.

import { arena } from "../../../examples/arena/view/arena.ts";
import type { GameView } from "./view.ts";

const games: Record<string, GameView> = { arena };

/** The view of a game; `undefined` if this page was built without it. */
export function gameView(name: string): GameView | undefined {
  return Object.hasOwn(games, name) ? games[name] : undefined;
}
