// The recent past of the mirror, from which the state at any moment between two frames is interpolated. Pure: time is
// an argument, in ticks.

import { MERGED, SNAPSHOT } from "./frame.js";
import type { Applied, Entity } from "./mirror.js";
import type { Codec, Schemas } from "./schema.js";
import { SEAT } from "./schema.js";

/** A component's row from `tick` on. From `from` to `tick` it moved there from the row of the previous keyframe. */
interface Keyframe {
  from: number;
  tick: number;
  /** `undefined` if the entity lost the component at `tick`. */
  row: number[] | undefined;
  /** The decoded value of the row, cached when it is first drawn. */
  value: unknown;
}

/** The keyframes of an entity over its lifetime. */
interface Track {
  id: number;
  born: number;
  gone: number;
  /** By component id, oldest keyframe first. */
  keys: (Keyframe[] | undefined)[];
}

/** An entity at one moment, with the requested components. */
export type Sample = { id: number } & Record<string, unknown>;

/** From how many diffs the usual distance between frames is estimated. */
const STRIDE_WINDOW = 32;

/** The keyframes of all entities over the recent past. */
export class Timeline {
  readonly #codecs: readonly (Codec | undefined)[];
  readonly #keep: number;
  readonly #tracks = new Set<Track>();
  readonly #live = new Map<number, Track>();
  readonly #row: number[] = [];
  readonly #stride = { now: Infinity, next: Infinity, seen: 0 };

  /** `keep` is how many ticks back `sample` can go. */
  constructor(schemas: Schemas, keep: number) {
    this.#codecs = schemas.components;
    this.#keep = keep;
  }

  /** The usual distance of two frames in ticks: 1 if the server sends one every tick. */
  get stride(): number {
    return Number.isFinite(this.#stride.now) ? this.#stride.now : 1;
  }

  /** Records the changes that a frame made to the mirror. */
  record(applied: Applied): void {
    const { frame, spawned, despawned, changed, stripped } = applied;
    const { tick } = frame;
    const from = this.#from(applied);
    for (const entity of despawned) {
      const track = this.#live.get(entity.id);
      if (track) track.gone = tick;
      this.#live.delete(entity.id);
    }
    for (const entity of spawned) {
      const track: Track = { id: entity.id, born: tick, gone: Infinity, keys: [] };
      this.#tracks.add(track);
      this.#live.set(entity.id, track);
    }
    changed.forEach((entities, component) => {
      for (const entity of entities ?? []) this.#key(entity, component, from, tick);
    });
    stripped.forEach((entities, component) => {
      for (const entity of entities ?? []) this.#key(entity, component, tick, tick);
    });
    for (const track of this.#tracks) {
      if (track.gone <= tick - this.#keep) this.#tracks.delete(track);
    }
  }

  /** The entities that have all of `components` at `tick`, with their values by component name. */
  sample(tick: number, components: readonly number[]): Sample[] {
    const samples: Sample[] = [];
    for (const track of this.#tracks) {
      if (track.born > tick || track.gone <= tick) continue;
      const sample: Sample = { id: track.id };
      if (components.every((component) => this.#put(track, component, tick, sample))) samples.push(sample);
    }
    return samples;
  }

  /** The entity of `sample` that belongs to a seat: its avatar, or else the first. */
  owned(tick: number, components: readonly number[], seat: number, avatar?: number): Sample | undefined {
    let first: Sample | undefined;
    for (const track of this.#tracks) {
      if (track.born > tick || track.gone <= tick) continue;
      if (this.#keyAt(track, SEAT, tick)?.row?.[0] !== seat) continue;
      const sample: Sample = { id: track.id };
      if (!components.every((component) => this.#put(track, component, tick, sample))) continue;
      if (track.id === avatar) return sample;
      first ??= sample;
    }
    return first;
  }

  /**
   * The tick at which the changes of a frame began. If a frame comes later than usual, nothing changed in the ticks that
   * it skipped. A merged diff is an exception: it covers several ticks.
   */
  #from({ frame }: Applied): number {
    if (frame.kind === SNAPSHOT) return frame.tick - this.stride;
    const age = frame.tick - frame.base;
    if (frame.kind === MERGED) return frame.tick - Math.min(age, this.#keep / 2);
    this.#learn(age);
    return frame.tick - Math.min(age, this.stride);
  }

  #learn(age: number): void {
    if (age === 0) return;
    const stride = this.#stride;
    stride.now = Math.min(stride.now, age);
    stride.next = Math.min(stride.next, age);
    if (++stride.seen < STRIDE_WINDOW) return;
    Object.assign(stride, { now: stride.next, next: Infinity, seen: 0 });
  }

  #key(entity: Entity, component: number, from: number, tick: number): void {
    const track = this.#live.get(entity.id);
    if (!track) return;
    const keys = (track.keys[component] ??= []);
    const key = this.#takeKeyframe(keys, tick);
    const row = entity.rows[component];
    if (!row) {
      key.row = undefined;
    } else {
      const copy = (key.row ??= []);
      for (let k = 0; k < row.length; k++) copy[k] = row[k] ?? 0;
    }
    key.from = Math.max(from, keys.at(-1)?.tick ?? tick);
    key.tick = tick;
    key.value = undefined;
    keys.push(key);
  }

  /** A keyframe to fill. Reuses the oldest if it is no longer needed, so that steady movement allocates nothing. */
  #takeKeyframe(keys: Keyframe[], tick: number): Keyframe {
    let spare: Keyframe | undefined;
    while ((keys[1]?.tick ?? Infinity) <= tick - this.#keep) spare = keys.shift();
    return spare ?? { from: 0, tick: 0, row: undefined, value: undefined };
  }

  #keyAt(track: Track, component: number, tick: number, after = 0): Keyframe | undefined {
    const keys = track.keys[component];
    if (!keys) return undefined;
    // The moment is usually near the end, so the search starts there.
    let n = keys.length - 1;
    while (n >= 0 && (keys[n]?.tick ?? 0) > tick) n--;
    return n < 0 ? undefined : keys[n + after];
  }

  #put(track: Track, component: number, tick: number, sample: Sample): boolean {
    const codec = this.#codecs[component];
    const key = this.#keyAt(track, component, tick);
    if (!codec || !key?.row) return false;
    const next = codec.moves ? this.#keyAt(track, component, tick, 1) : undefined;
    if (next?.row && tick > next.from) {
      codec.mix(key.row, next.row, (tick - next.from) / (next.tick - next.from), this.#row);
      sample[codec.name] = codec.read(this.#row);
    } else {
      sample[codec.name] = key.value ??= codec.read(key.row);
    }
    return true;
  }
}
