// The games that this page can show, by the names that the server uses.

import { arena } from "../../../examples/arena/view/arena.ts";
import { scribble } from "../../../examples/scribble/view/scribble.ts";
import { swarm } from "../../../examples/swarm/view/swarm.ts";
import { tactics } from "../../../examples/tactics/view/tactics.ts";
import { playgroundView } from "./playground_view.ts";
import type { GameView } from "./view.ts";

const games: Record<string, GameView> = { arena, scribble, swarm, tactics };

/** The view of a game; `undefined` if this page was built without it. */
export function gameView(name: string): GameView | undefined {
  return Object.hasOwn(games, name) ? games[name] : undefined;
}

/** The view of a game: its own, or else the playground. */
export function anyView(name: string): GameView {
  return gameView(name) ?? playgroundView(name);
}
