// The view of Arena as the lobby needs it. What a match needs besides is loaded with the first match.

import "./arena.css";

import { type GameView, mountLater } from "@tickcast/web/view";
import { ACTIONS } from "./actions.ts";
import { drawPoster } from "./poster.ts";

export const arena: GameView = {
  title: "Arena",
  tagline: "A fast top-down shootout. First to the frag limit wins.",
  controls: "WASD to move · mouse to aim and shoot · R to reload · M to mute · or a gamepad, or two thumbs",
  settings: [
    {
      name: "map",
      label: "Map",
      choices: [
        ["Courtyard", "courtyard"],
        ["Cellar", "cellar"],
      ],
    },
    {
      name: "frag_limit",
      label: "Frags",
      choices: [
        ["20", 20],
        ["10", 10],
        ["50", 50],
      ],
    },
    {
      name: "minutes",
      label: "Minutes",
      choices: [
        ["5", 5],
        ["2", 2],
        ["15", 15],
      ],
    },
  ],
  modes: [
    { name: "default", label: "Free for all", isRated: false },
    { name: "2v2", label: "2 on 2", isRated: true },
  ],
  keys: ACTIONS,
  poster: drawPoster,
  mount: (stage) =>
    mountLater(stage, async () => {
      const { ArenaView } = await import("./match.ts");
      return (stage) => new ArenaView(stage);
    }),
};
