// Draws a match: a grid, and a disc for each avatar.

/** Pixels per unit. An avatar is one unit wide. */
export const SCALE = 40;

/** Draws around a middle, in units. `others` are drawn in another colour than `own`. */
export function paint(pen, seats, { own, middle }) {
  const { width, height } = pen.canvas;
  const at = ({ x, y }) => [width / 2 + (x - middle.x) * SCALE, height / 2 - (y - middle.y) * SCALE];
  pen.fillStyle = "#101620";
  pen.fillRect(0, 0, width, height);
  pen.strokeStyle = "#2a3444";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let k = 0; k <= 64; k++) {
    const [x, y] = at({ x: k, y: k });
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
    pen.moveTo(0, y);
    pen.lineTo(width, y);
  }
  pen.stroke();
  for (const [key, place] of seats) disc(pen, at(place), SCALE / 2, key === own ? "#56e0c8" : "#ffb35c");
  return at;
}

export function disc(pen, [x, y], radius, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}
