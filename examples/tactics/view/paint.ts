// Draws the board and the units.

import { type Land, STATS, type Terrain } from "./field.ts";
import { BOARD, CORNERS, centre, type Hex, keyOf, type Point } from "./hex.ts";
import { drawIcon } from "./icons.ts";
import type { Piece } from "./pieces.ts";
import type { Trace, Wound } from "./story.ts";

/** Blue and orange, which all eyes tell apart. The sides also differ in their shapes. */
export const SIDES = { own: "#5aa9f5", other: "#f2a53a" } as const;

const GROUNDS: Readonly<Record<Terrain, string>> = {
  plain: "#263349",
  forest: "#1d4038",
  hill: "#4a4250",
  water: "#14497a",
};
const MARKS: Readonly<Record<Terrain, string>> = { plain: "", forest: "#4f9a7d", hill: "#a394ae", water: "#4d94d6" };
const TREES: readonly Point[] = [
  { x: -0.3, y: 0.1 },
  { x: 0.28, y: 0.2 },
  { x: 0, y: -0.28 },
];

/** What is drawn. */
export interface Scene {
  readonly land: Land;
  readonly cast: readonly Piece[];
  readonly lost: readonly Piece[];
  readonly fogged: ReadonlySet<string>;
  /** The hexes that the selected unit reaches, by their keys. */
  readonly reach: ReadonlySet<string>;
  /** The hexes of the enemies that it can strike from where it is. */
  readonly targets: ReadonlySet<string>;
  /** The way that it would take to the cursor. */
  readonly path: readonly Hex[];
  readonly selected: Hex | undefined;
  readonly cursor: Hex | undefined;
  /** Whether the cursor is moved by keys. */
  readonly hasKeys: boolean;
  readonly trace: Trace | undefined;
  readonly wound: Wound | undefined;
  /** The side that is drawn in blue. */
  readonly blue: number;
  place(piece: Piece): Point;
}

/** Where the board is in the picture. */
export class Board {
  /** Whether the player sits in the north, and looks at the board from there. */
  isTurned = false;
  private size = 1;
  private middle: Point = { x: 0, y: 0 };

  /** Fits the board into a part of the picture. */
  fit(left: number, top: number, width: number, height: number): void {
    this.size = Math.max(6, Math.min(width / 19.6, height / 17.4));
    this.middle = { x: left + width / 2, y: top + height / 2 };
  }

  get scale(): number {
    return this.size;
  }

  /** The pixel of a point of the board. */
  pixel({ x, y }: Point): Point {
    const turn = this.isTurned ? -this.size : this.size;
    return { x: this.middle.x + x * turn, y: this.middle.y + y * turn };
  }

  /** The point of the board at a pixel. */
  point({ x, y }: Point): Point {
    const turn = this.isTurned ? -this.size : this.size;
    return { x: (x - this.middle.x) / turn, y: (y - this.middle.y) / turn };
  }
}

export function paint(pen: CanvasRenderingContext2D, board: Board, scene: Scene): void {
  for (const hex of BOARD) paintHex(pen, board, scene, hex);
  const { trace, selected, cursor, hasKeys } = scene;
  if (trace) paintTrace(pen, board, trace);
  for (const hex of BOARD) {
    if (scene.reach.has(keyOf(hex))) paintReach(pen, board, hex);
  }
  if (scene.path.length > 0) paintPath(pen, board, [selected, ...scene.path]);
  for (const piece of scene.lost) paintLost(pen, board, piece);
  for (const piece of scene.cast)
    paintPiece(pen, board, piece, { at: scene.place(piece), isBlue: piece.side === scene.blue });
  if (selected) ring(pen, board, selected, "#ffffff", 2.5);
  for (const hex of BOARD) if (scene.targets.has(keyOf(hex))) paintTarget(pen, board, hex);
  if (cursor) ring(pen, board, cursor, hasKeys ? "#ffe27a" : "rgb(255 255 255 / 0.55)", hasKeys ? 3 : 1.5);
  if (scene.wound) paintWound(pen, board, scene.wound);
}

