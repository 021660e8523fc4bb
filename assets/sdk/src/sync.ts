// Keeps the mirror in sync: applies frames, and requests a snapshot when one does not fit.

import { FrameError } from "./errors.js";
import type { Frame } from "./frame.js";
import { decodeFrame, SNAPSHOT } from "./frame.js";
import type { Applied, Mismatch } from "./mirror.js";
import { Mirror } from "./mirror.js";
import type { Schemas } from "./schema.js";
import type { Desync } from "./types.js";

/** A frame that could be read, and what it changed; `undefined` if it did not fit. */
export interface Took {
  frame: Frame;
  applied: Applied | undefined;
}

/** The surroundings of `Sync`. */
export interface SyncSink {
  /** The current time in milliseconds. */
  now(): number;
  resync(request: { component?: number; expected?: number; got?: number }): void;
  desynced(desync: Desync): void;
  fault(error: FrameError): void;
}

/** The server accepts one `resync` per second. */
const RESYNC_MS = 1_050;

/** Applies frames to a mirror and recovers from those that do not fit. */
export class Sync {
  readonly mirror: Mirror;
  readonly #schemas: Schemas;
  readonly #sink: SyncSink;
  /** Whether only a snapshot can continue the state. */
  #lost = true;
  #asked = -Infinity;
  #desyncs: Desync[] = [];

  constructor(schemas: Schemas, sink: SyncSink) {
    this.mirror = new Mirror(schemas);
    this.#schemas = schemas;
    this.#sink = sink;
  }

  /** Starts a connection whose first frame is of this kind. */
  begin(state: "snapshot" | "diff"): void {
    this.#report([]);
    this.#lost = state === "snapshot";
    // The server sends the first snapshot without a request.
    this.#asked = this.#sink.now();
  }

  /** Applies a frame. `bytes` may be the error of its decompression. Returns `undefined` if the frame cannot be read. */
  take(bytes: Uint8Array | FrameError): Took | undefined {
    const frame = this.#decode(bytes);
    if (!frame) {
      this.#lose();
      return undefined;
    }
    if (this.#lost && frame.kind !== SNAPSHOT) {
      this.#ask({});
      return { frame, applied: undefined };
    }
    const applied = this.mirror.apply(frame);
    if (!applied) {
      this.#lose();
      return { frame, applied };
    }
    if (frame.kind === SNAPSHOT) this.#found(applied);
    if (applied.mismatches.length > 0) this.#differ(applied.mismatches, frame.tick);
    return { frame, applied };
  }

  #decode(bytes: Uint8Array | FrameError): Frame | undefined {
    try {
      if (bytes instanceof FrameError) throw bytes;
      return decodeFrame(bytes, this.#schemas);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#sink.fault(error);
      return undefined;
    }
  }

  #lose(): void {
    this.#lost = true;
    this.#ask({});
  }

  #ask(request: { component?: number; expected?: number; got?: number }): void {
    const now = this.#sink.now();
    if (now - this.#asked < RESYNC_MS) return;
    this.#asked = now;
    this.#sink.resync(request);
  }

  /** Requests a snapshot. Diffs are applied until it comes: an almost correct picture is better than one that stops. */
  #differ(mismatches: readonly Mismatch[], tick: number): void {
    for (const { component, expected, got } of mismatches) {
      const type = this.#schemas.schema.components.find(({ id }) => id === component);
      this.#desyncs.push({ tick, component: type, expected, got, entities: [] });
    }
    const first = mismatches[0];
    if (first) this.#ask({ ...first });
  }

  #found(applied: Applied): void {
    this.#lost = false;
    this.#report(this.#desyncs.map(({ component }) => differing(applied, component?.id ?? 0)));
  }

  #report(entities: readonly number[][]): void {
    const desyncs = this.#desyncs;
    this.#desyncs = [];
    desyncs.forEach((desync, k) => void this.#sink.desynced({ ...desync, entities: entities[k] ?? [] }));
  }
}

/** The entities whose component was changed, added or removed by a snapshot. */
function differing({ changed, stripped, despawned }: Applied, component: number): number[] {
  const gone = despawned.filter((entity) => entity.rows[component]);
  const all = [...(changed[component] ?? []), ...(stripped[component] ?? []), ...gone];
  return all.map((entity) => entity.id).sort((a, b) => a - b);
}
