// Some seconds of a room as an object that can be attached to a report. Pure: the time is an argument, in milliseconds.

import type { Schema } from "../schema.js";
import type { Conditions } from "./conditions.js";
import { bytesOf } from "./inside.js";
import type { Sample } from "./meter.js";

/** The facts of a room in a report. It has no tokens and no names of players. */
export interface Report {
  format: "tickcast-recording";
  version: 1;
  /** In milliseconds since 1970. */
  recorded: number;
  game: string;
  seat: number;
  hz: number;
  schema: Schema;
  config: unknown;
  /** The simulated line at the beginning. */
  conditions: Conditions | null;
  client: string;
  /** The state at the beginning, not interpolated. */
  tick: number;
  entities: unknown[];
  samples: Sample[];
  /** A message that passed, `at` milliseconds after the beginning; `data` is base64. */
  messages: { at: number; way: "up" | "down"; event: string; data: string }[];
  notes: { at: number; text: string }[];
  /** Whether there was more than fits. */
  truncated: boolean;
}

/** The facts that are known at the beginning. */
export type Beginning = Omit<Report, "format" | "version" | "samples" | "messages" | "notes" | "truncated">;

/** The most bytes of messages, before base64, and the most entities and notes. */
const MOST_BYTES = 512 * 1024;
const MOST_ENTITIES = 2_000;
const MOST_NOTES = 1_000;
/** The messages of the match: frames, events and inputs. Others have names, or the token by which a seat is resumed. */
const MESSAGES: readonly string[] = ["s", "e", "i"];

/** Collects a report. */
export class Recording {
  readonly report: Report;
  readonly #began: number;
  #bytes = 0;

  constructor(beginning: Beginning, now: number) {
    const { entities } = beginning;
    this.#began = now;
    this.report = {
      format: "tickcast-recording",
      version: 1,
      ...beginning,
      entities: entities.slice(0, MOST_ENTITIES),
      samples: [],
      messages: [],
      notes: [],
      truncated: entities.length > MOST_ENTITIES,
    };
  }

  passed(way: "up" | "down", event: string, argument: unknown, now: number): void {
    const bytes = MESSAGES.includes(event) ? bytesOf(argument) : undefined;
    if (!bytes) return;
    this.#bytes += bytes.length;
    if (this.#bytes > MOST_BYTES) this.report.truncated = true;
    else this.report.messages.push({ at: this.#since(now), way, event, data: base64(bytes) });
  }

  sampled(sample: Sample): void {
    this.report.samples.push({ ...sample, at: this.#since(sample.at) });
  }

  note(text: string, now: number): void {
    if (this.report.notes.length < MOST_NOTES) this.report.notes.push({ at: this.#since(now), text });
    else this.report.truncated = true;
  }

  #since(now: number): number {
    return Math.round((now - this.#began) * 10) / 10;
  }
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