function paintHex(pen: CanvasRenderingContext2D, board: Board, { land, fogged }: Scene, hex: Hex): void {
  const terrain = land.get(hex) ?? "plain";
  const isDark = fogged.has(keyOf(hex));
  outline(pen, board, hex, 0.96);
  pen.fillStyle = GROUNDS[terrain];
  pen.fill();
  pen.save();
  move(pen, board, centre(hex));
  pen.strokeStyle = pen.fillStyle = MARKS[terrain];
  pen.lineWidth = 0.09;
  if (terrain === "forest") for (const tree of TREES) paintTree(pen, tree);
  if (terrain === "hill") stroke(pen, "M-.6.3Q-.3-.35 0 .3M-.1.1Q.25-.5.62.3");
  if (terrain === "water") stroke(pen, "M-.55-.15q.18-.2.37 0t.37 0 .37 0M-.45.2q.18-.2.37 0t.37 0 .2-.05");
  pen.restore();
  if (!isDark) return;
  outline(pen, board, hex, 0.96);
  pen.fillStyle = "rgb(4 6 11 / 0.56)";
  pen.fill();
}

function paintTree(pen: CanvasRenderingContext2D, { x, y }: Point): void {
  pen.beginPath();
  pen.moveTo(x, y - 0.3);
  pen.lineTo(x + 0.22, y + 0.16);
  pen.lineTo(x - 0.22, y + 0.16);
  pen.fill();
}

function paintReach(pen: CanvasRenderingContext2D, board: Board, hex: Hex): void {
  outline(pen, board, hex, 0.9);
  pen.fillStyle = "rgb(120 190 255 / 0.2)";
  pen.fill();
  const { x, y } = board.pixel(centre(hex));
  pen.beginPath();
  pen.arc(x, y, board.scale * 0.14, 0, 2 * Math.PI);
  pen.fillStyle = "#bfe0ff";
  pen.fill();
}

/** Four corners around a hex, and a cross in it: not told by the colour alone. */
function paintTarget(pen: CanvasRenderingContext2D, board: Board, hex: Hex): void {
  ring(pen, board, hex, "#ffe27a", 3);
  pen.save();
  move(pen, board, centre(hex));
  pen.strokeStyle = "#ffe27a";
  pen.lineWidth = 0.11;
  stroke(pen, "M0-.95V-.68M0 .95V.68M-.85 0H-.66M.85 0H.66");
  pen.restore();
}

function paintTrace(pen: CanvasRenderingContext2D, board: Board, { from, to, isBlow }: Trace): void {
  for (const hex of [from, to]) {
    outline(pen, board, hex, 0.9);
    pen.fillStyle = "rgb(255 226 122 / 0.16)";
    pen.fill();
  }
  line(pen, [board.pixel(centre(from)), board.pixel(centre(to))]);
  pen.setLineDash(isBlow ? [] : [board.scale * 0.2, board.scale * 0.2]);
  pen.strokeStyle = "rgb(255 226 122 / 0.6)";
  pen.lineWidth = Math.max(1.5, board.scale * 0.08);
  pen.stroke();
  pen.setLineDash([]);
}

function paintPath(pen: CanvasRenderingContext2D, board: Board, path: readonly (Hex | undefined)[]): void {
  line(
    pen,
    path.flatMap((hex) => (hex ? [board.pixel(centre(hex))] : [])),
  );
  pen.strokeStyle = "#bfe0ff";
  pen.lineWidth = Math.max(2, board.scale * 0.12);
  pen.stroke();
}

function paintPiece(
  pen: CanvasRenderingContext2D,
  board: Board,
  piece: Piece,
  { at, isBlue }: { at: Point; isBlue: boolean },
): void {
  pen.save();
  move(pen, board, at);
  if (piece.own && !piece.ready) pen.globalAlpha = 0.62;
  token(pen, isBlue);
  pen.fillStyle = isBlue ? "#123a63" : "#5a3402";
  pen.fill();
  pen.strokeStyle = isBlue ? SIDES.own : SIDES.other;
  pen.lineWidth = 0.1;
  pen.stroke();
  pen.translate(0, -0.12);
  pen.scale(0.48, 0.48);
  drawIcon(pen, piece.kind, "#ffffff");
  pen.restore();
  pen.save();
  move(pen, board, at);
  health(pen, piece, isBlue);
  if (piece.own && piece.seen) eye(pen);
  pen.restore();
}

