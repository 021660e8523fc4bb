// A colour for each seat. Sixteen players can be told apart.

const HUES = [168, 14, 208, 46, 282, 95, 330, 190, 28, 250, 130, 355, 70, 225, 305, 150];

export function hue(seat: number): number {
  return HUES[(seat - 1 + HUES.length) % HUES.length] ?? 0;
}

export function colour(seat: number, lightness = 60, alpha = 1): string {
  return `hsl(${hue(seat)} 85% ${lightness}% / ${alpha})`;
}

const glows = new Map<number, HTMLCanvasElement>();

/** A soft light in the colour of a seat. It is drawn once and copied in the mode `lighter`. */
export function glow(seat: number): HTMLCanvasElement {
  const known = glows.get(hue(seat));
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
  glows.set(hue(seat), canvas);
  return canvas;
}
