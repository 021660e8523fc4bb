// Measures how well prediction does. Pure.

/** The source of the steps: the game's own rules as a module, or a function in TypeScript. */
export type StepSource = "module" | "function";

/** Measurements of prediction. */
export interface PredictionStats {
  /** The source of the steps: the game's own rules as a module (`predictWith`), or a function in TypeScript (`predict`). */
  source: StepSource;
  /**
   * How far the predicted state was from the server's, over the last frames: the median, and the value that 95% of them do not
   * exceed, and that of the newest. In the units of the component that differs most.
   */
  error: { p50: number; p95: number; last: number };
  /** How often the server's state replaced the predicted one in the last minute. */
  corrections: number;
  /** How often it did so in all. */
  corrected: number;
  /** How many ticks were stepped again after corrections, in all. */
  replayed: number;
}

const SAMPLES = 512;
const MINUTE = 60_000;

/** Collects the measurements. */
export class Accuracy {
  readonly #errors: number[] = [];
  #next = 0;
  #corrections: number[] = [];
  #last = 0;
  #corrected = 0;
  #replayed = 0;
  readonly #source: StepSource;

  constructor(source: StepSource) {
    this.#source = source;
  }

  compared(error: number): void {
    this.#errors[this.#next] = this.#last = error;
    this.#next = (this.#next + 1) % SAMPLES;
  }

  corrected(now: number, replayed: number): void {
    this.#corrections.push(now);
    this.#corrected += 1;
    this.#replayed += replayed;
    this.#forget(now);
  }

  stats(now: number): PredictionStats {
    this.#forget(now);
    const sorted = [...this.#errors].sort((a, b) => a - b);
    const share = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
    return {
      source: this.#source,
      error: { p50: share(0.5), p95: share(0.95), last: this.#last },
      corrections: this.#corrections.length,
      corrected: this.#corrected,
      replayed: this.#replayed,
    };
  }

  #forget(now: number): void {
    let old = 0;
    while ((this.#corrections[old] ?? Infinity) <= now - MINUTE) old++;
    this.#corrections.splice(0, old);
  }
}
