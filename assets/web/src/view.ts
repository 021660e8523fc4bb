// The interface between the page and the view of a game.

import type { Room } from "@tickcast/client";

/** The view of a game. Each game has one module, registered in `games.ts`. */
export interface GameView {
  readonly title: string;
  /** One line about the game, for its card in the lobby. */
  readonly tagline: string;
  /** The controls, for the card in the lobby. */
  readonly controls: string;
  /** The fields of the game's configuration that a player can choose for a private room. */
  readonly settings: readonly Setting[];
  /** Draws the picture on the card. */
  poster(canvas: HTMLCanvasElement): void;
  /** Starts drawing the match and sending the player's input. */
  mount(stage: Stage): Mounted;
}

/** A setting. The first choice is the default. */
export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly (readonly [label: string, value: string | number])[];
}

/** The arguments of a view that shows a match. */
export interface Stage {
  readonly room: Room;
  /** The canvas, which fills the window. The view sets its resolution. */
  readonly canvas: HTMLCanvasElement;
  /** An element over the canvas that ignores the pointer. */
  readonly hud: HTMLElement;
  /** Where the view adds buttons of its own: beside those of the page, which are never hidden. */
  readonly tools: HTMLElement;
  /** Whether the player's system asks for reduced motion. */
  readonly calm: boolean;
  /** Whether to predict the player's own avatar. The page's address turns it off with `?predict=off`, for comparison. */
  readonly predict: boolean;
}

/** A view that shows a match. */
export interface Mounted {
  /** The state of the match as the view has it, for tests and for the browser's console. */
  state(): Record<string, unknown>;
  /** The final scores, for the end of the match. */
  result(): HTMLElement;
  /** Stops drawing and removes all listeners. */
  unmount(): void;
}
