// The picture of Tactics in the lobby: a still of the board.

import { drawIcon } from "./icons.ts";

const ROWS = 7;
const COLUMNS = 9;
/** Terrain and units of the still, row by row: forest, hill, water, and the two sides. */
const KINDS = ["Scout", "Captain", "Guard", "Archer"] as const;
const STILL = ["..f......", ".ff..h.o.", "...w...o.", ".b.ww....", "..b..ff..", ".b.h..f..", "........."];
const GROUNDS: Readonly<Record<string, string>> = { f: "#1d4038", h: "#4a4250", w: "#14497a" };

export function drawPoster(canvas: HTMLCanvasElement): void {
  const pen = canvas.getContext("2d", { alpha: false });
  if (!pen) return;
  const density = Math.min(window.devicePixelRatio || 1, 2);
  const [width, height] = [canvas.clientWidth || 1, canvas.clientHeight || 1];
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  pen.setTransform(density, 0, 0, density, 0, 0);
  pen.fillStyle = "#06080d";
  pen.fillRect(0, 0, width, height);
  let units = 0;
  const size = Math.max(width / (COLUMNS - 1) / Math.sqrt(3), height / (ROWS - 1) / 1.5);
  for (let row = 0; row < ROWS; row++) {
    for (let column = -1; column <= COLUMNS; column++) {
      const x = width / 2 + Math.sqrt(3) * size * (column - (COLUMNS - 1) / 2 + (row % 2) / 2);
      const y = height / 2 + 1.5 * size * (row - (ROWS - 1) / 2);
      const mark = STILL[row]?.[column] ?? ".";
      // The fog begins beyond what the blue side sees.
      drawHex(pen, { x, y, size, fill: GROUNDS[mark] ?? "#263349", isDark: column + row / 3 > 6 });
      if (mark === "b" || mark === "o") {
        const kind = KINDS[units++ % KINDS.length] ?? "Guard";
        drawUnit(pen, { x, y, size, kind, isBlue: mark === "b", isLost: column + row / 3 > 6.5 });
      }
    }
  }
}

function drawHex(
  pen: CanvasRenderingContext2D,
  { x, y, size, fill, isDark }: { x: number; y: number; size: number; fill: string; isDark: boolean },
): void {
  pen.beginPath();
  for (let corner = 0; corner < 6; corner++) {
    const angle = (corner * Math.PI) / 3 - Math.PI / 2;
    pen.lineTo(x + Math.cos(angle) * size * 0.96, y + Math.sin(angle) * size * 0.96);
  }
  pen.fillStyle = fill;
  pen.fill();
  if (!isDark) return;
  pen.fillStyle = "rgb(4 6 11 / 0.56)";
  pen.fill();
}

interface Unit {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly kind: (typeof KINDS)[number];
  readonly isBlue: boolean;
  /** Whether it is only remembered. */
  readonly isLost: boolean;
}

function drawUnit(pen: CanvasRenderingContext2D, { x, y, size, kind, isBlue, isLost }: Unit): void {
  pen.beginPath();
  if (isBlue) pen.arc(x, y, size * 0.62, 0, 2 * Math.PI);
  else
    for (const [dx, dy] of [
      [0, -0.75],
      [0.7, 0],
      [0, 0.75],
      [-0.7, 0],
    ] as const)
      pen.lineTo(x + dx * size, y + dy * size);
  pen.closePath();
  pen.setLineDash(isLost ? [size * 0.16, size * 0.14] : []);
  pen.fillStyle = isLost ? "transparent" : isBlue ? "#123a63" : "#5a3402";
  pen.strokeStyle = isBlue ? "#5aa9f5" : "#f2a53a";
  pen.lineWidth = size * 0.1;
  pen.fill();
  pen.stroke();
  pen.setLineDash([]);
  pen.save();
  pen.translate(x, y);
  pen.scale(size * 0.4, size * 0.4);
  drawIcon(pen, kind, isLost ? "#f2a53a" : "#ffffff");
  pen.restore();
}
