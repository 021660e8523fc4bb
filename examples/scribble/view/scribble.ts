// The browser view of Scribble as the page loads it at once: the card in the lobby. What shows a match comes when it is needed.

import { type GameView, mountLater } from "@tickcast/web/view";
import { drawPoster } from "./poster.ts";

export const scribble: GameView = {
  title: "Scribble",
  tagline: "One player draws, the others guess. Quick guesses score more.",
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
  mount: (stage) =>
    mountLater(stage, async () => {
      const { ScribbleStage } = await import("./stage.ts");
      return (stage) => new ScribbleStage(stage);
    }),
};
