// The view of Tactics as the lobby needs it. What a match needs besides is loaded with the first match.

import "./tactics.css";

import { type GameView, mountLater } from "@tickcast/web/view";
import { drawPoster } from "./poster.ts";

export const tactics: GameView = {
  title: "Tactics",
  tagline: "Two armies in the fog, turn by turn. Find their captain before they find yours.",
  controls: "click or tap · or arrows and Space · N for the next unit · U to undo · E to end the turn",
  settings: [
    {
      name: "minutes",
      label: "Minutes",
      choices: [
        ["5", 5],
        ["2", 2],
        ["15", 15],
        ["60", 60],
      ],
    },
    {
      name: "increment",
      label: "And a turn",
      choices: [
        ["10 s", 10],
        ["0 s", 0],
        ["30 s", 30],
      ],
    },
    {
      name: "fog",
      label: "Fog",
      choices: [
        ["hides units", true],
        ["none", false],
      ],
    },
  ],
  modes: [{ name: "duel", label: "1 on 1", isRated: true }],
  keys: [
    { name: "up", label: "Cursor up", code: "ArrowUp" },
    { name: "down", label: "Cursor down", code: "ArrowDown" },
    { name: "left", label: "Cursor left", code: "ArrowLeft" },
    { name: "right", label: "Cursor right", code: "ArrowRight" },
    { name: "act", label: "Select, move or strike", code: "Space" },
    { name: "next", label: "Next unit", code: "KeyN" },
    { name: "undo", label: "Take a move back", code: "KeyU" },
    { name: "end", label: "End the turn", code: "KeyE" },
  ],
  poster: drawPoster,
  mount: (stage) =>
    mountLater(stage, async () => {
      const { Match } = await import("./match.ts");
      return (stage) => new Match(stage, tactics.keys);
    }),
};
