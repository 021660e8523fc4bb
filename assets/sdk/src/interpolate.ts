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

/** The row that was drawn last, if that was beyond the newest frame. */
interface Beyond {
  tick: number;
  row: number[];
  /** How far from the row of the newest frame. */
  way: number;
}

/** The rest of a picture that went on elsewhere. It is added to what is drawn, and decays. */
interface Slide {
  tick: number;
  columns: number[];
}

/** The keyframes of an entity over its lifetime. */
interface Track {
  id: number;
  born: number;
  gone: number;
  /** By component id, oldest keyframe first. */
  keys: (Keyframe[] | undefined)[];
  /** By component id. */
  beyond: (Beyond | undefined)[];
  slides: (Slide | undefined)[];
}

/** An entity at one moment, with the requested components. */
export type Sample = { id: number } & Record<string, unknown>;

/** How far beyond the newest frame evenly moving entities go on, in seconds: longer than a segment takes that TCP sends again. */
const BEYOND_S = 0.25;
/** The time in which half of a slide is over, in seconds, and how many of them count. */
const HALF_LIFE_S = 0.06;
const HALVES = 6;

/** From how many diffs the usual distance between frames is estimated. */
const STRIDE_WINDOW = 32;
/** A longer distance, in seconds, is a pause in which nothing changed. It tells nothing of the usual one. */
const PAUSE_S = 0.25;

/** The keyframes of all entities over the recent past. */
export class Timeline {
  readonly #codecs: readonly (Codec | undefined)[];
  readonly #keep: number;
  readonly #tracks = new Set<Track>();
  readonly #live = new Map<number, Track>();
  readonly #row: number[] = [];
  readonly #stride = { now: Infinity, next: Infinity, seen: 0 };
  readonly #hz: number;
  readonly #seat: number;
  /** The tick of the newest frame. */
  #newest = Infinity;

  /**
   * `keep` is how many ticks back `sample` can go. Beyond the newest frame goes on what does not belong to `seat`: the player knows
   * better where that goes. Without a tick rate, nothing goes on.
   */
  constructor(schemas: Schemas, keep: number, { hz = 0, seat = 0 } = {}) {
    this.#codecs = schemas.components;
    this.#keep = keep;
    this.#hz = hz;
    this.#seat = seat;
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
      const track: Track = { id: entity.id, born: tick, gone: Infinity, keys: [], beyond: [], slides: [] };
      this.#tracks.add(track);
      this.#live.set(entity.id, track);
    }
    changed.forEach((entities, component) => {
      for (const entity of entities ?? []) this.#key(entity, component, from, tick);
    });
    stripped.forEach((entities, component) => {
      for (const entity of entities ?? []) this.#key(entity, component, tick, tick);
    });
    this.#newest = tick;
    for (const track of this.#tracks) {
      if (track.gone <= tick - this.#keep) this.#tracks.delete(track);
      else this.#slide(track);
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
    if (age === 0 || (this.#hz > 0 && age > PAUSE_S * this.#hz)) return;
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
    const row = codec.moves ? this.#rowAt(track, component, tick) : key.row;
    const drawn = this.#shifted(track, component, tick, row);
    if (tick > this.#newest && row !== key.row)
      track.beyond[component] = { tick, row: [...drawn], way: codec.distance(key.row, row) };
    else if (track.beyond[component]) track.beyond[component] = undefined;
    sample[codec.name] = drawn === key.row ? (key.value ??= codec.read(drawn)) : codec.read(drawn);
    return true;
  }

  /** The row of a component that moves. It is valid until the next call. */
  #rowAt(track: Track, component: number, tick: number): number[] {
    const codec = this.#codecs[component];
    const key = this.#keyAt(track, component, tick);
    if (!codec || !key?.row) return [];
    const next = this.#keyAt(track, component, tick, 1);
    if (next?.row && tick > next.from) {
      codec.mix(key.row, next.row, (tick - next.from) / (next.tick - next.from), this.#row);
      return this.#row;
    }
    return tick > this.#newest && this.#goesOn(track, component, tick) ? this.#row : key.row;
  }

  /** Puts the row beyond the newest frame into `#row`, if the last two movements were about the same, and up to that frame. */
  #goesOn(track: Track, component: number, tick: number): boolean {
    const codec = this.#codecs[component];
    if (this.#seat > 0 && track.keys[SEAT]?.at(-1)?.row?.[0] === this.#seat) return false;
    const [a, b, c] = track.keys[component]?.slice(-3) ?? [];
    if (!codec || !a?.row || !b?.row || !c?.row || c.tick !== this.#newest || b.tick !== c.from) return false;
    const span = c.tick - c.from;
    codec.mix(a.row, b.row, 1 + span / (b.tick - b.from), this.#row);
    if (codec.distance(this.#row, c.row) > codec.distance(b.row, c.row) / 2) return false;
    const past = Math.min(tick - c.tick, BEYOND_S * this.#hz);
    codec.mix(b.row, c.row, 1 + past / span, this.#row);
    return past > 0;
  }

  /** Lets a picture that went on slide to where the newest frame has it. A picture cannot be wrong by more than twice its way. */
  #slide(track: Track): void {
    track.beyond.forEach((beyond, component) => {
      const codec = this.#codecs[component];
      if (!beyond || !codec) return;
      const row = this.#rowAt(track, component, beyond.tick);
      const isNear = row.length > 0 && codec.distance(row, beyond.row) <= 2 * beyond.way;
      track.slides[component] = isNear ? { tick: beyond.tick, columns: codec.way(row, beyond.row) } : undefined;
    });
  }

  #shifted(track: Track, component: number, tick: number, row: number[]): number[] {
    const slide = track.slides[component];
    if (!slide) return row;
    const halves = (tick - slide.tick) / (HALF_LIFE_S * this.#hz);
    if (halves > HALVES) {
      track.slides[component] = undefined;
      return row;
    }
    const shifted = [...row];
    this.#codecs[component]?.shift(shifted, slide.columns, 2 ** -halves);
    return shifted;
  }
}
