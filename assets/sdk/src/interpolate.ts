// The near past of the mirror, kept so that a picture can be drawn for any moment between two frames. Pure: time comes
// in as ticks.

import { MERGED, SNAPSHOT } from "./frame.js";
import type { Applied, Entity } from "./mirror.js";
import type { Codec, Schemas } from "./schema.js";
import { SEAT } from "./schema.js";

/** A component's row from `tick` on. Between `from` and `tick` it moved there from the row before. */
interface Keyframe {
  from: number;
  tick: number;
  /** `undefined`: the entity lost the component at `tick`. */
  row: number[] | undefined;
  /** The program's value of the row, made when it is first drawn. */
  value: unknown;
}

/** An entity's time on stage. */
interface Track {
  id: number;
  born: number;
  gone: number;
  /** By component id, oldest key first. */
  keys: (Keyframe[] | undefined)[];
}

/** An entity at one moment, with the components that were asked for. */
export type Sample = { id: number } & Record<string, unknown>;

/** How many diffs the usual distance between frames is learnt from. */
const STRIDE_WINDOW = 32;

export class Timeline {
  readonly #codecs: readonly (Codec | undefined)[];
  readonly #keep: number;
  readonly #tracks = new Set<Track>();
  readonly #live = new Map<number, Track>();
  readonly #row: number[] = [];
  readonly #stride = { now: Infinity, next: Infinity, seen: 0 };

  /** `keep`: how many ticks back `sample` can look. */
  constructor(schemas: Schemas, keep: number) {
    this.#codecs = schemas.components;
    this.#keep = keep;
  }

  /** The usual distance of two frames in ticks: 1 where the server sends every tick. */
  get stride(): number {
    return Number.isFinite(this.#stride.now) ? this.#stride.now : 1;
  }

  /** Takes in what a frame did to the mirror. */
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

  /** The entities at a moment that have all of `components` then; each has their values by the codec's name. */
  sample(tick: number, components: readonly number[]): Sample[] {
    const samples: Sample[] = [];
    for (const track of this.#tracks) {
      if (track.born > tick || track.gone <= tick) continue;
      const sample: Sample = { id: track.id };
      if (components.every((component) => this.#put(track, component, tick, sample))) samples.push(sample);
    }
    return samples;
  }

  /** The first entity of a seat that `sample` would name. */
  owned(tick: number, components: readonly number[], seat: number): Sample | undefined {
    for (const track of this.#tracks) {
      if (track.born > tick || track.gone <= tick) continue;
      if (this.#keyAt(track, SEAT, tick)?.row?.[0] !== seat) continue;
      const sample: Sample = { id: track.id };
      if (components.every((component) => this.#put(track, component, tick, sample))) return sample;
    }
    return undefined;
  }

  /**
   * When a frame's changes began. A frame later than usual means that nothing happened in the ticks before its last
   * one, save for a merged diff, which tells of all of them together.
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
    const key = this.#room(keys, tick);
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

  /** A key to fill: the oldest one if the past has outgrown it, so that steady movement allocates nothing. */
  #room(keys: Keyframe[], tick: number): Keyframe {
    let spare: Keyframe | undefined;
    while ((keys[1]?.tick ?? Infinity) <= tick - this.#keep) spare = keys.shift();
    return spare ?? { from: 0, tick: 0, row: undefined, value: undefined };
  }

  #keyAt(track: Track, component: number, tick: number, after = 0): Keyframe | undefined {
    const keys = track.keys[component];
    if (!keys) return undefined;
    // The moment is near the end: from there it is a short way.
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
