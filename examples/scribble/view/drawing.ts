// The drawer's own picture. It is there at once, and its ink goes to the server in a few commands a second.

import { append, type Op, pack } from "./ink.ts";
import { Pen, type PenOptions } from "./pen.ts";
import { apply, printOf, type Stroke } from "./picture.ts";

/** How long ink is gathered, in milliseconds. The server takes 20 commands a second. */
const GATHER = 80;
/** How long after the last answer the server's picture must be there, in milliseconds. */
const SETTLED = 1_000;

interface Options extends Omit<PenOptions, "ink"> {
  /** Sends a command. Resolves once it is answered, in whatever way. */
  send(ink: Uint8Array): Promise<void>;
  changed(): void;
}

export class Drawing {
  readonly pen: Pen;
  private queue: Op[] = [];
  private strokes: Stroke[] | undefined;
  /** The commands without an answer. */
  private sent = 0;
  private answered = 0;
  private readonly timer: number;

  constructor(private readonly options: Options) {
    this.pen = new Pen({ ...options, ink: (op) => this.ink(op) });
    this.timer = window.setInterval(() => this.flush(), GATHER);
  }

  /** The picture as the drawer sees it; `undefined` before anything was drawn. */
  get own(): readonly Stroke[] | undefined {
    return this.strokes;
  }

  /** What the server has not taken yet: commands, and ink that is not sent. */
  get waiting(): number {
    return this.sent + this.queue.length;
  }

  ink(op: Op): void {
    if (!this.options.draws()) return;
    if (typeof op === "string") this.pen.lift();
    this.strokes ??= [];
    apply(this.strokes, op);
    append(this.queue, op);
    this.options.changed();
  }

  /** Takes the server's picture where the own one is not ahead of it: at the beginning, and when ink was refused. */
  take(served: readonly Stroke[], print: string): void {
    const isSettled = !this.pen.isDown && this.waiting === 0 && performance.now() - this.answered > SETTLED;
    if (!this.strokes || (isSettled && printOf(this.strokes) !== print)) {
      this.strokes = served.map((stroke) => ({ ...stroke, points: [...stroke.points] }));
    }
  }

  /** Ink was refused: the stroke cannot go on. */
  refused(): void {
    this.pen.lift();
  }

  /** Another turn: what was not sent is of no use any more. */
  reset(): void {
    this.pen.lift();
    this.queue = [];
    this.strokes = undefined;
  }

  close(): void {
    window.clearInterval(this.timer);
    this.pen.close();
  }

  private flush(): void {
    const ops = this.queue;
    this.queue = [];
    for (const ink of pack(ops)) {
      this.sent += 1;
      void this.options.send(ink).then(() => {
        this.sent -= 1;
        this.answered = performance.now();
      });
    }
  }
}
