// What a drawer does, as the bytes of the command `Draw`. `src/ink.rs` describes them, and a test holds the two together.

/** The greatest x and y of a point on the sheet. */
export const WIDE = 800;
export const HIGH = 600;
/** The most bytes of ink in a command, and the most steps in one part of it, so that a part always fits. */
const MOST_BYTES = 480;
const MOST_STEPS = 120;
/** The longest step, on each axis. */
const REACH = 127;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Step {
  readonly dx: number;
  readonly dy: number;
}

export type Op =
  | { readonly Begin: { readonly color: number; readonly width: number; readonly at: Point } }
  | { readonly Steps: readonly Step[] }
  | "Undo"
  | "Clear";

export function encode(op: Op): number[] {
  if (op === "Undo") return [3];
  if (op === "Clear") return [4];
  if ("Steps" in op) return [2, op.Steps.length, ...op.Steps.flatMap(({ dx, dy }) => [dx & 255, dy & 255])];
  const { color, width, at } = op.Begin;
  return [1, color, width, at.x & 255, at.x >> 8, at.y & 255, at.y >> 8];
}

/** Packs ink into commands. */
export function pack(ops: readonly Op[]): Uint8Array[] {
  const commands: number[][] = [];
  for (const bytes of ops.map(encode)) {
    const last = commands.at(-1);
    if (last && last.length + bytes.length <= MOST_BYTES) last.push(...bytes);
    else commands.push(bytes);
  }
  return commands.map((bytes) => Uint8Array.from(bytes));
}

/** The steps from a point to another, each as long as a step may be. */
export function stepsTo(from: Point, to: Point): Step[] {
  const count = Math.ceil(Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) / REACH);
  const on = (k: number): Point => ({
    x: Math.round(from.x + ((to.x - from.x) * k) / count),
    y: Math.round(from.y + ((to.y - from.y) * k) / count),
  });
  return Array.from({ length: count }, (_, k) => ({ dx: on(k + 1).x - on(k).x, dy: on(k + 1).y - on(k).y }));
}

/** Adds ink to a queue. Steps that follow each other become one part. */
export function append(queue: Op[], op: Op): void {
  const last = queue.at(-1);
  const isJoined = typeof op === "object" && "Steps" in op && typeof last === "object" && "Steps" in last;
  if (isJoined && last.Steps.length + op.Steps.length <= MOST_STEPS) {
    queue[queue.length - 1] = { Steps: [...last.Steps, ...op.Steps] };
  } else if (typeof op === "object" && "Steps" in op) {
    for (let k = 0; k < op.Steps.length; k += MOST_STEPS) queue.push({ Steps: op.Steps.slice(k, k + MOST_STEPS) });
  } else {
    queue.push(op);
  }
}
