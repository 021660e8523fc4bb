// Draws the world: its floor, the crumbs and the cells. y points up in the world and down on the screen.

/** The side of the world, in units, as in the rules. */
export const SIZE = 200;
/** The distance of the lines of the floor, in units. */
const LINES = 10;
const FLOOR = "#0d1420";
const LINE = "#18243a";
const BORDER = "#7f8fb0";

export interface Vec {
  readonly x: number;
  readonly y: number;
}

/** A cell as it is drawn. */
export interface Cell extends Vec {
  readonly seat: number;
  readonly mass: number;
  readonly name: string;
  /** What it is to the player: its own, one that could eat it, one that it could eat, or neither. */
  readonly kind: "own" | "danger" | "prey" | "equal";
}

/** The colours of seats and crumbs: of most eyes, and of those that see red and green alike. */
const COLOURS = ["#ff6b6b", "#ffd166", "#5dd39e", "#4cc9f0", "#b388eb", "#ff9f6b", "#f28cc0", "#9ad14b"];
const APART = ["#e69f00", "#56b4e9", "#f0e442", "#009e73", "#cc79a7", "#d55e00", "#8fb4ff", "#ffffff"];

/** The colour of a seat or a crumb. */
export function colour(number: number, apart: boolean): string {
  const colours = apart ? APART : COLOURS;
  return colours[number % colours.length] as string;
}

/** The radius of a cell of a mass, in units, as in the rules. */
export function radius(mass: number): number {
  return 0.4 * Math.sqrt(mass);
}

export class Camera {
  x = SIZE / 2;
  y = SIZE / 2;
  /** Pixels per unit. */
  scale = 16;
  width = 1;
  height = 1;
  private placed = false;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** Sets the resolution of the canvas to its size in device pixels. */
  fit(pen: CanvasRenderingContext2D): void {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth || 1;
    this.height = this.canvas.clientHeight || 1;
    const [width, height] = [Math.round(this.width * density), Math.round(this.height * density)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    pen.setTransform(density, 0, 0, density, 0, 0);
  }

  /** Follows a place, and shows so many units from one side of the picture to the other. */
  follow({ x, y }: Vec, units: number, seconds: number): void {
    const scale = Math.max(this.width, this.height) / units;
    const share = this.placed ? 1 - Math.exp(-seconds * 6) : 1;
    this.placed = true;
    this.x += (x - this.x) * share;
    this.y += (y - this.y) * share;
    this.scale += (scale - this.scale) * share;
  }

  /** The pixel of a place. */
  at(x: number, y: number): Vec {
    return { x: this.width / 2 + (x - this.x) * this.scale, y: this.height / 2 - (y - this.y) * this.scale };
  }

  /** Whether a circle is in the picture, at least in part. */
  sees(x: number, y: number, radius: number): boolean {
    const [wide, high] = [this.width / 2 / this.scale + radius, this.height / 2 / this.scale + radius];
    return Math.abs(x - this.x) < wide && Math.abs(y - this.y) < high;
  }
}

export function drawFloor(pen: CanvasRenderingContext2D, camera: Camera): void {
  const { width, height, scale } = camera;
  pen.fillStyle = FLOOR;
  pen.fillRect(0, 0, width, height);
  const [low, high] = [camera.at(0, 0), camera.at(SIZE, SIZE)];
  pen.strokeStyle = LINE;
  pen.lineWidth = 1;
  pen.beginPath();
  const step = LINES * scale;
  for (let x = low.x + Math.max(0, Math.ceil(-low.x / step)) * step; x <= Math.min(high.x, width); x += step) {
    pen.moveTo(x, Math.max(0, high.y));
    pen.lineTo(x, Math.min(height, low.y));
  }
  for (let y = high.y + Math.max(0, Math.ceil(-high.y / step)) * step; y <= Math.min(low.y, height); y += step) {
    pen.moveTo(Math.max(0, low.x), y);
    pen.lineTo(Math.min(width, high.x), y);
  }
  pen.stroke();
  pen.strokeStyle = BORDER;
  pen.lineWidth = 3;
  pen.strokeRect(low.x, high.y, high.x - low.x, low.y - high.y);
}

/** Draws the crumbs, and returns how many are in the picture. */
export function drawCrumbs(
  pen: CanvasRenderingContext2D,
  camera: Camera,
  crumbs: readonly (Vec & { readonly id: number })[],
  apart: boolean,
): number {
  const size = Math.max(1.5, camera.scale * 0.28);
  const seen = crumbs.filter(({ x, y }) => camera.sees(x, y, 1));
  // A path for each colour, because a change of the colour costs more than a circle.
  for (let tint = 0; tint < COLOURS.length; tint++) {
    pen.fillStyle = colour(tint, apart);
    pen.beginPath();
    for (const { id, x, y } of seen) {
      if (id % COLOURS.length !== tint) continue;
      const at = camera.at(x, y);
      pen.moveTo(at.x + size, at.y);
      pen.arc(at.x, at.y, size, 0, 2 * Math.PI);
    }
    pen.fill();
  }
  return seen.length;
}

/** Draws the cells, the small ones first, and returns how many are in the picture. */
export function drawCells(
  pen: CanvasRenderingContext2D,
  camera: Camera,
  cells: readonly Cell[],
  apart: boolean,
): number {
  const seen = cells.filter(({ x, y, mass }) => camera.sees(x, y, radius(mass))).sort((a, b) => a.mass - b.mass);
  for (const cell of seen) {
    const at = camera.at(cell.x, cell.y);
    const size = Math.max(3, radius(cell.mass) * camera.scale);
    pen.beginPath();
    pen.arc(at.x, at.y, size, 0, 2 * Math.PI);
    pen.fillStyle = colour(cell.seat, apart);
    pen.fill();
    outline(pen, cell.kind);
    label(pen, cell, at, size);
  }
  pen.setLineDash([]);
  return seen.length;
}

/** The rim says what a cell is to the player, not by its colour alone. */
function outline(pen: CanvasRenderingContext2D, kind: Cell["kind"]): void {
  pen.setLineDash(kind === "danger" ? [10, 6] : []);
  pen.lineWidth = kind === "danger" ? 5 : kind === "own" ? 4 : 1.5;
  pen.strokeStyle = kind === "danger" ? "#ffffff" : kind === "own" ? "rgb(255 255 255 / 0.8)" : "rgb(4 8 14 / 0.55)";
  pen.stroke();
}

function label(pen: CanvasRenderingContext2D, { name, mass }: Cell, at: Vec, size: number): void {
  if (size < 16) return;
  const height = Math.min(28, size * 0.42);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `650 ${height}px system-ui, sans-serif`;
  pen.lineWidth = 3;
  pen.setLineDash([]);
  pen.strokeStyle = "rgb(4 8 14 / 0.75)";
  pen.fillStyle = "#fff";
  const lines: [string, number][] = [[name, size > 30 ? -height * 0.3 : 0]];
  if (size > 30) lines.push([String(Math.round(mass)), height * 0.75]);
  for (const [text, down] of lines) {
    pen.strokeText(text, at.x, at.y + down, size * 1.7);
    pen.fillText(text, at.x, at.y + down, size * 1.7);
  }
}
