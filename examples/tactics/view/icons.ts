// The signs of the kinds of units, in a box from -1 to 1.

import type { Tactics } from "./types.d.ts";

type Kind = Tactics["components"]["Unit"]["kind"];

const ICONS: Readonly<Record<Kind, { readonly path: string; readonly isLine: boolean }>> = {
  Captain: { path: "M-.6.45-.75-.4-.3.02 0-.6.3.02.75-.4.6.45Z", isLine: false },
  Guard: { path: "M0-.7.58-.45V.05C.58.42.28.62 0 .74-.28.62-.58.42-.58.05V-.45Z", isLine: false },
  Archer: { path: "M-.25-.65A.82.82 0 0 1-.25.65M-.25-.65V.65M-.6 0H.7M.42-.24.7 0 .42.24", isLine: true },
  Scout: { path: "M-.55-.5-.05 0-.55.5M.05-.5.55 0 .05.5", isLine: true },
};

export function drawIcon(pen: CanvasRenderingContext2D, kind: Kind, colour: string): void {
  const { path, isLine } = ICONS[kind];
  const shape = new Path2D(path);
  pen.fillStyle = pen.strokeStyle = colour;
  pen.lineWidth = 0.2;
  pen.lineCap = pen.lineJoin = "round";
  if (isLine) pen.stroke(shape);
  else pen.fill(shape);
}
