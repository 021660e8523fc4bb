// The picture of Scribble in the lobby: a sheet with a drawing that somebody has nearly finished.

const PAPER = "#fdfdf8";
const LINES: readonly (readonly [
  color: string,
  width: number,
  points: readonly (readonly [x: number, y: number])[],
])[] = [
  [
    "#6b4226",
    9,
    [
      [240, 330],
      [240, 520],
      [470, 520],
      [470, 330],
      [240, 330],
      [355, 210],
      [470, 330],
    ],
  ],
  [
    "#6b4226",
    7,
    [
      [325, 520],
      [325, 420],
      [385, 420],
      [385, 520],
    ],
  ],
  [
    "#56b4e9",
    6,
    [
      [265, 365],
      [310, 365],
      [310, 405],
      [265, 405],
      [265, 365],
    ],
  ],
  [
    "#009e73",
    10,
    [
      [60, 522],
      [120, 508],
      [180, 524],
      [240, 516],
    ],
  ],
  [
    "#009e73",
    10,
    [
      [470, 518],
      [560, 506],
      [650, 524],
      [740, 512],
    ],
  ],
  [
    "#e69f00",
    8,
    [
      [600, 60],
      [600, 30],
    ],
  ],
  [
    "#e69f00",
    8,
    [
      [545, 85],
      [520, 62],
    ],
  ],
  [
    "#e69f00",
    8,
    [
      [655, 85],
      [682, 62],
    ],
  ],
];

export function drawPoster(canvas: HTMLCanvasElement): void {
  const pen = canvas.getContext("2d", { alpha: false });
  if (!pen) return;
  const density = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = Math.round((canvas.clientWidth || 1) * density);
  canvas.height = Math.round((canvas.clientHeight || 1) * density);
  pen.fillStyle = PAPER;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const scale = Math.min(canvas.width / 800, canvas.height / 600);
  pen.setTransform(scale, 0, 0, scale, (canvas.width - 800 * scale) / 2, (canvas.height - 600 * scale) / 2);
  pen.lineCap = pen.lineJoin = "round";
  for (const [color, width, points] of LINES) {
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.stroke();
  }
  pen.strokeStyle = "#e69f00";
  pen.fillStyle = "#f0e442";
  pen.beginPath();
  pen.arc(600, 120, 44, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.fillStyle = "#101010";
  pen.font = "600 64px ui-monospace, Menlo, monospace";
  pen.textAlign = "center";
  pen.fillText("H O _ _ E", 355, 120);
}
