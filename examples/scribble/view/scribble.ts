// The browser view of Scribble as the page loads it at once: the card in the lobby. What shows a match comes when it is needed.

import type { Choices, GameView, Mounted, Stage } from "@tickcast/web/view";
import { drawPoster } from "./poster.ts";

export const scribble: GameView = {
  title: "Scribble",
  tagline: "One draws, the others guess. Who is quick gets more.",
  controls: "Draw with a finger, a stylus, the mouse or the arrow keys · write what you see",
  settings: [
    {
      name: "rounds",
      label: "Rounds",
      choices: [
        ["2", 2],
        ["1", 1],
        ["3", 3],
        ["5", 5],
      ],
    },
    {
      name: "seconds",
      label: "Seconds",
      choices: [
        ["80", 80],
        ["40", 40],
        ["120", 120],
      ],
    },
  ],
  modes: [{ name: "default", label: "Everybody draws", isRated: false }],
  keys: [
    { name: "guess", label: "Write a guess", code: "KeyG" },
    { name: "undo", label: "Undo a stroke", code: "KeyU" },
  ],
  poster: drawPoster,
  mount: (stage) => new Later(stage),
};

/** A view that begins once its code is there. */
class Later implements Mounted {
  private shown: Mounted | undefined;
  private isOver = false;

  constructor(private readonly stage: Stage) {
    import("./stage.ts").then(
      ({ ScribbleStage }) => {
        if (!this.isOver) this.shown = new ScribbleStage(this.stage);
      },
      (reason: Error) => {
        this.stage.hud.textContent = `The drawing tools could not be loaded (${reason.message}). Reload the page.`;
      },
    );
  }

  state(): Record<string, unknown> {
    return this.shown?.state() ?? { status: this.stage.room.status };
  }

  result(): HTMLElement {
    return this.shown?.result() ?? document.createElement("ol");
  }

  choose(choices: Choices): void {
    this.shown?.choose(choices);
  }

  unmount(): void {
    this.isOver = true;
    this.shown?.unmount();
  }
}
