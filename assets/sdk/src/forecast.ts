// The interface between what the room draws and what predicts it.

import type { StepSource } from "./accuracy.js";

/** An entity as the server has described it. */
export interface ToldEntity {
  readonly id: number;
  /** The columns, by component id. */
  readonly rows: readonly (readonly number[] | undefined)[];
}

/** The part of a frame that is not state. */
export interface Told {
  tick: number;
  /** The number of the newest input that the server has taken; 0 before the first. */
  taken: number;
  /** How many ticks before its own tick that input came. */
  margin: number;
  /** The id of the player's avatar. */
  avatar: number;
}

/** The result of comparing a prediction with the server's state. */
export interface Loaded {
  /** Whether the state differed from what was predicted for its tick. */
  isCorrected: boolean;
  /** Whether the difference must be drawn at once. */
  isSnapped: boolean;
  /** The ticks that were stepped again. */
  replayed: number;
}

/** Rows that are not rounded, by entity and component. */
export type State = ReadonlyMap<number, readonly (number[] | undefined)[]>;

/**
 * The player's own entities, stepped ahead of the server with the inputs that are on their way. It mends itself when the server
 * tells its state.
 */
export interface Forecast {
  readonly source: StepSource;
  /** The wire ids of the components that it predicts. */
  readonly components: readonly number[];
  /** Whether it looks at other entities than the avatar, and wants to be told of all. */
  readonly seesOthers: boolean;
  /** The newest tick that is predicted; 0 before the first state. */
  readonly tick: number;
  /** Notes an input that was sent for a tick. */
  input(seq: number, tick: number, row: readonly number[]): void;
  /** Takes the server's state of a tick, and steps up to where the prediction was. */
  load(told: Told, entities: readonly ToldEntity[]): Loaded;
  /** Steps up to a tick. It stops early if the server has told nothing for long. */
  advance(tick: number): void;
  /** Returns the prediction for a tick, from the newest that the server has told on; `undefined` for other ticks. */
  at(tick: number): State | undefined;
  /** Returns the next tick as it would be with an input. Nothing changes. */
  peek(input: readonly number[]): State;
  /** Forgets the state, and the inputs unless they still count. */
  reset(keepsInputs: boolean): void;
}
