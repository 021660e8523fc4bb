// Listens to a room while the inspector is open. Nothing stays attached when it closes.

import type { Inner } from "../inner.js";
import type { Unsubscribe } from "../listeners.js";
import type { Room } from "../room.js";
import type { AnyGame } from "../types.js";
import type { Conditions } from "./conditions.js";
import { text } from "./elements.js";
import { insideOf } from "./inside.js";
import { Meter } from "./meter.js";
import type { Report } from "./recording.js";
import { Recording } from "./recording.js";
import type { Wire } from "./wire.js";
import { wireOf } from "./wire.js";

/** How often the figures change, and how often the round trip is measured, in milliseconds. */
const SAMPLE_MS = 250;
const PING_MS = 1_000;
/** How long a recording is, in milliseconds. */
const RECORD_MS = 10_000;
/** How many corrections a minute are too many: the client steps by other rules than the server. */
export const MOST_CORRECTIONS = 60;
const MOST_NOTES = 200;
const MOST_TEXT = 160;

/** Something that happened. */
export interface Note {
  tick: number;
  text: string;
  isBad: boolean;
}

/** Watches a room until it is closed. */
export class Watch {
  readonly meter: Meter;
  /** The events, oldest first. */
  readonly notes: Note[] = [];
  readonly #room: Room<AnyGame>;
  readonly #inner: Inner;
  readonly #wire: Wire;
  /** The line that was simulated before. */
  readonly #before: Conditions | null;
  readonly #drew: boolean;
  readonly #stops: Unsubscribe[] = [];
  #recording: { made: Recording; end(): void } | undefined;

  /** `sampled` is called four times a second. Throws a `TypeError` if this is no room. */
  constructor(room: Room<AnyGame>, sampled: () => void) {
    this.#room = room;
    this.#wire = wireOf(room);
    this.#inner = insideOf(room);
    this.#before = this.#wire.conditions;
    this.#drew = this.#inner.draws;
    this.meter = new Meter(this.#inner.schemas, performance.now());
    this.#stops.push(
      this.#wire.observe({
        sent: (event, argument) => {
          this.meter.sent(event, argument);
          this.#recording?.made.passed("up", event, argument, performance.now());
        },
        received: (event, argument) => {
          this.meter.received(event, argument);
          this.#recording?.made.passed("down", event, argument, performance.now());
        },
      }),
      room.onFrame((tick) => this.meter.framed(performance.now(), tick, room.stats.prediction?.error.last)),
      room.onStatus((status) => this.#note(status, status === "reconnecting")),
      room.onDesync(({ tick, component, entities }) => {
        this.#note(`desync of ${component?.name ?? "?"} at tick ${tick}, entities ${entities.join(", ")}`, true);
      }),
      room.onFault((error) => this.#note(error.message, true)),
      room.onRefused(({ message, count }) => this.#note(`refused ${count} inputs: ${message}`, true)),
      ...room.schema.events.map(({ name }) => room.on(name, (value) => this.#note(`${name} ${text(value)}`, false))),
      every(SAMPLE_MS, () => {
        const sample = this.meter.sample(performance.now(), room.stats);
        this.#recording?.made.sampled(sample);
        sampled();
      }),
      every(PING_MS, () => void this.#ping()),
    );
    void this.#ping();
  }

  /** The line that is simulated. */
  get conditions(): Conditions | null {
    return this.#wire.conditions;
  }

  simulate(conditions: Conditions | null): void {
    this.#wire.simulate(conditions);
  }

  /** Whether the room draws what it predicts, if it predicts. */
  get draws(): boolean {
    return this.#inner.draws;
  }

  set draws(on: boolean) {
    this.#inner.draws = on;
  }

  /** How often prediction is corrected, a minute. */
  get correctionRate(): number {
    return this.meter.correctionRate(performance.now());
  }

  /** Records ten seconds, or less if the inspector closes. A recording that is under way goes on. */
  record(): Promise<Report> | undefined {
    if (this.#recording) return undefined;
    const { game, seat, hz, schema, config, tick, entities } = this.#room;
    const names = schema.components.map(({ name }) => name);
    const state = [...entities].map((entity) => ({
      id: entity.id,
      ...Object.fromEntries(names.map((name) => [name, entity[name]])),
    }));
    const beginning = { recorded: Date.now(), game, seat, hz, schema, config, tick, entities: state };
    const client = globalThis.navigator?.userAgent ?? "";
    const made = new Recording({ ...beginning, conditions: this.conditions, client }, performance.now());
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#recording = undefined;
        resolve(made.report);
      };
      const timer = setTimeout(end, RECORD_MS);
      this.#recording = { made, end };
    });
  }

  /** Stops watching, and leaves the line and the picture as they were. */
  close(): void {
    this.#recording?.end();
    for (const stop of this.#stops.splice(0)) stop();
    this.#wire.simulate(this.#room.status === "over" ? null : this.#before);
    this.#inner.draws = this.#drew;
  }

  /** While inputs flow, the server may read a request only at its next tick, but a second one at once. */
  async #ping(): Promise<void> {
    if ((await this.#wire.ping()) === undefined) return;
    const rtt = await this.#wire.ping();
    if (rtt !== undefined) this.meter.pinged(rtt);
  }

  #note(note: string, isBad: boolean): void {
    const said = note.length > MOST_TEXT ? `${note.slice(0, MOST_TEXT)}…` : note;
    this.notes.push({ tick: this.#room.tick, text: said, isBad });
    if (this.notes.length > MOST_NOTES) this.notes.shift();
    this.#recording?.made.note(said, performance.now());
  }
}

function every(ms: number, act: () => void): Unsubscribe {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}
