// The conditions of a line that the inspector and the load test simulate: one file for both.

import file from "../conditions.json" with { type: "json" };

/** How a line treats the messages that are sent over it. */
export interface Conditions {
  /** The time there and back, in milliseconds. Each way takes half of it. */
  round_trip_ms: number;
  /** By how much the time there and back varies, up and down, in milliseconds. Each way varies by half of it, evenly. */
  jitter_ms: number;
  /** The share of segments that are lost, from 0 to 1. TCP sends them again, and what follows them waits. */
  loss: number;
  /**
   * How often nothing gets through in either direction, and for how long, in seconds. The first time is after half of `every_s`.
   * `null`: never.
   */
  blackout: { every_s: number; for_s: number } | null;
}

/** Conditions with a name. */
export interface Profile extends Conditions {
  name: string;
}

/** `lan`, `good`, `average`, `poor` and `mobile`. */
export const profiles: readonly Profile[] = file;
