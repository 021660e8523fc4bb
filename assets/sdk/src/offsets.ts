// The difference that a correction leaves between the picture and the predicted state. It is added to the picture, and decays. Pure.

import type { Codec } from "./schema.js";

/** After this time, half of an error is left, in milliseconds. */
const HALF_LIFE = 60;

interface Offset {
  columns: number[];
  at: number;
}

/** The errors that are still drawn, by entity and component. */
export class Offsets {
  readonly #all = new Map<string, Offset>();

  /** Lets a component go on from where it was drawn, `shown`, although it is predicted elsewhere. */
  set(key: string, codec: Codec, shown: readonly number[], predicted: readonly number[], now: number): void {
    const columns = codec.way(predicted, shown);
    if (columns.some((column) => column !== 0)) this.#all.set(key, { columns, at: now });
    else this.#all.delete(key);
  }

  /** Adds to a row what is left of its error. */
  apply(key: string, codec: Codec, row: number[], now: number): void {
    const offset = this.#all.get(key);
    if (offset) codec.shift(row, offset.columns, 2 ** ((offset.at - now) / HALF_LIFE));
  }

  clear(): void {
    this.#all.clear();
  }
}