/** A circle for blue, and a diamond for orange. */
function token(pen: CanvasRenderingContext2D, isBlue: boolean): void {
  pen.beginPath();
  if (isBlue) pen.arc(0, 0, 0.7, 0, 2 * Math.PI);
  else
    for (const [x, y] of [
      [0, -0.85],
      [0.8, 0],
      [0, 0.85],
      [-0.8, 0],
    ] as const)
      pen.lineTo(x, y);
  pen.closePath();
}

/** The health as a number, on a plate whose filled part shows it, too. */
function health(pen: CanvasRenderingContext2D, { hp, kind }: Piece, isBlue: boolean): void {
  const share = Math.max(0, Math.min(1, hp / STATS[kind].hp));
  pen.fillStyle = "#0b0f17";
  pen.fillRect(-0.5, 0.36, 1, 0.46);
  pen.fillStyle = isBlue ? "#2b6cb0" : "#a0620d";
  pen.fillRect(-0.5, 0.36, share, 0.46);
  pen.fillStyle = "#ffffff";
  pen.font = "700 0.44px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(String(hp), 0, 0.61);
}

/** An eye: the enemy sees this unit. */
function eye(pen: CanvasRenderingContext2D): void {
  pen.translate(0.55, -0.55);
  pen.beginPath();
  pen.arc(0, 0, 0.3, 0, 2 * Math.PI);
  pen.fillStyle = "#0b0f17";
  pen.fill();
  pen.strokeStyle = pen.fillStyle = "#ffe27a";
  pen.lineWidth = 0.06;
  stroke(pen, "M-.22 0Q0-.22.22 0 0 .22-.22 0Z");
  pen.beginPath();
  pen.arc(0, 0, 0.07, 0, 2 * Math.PI);
  pen.fill();
}

/** An enemy that was here when it was seen last. */
function paintLost(pen: CanvasRenderingContext2D, board: Board, piece: Piece): void {
  pen.save();
  move(pen, board, centre(piece.hex));
  pen.globalAlpha = 0.6;
  token(pen, false);
  pen.setLineDash([0.16, 0.14]);
  pen.strokeStyle = SIDES.other;
  pen.lineWidth = 0.07;
  pen.stroke();
  pen.setLineDash([]);
  pen.scale(0.42, 0.42);
  drawIcon(pen, piece.kind, SIDES.other);
  pen.restore();
}

function paintWound(pen: CanvasRenderingContext2D, board: Board, { at, damage, done }: Wound): void {
  const { x, y } = board.pixel(centre(at));
  pen.save();
  pen.globalAlpha = Math.min(1, 2 - 2 * done);
  pen.font = `800 ${Math.max(16, board.scale * 0.9)}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.lineWidth = 4;
  pen.strokeStyle = "#0b0f17";
  pen.fillStyle = "#ffe27a";
  pen.strokeText(`−${damage}`, x, y - board.scale * (0.5 + done));
  pen.fillText(`−${damage}`, x, y - board.scale * (0.5 + done));
  pen.restore();
}

function ring(pen: CanvasRenderingContext2D, board: Board, hex: Hex, colour: string, width: number): void {
  outline(pen, board, hex, 0.93);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

function outline(pen: CanvasRenderingContext2D, board: Board, hex: Hex, size: number): void {
  const middle = centre(hex);
  line(
    pen,
    CORNERS.map(({ x, y }) => board.pixel({ x: middle.x + x * size, y: middle.y + y * size })),
  );
  pen.closePath();
}

function line(pen: CanvasRenderingContext2D, points: readonly Point[]): void {
  pen.beginPath();
  for (const { x, y } of points) pen.lineTo(x, y);
}

/** Draws in units of the hexes' size around a point of the board from now on. */
function move(pen: CanvasRenderingContext2D, board: Board, at: Point): void {
  const { x, y } = board.pixel(at);
  pen.translate(x, y);
  pen.scale(board.scale, board.scale);
}

function stroke(pen: CanvasRenderingContext2D, path: string): void {
  pen.stroke(new Path2D(path));
}
