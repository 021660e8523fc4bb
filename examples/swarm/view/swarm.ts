// The view of Swarm as the lobby needs it. What a match needs besides is loaded with the first match.

import "./swarm.css";

import { type GameView, mountLater } from "@tickcast/web/view";

import { ACTIONS } from "./actions.ts";
import { Camera, type Cell, drawCells, drawCrumbs, drawFloor, SIZE } from "./draw.ts";

export const swarm: GameView = {
  title: "Swarm",
  tagline: "Eat, grow and split among a hundred. The heaviest at the end wins.",
  controls: "Point, or WASD, to go · click or Space to split · on a phone, one finger steers and a second one splits",
  settings: [
    {
      name: "minutes",
      label: "Minutes",
      choices: [
        ["5", 5],
        ["2", 2],
        ["15", 15],
      ],
    },
    {
      name: "crumbs",
      label: "Crumbs",
      choices: [
        ["5,000", 5000],
        ["2,000", 2000],
      ],
    },
  ],
  modes: [],
  keys: ACTIONS,
  poster,
  mount: (stage) =>
    mountLater(stage, async () => {
      const { SwarmView } = await import("./match.ts");
      return (stage) => new SwarmView(stage);
    }),
};

/** The picture on the card. */
function poster(canvas: HTMLCanvasElement): void {
  const pen = canvas.getContext("2d", { alpha: false });
  if (!pen) return;
  const camera = new Camera(canvas);
  camera.fit(pen);
  camera.follow({ x: SIZE / 2, y: SIZE / 2 }, 34, 0);
  drawFloor(pen, camera);
  // Spread evenly by steps that never meet.
  const crumbs = Array.from({ length: 90 }, (_, id) => ({
    id,
    x: 83 + ((id * 21.7) % 34),
    y: 88 + ((id * 9.1) % 24),
  }));
  drawCrumbs(pen, camera, crumbs, false);
  const cell = (seat: number, x: number, y: number, mass: number): Cell => ({
    seat,
    x,
    y,
    mass,
    name: "",
    kind: "equal",
  });
  drawCells(
    pen,
    camera,
    [cell(3, 96, 101, 160), cell(0, 105, 98, 60), cell(4, 107, 103, 25), cell(1, 89, 97, 40)],
    false,
  );
}
