// The events of a match, as a list of what happened.

import type { Room } from "@tickcast/client";

import { textOf } from "./words.ts";

export interface Note {
  /** Another one for each note. */
  readonly id: number;
  readonly tick: number;
  readonly name: string;
  readonly text: string;
}

/** The most notes that are kept. */
const MOST = 100;

/** Follows the events of a room until it is closed. */
export class Log {
  /** The newest notes, newest first. */
  readonly notes: Note[] = [];
  /** The number of events since the start. */
  count = 0;
  readonly #stops: (() => void)[];

  constructor(room: Room) {
    this.#stops = [
      ...room.schema.events.map(({ name }) =>
        room.on(name, (value, tick) => this.#add(tick, name, value === true ? "" : textOf(value))),
      ),
      room.onRefused(({ message, count }) => this.#add(room.tick, "refused", `${count} inputs: ${message}`)),
      room.onDesync(({ component }) => this.#add(room.tick, "desync", component?.name ?? "")),
      room.onFault((error) => this.#add(room.tick, "fault", error.message)),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  #add(tick: number, name: string, text: string): void {
    this.count += 1;
    this.notes.unshift({ id: this.count, tick, name, text });
    if (this.notes.length > MOST) this.notes.pop();
  }
}
