// The interface between the page and the view of a game.

import type { Room } from "@tickcast/client";

/** The view of a game. Each game has one module, registered in `game_views.ts`. */
export interface GameView {
  readonly title: string;
  /** One line about the game, for its card in the lobby. */
  readonly tagline: string;
  /** The controls, for the card in the lobby. */
  readonly controls: string;
  /** The fields of the game's configuration that a player can choose for a private room. */
  readonly settings: readonly Setting[];
  /** The modes of the game's queues. Only the host knows them: the server does not tell which there are. */
  readonly modes: readonly Mode[];
  /** The actions of which the player can change the key. */
  readonly keys: readonly Key[];
  /** Draws the picture on the card. */
  poster(canvas: HTMLCanvasElement): void;
  /** Starts drawing the match and sending the player's input. */
  mount(stage: Stage): Mounted;
}

/** A mode of a queue. */
export interface Mode {
  /** The name that the server uses. */
  readonly name: string;
  readonly label: string;
  /** Whether the server keeps a rating for it. */
  readonly isRated: boolean;
}

/** A setting. The first choice is the default. */
export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly (readonly [label: string, value: string | number | boolean])[];
}

/** An action that has a key. */
export interface Key {
  readonly name: string;
  readonly label: string;
  /** The key as `KeyboardEvent.code`, unless the player has chosen another one. */
  readonly code: string;
}

/** The choices of a player that hold for all matches. */
export interface Choices {
  /** How loud the match is, from 0 to 1. */
  readonly volume: number;
  /** Whether people who see red and green alike must be able to tell the colours apart. */
  readonly apart: boolean;
  /** Whether the player, or their system, asks for reduced motion. */
  readonly calm: boolean;
  /** The keys that the player has chosen, as `KeyboardEvent.code`, by the names of the view's actions. */
  readonly keys: Readonly<Record<string, string>>;
}

/** The arguments of a view that shows a match. */
export interface Stage {
  readonly room: Room;
  /** The canvas, which fills the window. The view sets its resolution. */
  readonly canvas: HTMLCanvasElement;
  /** An element over the canvas that ignores the pointer. It is inside of one with the class `watching` for spectators. */
  readonly hud: HTMLElement;
  /** Where the view adds buttons of its own: beside those of the page, which are never hidden. */
  readonly tools: HTMLElement;
  /** The player's choices. The view gets later ones by `choose`. */
  readonly choices: Choices;
  /** Whether to predict the player's own avatar. The page's address turns it off with `?predict=off`, for comparison. */
  readonly predict: boolean;
}

/** A view that shows a match. */
export interface Mounted {
  /** The state of the match as the view has it, for tests and for the browser's console. */
  state(): Record<string, unknown>;
  /** The scores of now, for the end of the match and for a look in between. */
  result(): HTMLElement;
  /** Takes other choices of the player. */
  choose(choices: Choices): void;
  /** Stops drawing and removes all listeners. */
  unmount(): void;
}

/**
 * Shows a match with code that may still be on its way: `load` resolves to the function that mounts it. A view that is large loads what
 * only a match needs in this way, so that the lobby is there sooner.
 */
export function mountLater(stage: Stage, load: () => Promise<(stage: Stage) => Mounted>): Mounted {
  let { choices } = stage;
  let shown: Mounted | undefined;
  let isWanted = true;
  load().then(
    (mount) => {
      if (isWanted) shown = mount({ ...stage, choices });
    },
    (error: unknown) => {
      stage.hud.textContent = "The match could not be loaded. Please load the page again.";
      console.error("the code of the match could not be loaded", error);
    },
  );
  return {
    state: () => shown?.state() ?? {},
    result: () => shown?.result() ?? document.createElement("div"),
    choose: (chosen) => {
      choices = chosen;
      shown?.choose(chosen);
    },
    unmount: () => {
      isWanted = false;
      shown?.unmount();
    },
  };
}
