// A colour for each seat. Sixteen players can be told apart.

/** A hue, and how much lighter than others it is drawn, in percent. */
type Tint = readonly [hue: number, lighter: number];

const PLAIN: readonly Tint[] = [168, 14, 208, 46, 282, 95, 330, 190, 28, 250, 130, 355, 70, 225, 305, 150].map(
  (hue) => [hue, 0],
);
/** Blue and orange, and lighter and darker ones: nobody has to tell red from green. */
const APART: readonly Tint[] = [
  ...[0, 14, -14].flatMap((lighter): Tint[] => [
    [212, lighter],
    [36, lighter],
    [52, lighter + 6],
    [190, lighter - 6],
  ]),
  ...[20, -20].flatMap((lighter): Tint[] => [
    [225, lighter],
    [44, lighter],
  ]),
];

let tints = PLAIN;

/** Whether the colours must be told apart by people who see red and green alike. It holds for all that is drawn from now on. */
export function tellApart(apart: boolean): void {
  tints = apart ? APART : PLAIN;
}

function tint(seat: number): Tint {
  return tints[(seat - 1 + tints.length) % tints.length] ?? [0, 0];
}

export function colour(seat: number, lightness = 60, alpha = 1): string {
  const [hue, lighter] = tint(seat);
  return `hsl(${hue} 85% ${Math.max(12, Math.min(96, lightness + lighter))}% / ${alpha})`;
}

const glows = new Map<string, HTMLCanvasElement>();

/** A soft light in the colour of a seat. It is drawn once and copied in the mode `lighter`. */
export function glow(seat: number): HTMLCanvasElement {
  const known = glows.get(colour(seat));
  if (known) return known;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext("2d");
  if (pen) {
    const light = pen.createRadialGradient(32, 32, 0, 32, 32, 32);
    light.addColorStop(0, colour(seat, 82, 0.9));
    light.addColorStop(0.25, colour(seat, 62, 0.4));
    light.addColorStop(1, colour(seat, 50, 0));
    pen.fillStyle = light;
    pen.fillRect(0, 0, 64, 64);
  }
  glows.set(colour(seat), canvas);
  return canvas;
}
