// The games that this page can show, by the name that the server hosts them under.

import { arena } from "../../../examples/arena/view/arena.ts";
import type { GameView } from "./view.ts";

const games: Record<string, GameView> = { arena };

/** The view of a game; none if the server hosts a game that this page was not built with. */
export function gameView(name: string): GameView | undefined {
  return Object.hasOwn(games, name) ? games[name] : undefined;
}
