// What the page asks of a game's view, and what it gives to it.

import type { Room } from "@tickcast/client";

/** A game as the page shows it. One module a game, registered in `games.ts`. */
export interface GameView {
  readonly title: string;
  /** One line for the card in the lobby. */
  readonly tagline: string;
  /** How to play, for the card in the lobby. */
  readonly controls: string;
  /** What whoever opens a private room may choose: fields of the game's configuration. */
  readonly settings: readonly Setting[];
  /** Draws the picture of the card. */
  poster(canvas: HTMLCanvasElement): void;
  /** Begins to draw the match and to send what the player does. */
  mount(stage: Stage): Mounted;
}

/** One choice, its default first. */
export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly (readonly [label: string, value: string | number])[];
}

/** Where a view lives while a match is on. */
export interface Stage {
  readonly room: Room;
  /** Fills the window; the view sets its resolution. */
  readonly canvas: HTMLCanvasElement;
  /** Lies over the canvas and lets the pointer through. */
  readonly hud: HTMLElement;
  /** The player asked the system for less motion. */
  readonly calm: boolean;
}

export interface Mounted {
  /** What the view knows of the match, for tests and for the curious; read from the room's mirror. */
  state(): Record<string, unknown>;
  unmount(): void;
}
