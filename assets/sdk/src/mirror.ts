// The mirror: the newest state that this seat sees, as the integers of the wire format. Pure: no socket, no clock.

import type { Frame, Section } from "./frame.js";
import { DIFF, SNAPSHOT } from "./frame.js";
import type { Codec, Schemas } from "./schema.js";
import { wrap } from "./schema.js";

/** An entity: its rows by component id. `entityClass` adds a getter for the decoded value of each component. */
export class Entity {
  readonly rows: (number[] | undefined)[] = [];
  /** The decoded values of the rows, cached when they are first read. */
  readonly cached: unknown[] = [];

  constructor(readonly id: number) {}
}

/** A checksum that differs from the server's. */
export interface Mismatch {
  component: number;
  expected: number;
  got: number;
}

/** The changes that a frame made to the mirror. */
export interface Applied {
  frame: Frame;
  spawned: Entity[];
  /** Entities that are gone, in their last state. */
  despawned: Entity[];
  /** By component id, the entities with a new value, including those that have just spawned. */
  changed: (Set<Entity> | undefined)[];
  /** By component id, the entities that lost the component and still exist. */
  stripped: (Set<Entity> | undefined)[];
  mismatches: Mismatch[];
}

/** For how many seconds the server does not use a freed id again. */
const ID_REST_S = 10;

/** The newest state. A frame is applied as a whole or not at all. */
export class Mirror {
  /** The tick of the state; `undefined` before the first snapshot. */
  tick: number | undefined;
  readonly entities = new Map<number, Entity>();
  /** The id of the entity to which this seat's inputs go. */
  avatar: number | undefined;
  readonly #codecs: readonly (Codec | undefined)[];
  readonly #Entity: typeof Entity;
  readonly #idRest: number;

  constructor(schemas: Schemas) {
    this.#codecs = schemas.components;
    this.#Entity = entityClass(schemas);
    this.#idRest = ID_REST_S * schemas.schema.hz;
  }

  /** Whether a frame can be applied to the current state. */
  fits(frame: Frame): boolean {
    return frame.kind === SNAPSHOT || frame.base === this.tick;
  }

  /**
   * Applies a frame and returns what changed. Returns `undefined`, and changes nothing, if the frame does not fit.
   * The changes of a snapshot are its differences from the state before it. If that state is so old that an id may mean
   * another entity by now, all entities have despawned, and those of the snapshot have spawned.
   */
  apply(frame: Frame): Applied | undefined {
    if (!this.fits(frame)) return undefined;
    const applied: Applied = { frame, spawned: [], despawned: [], changed: [], stripped: [], mismatches: [] };
    if (frame.kind === SNAPSHOT) this.#replace(frame, applied);
    else for (const section of frame.sections) this.#apply(section, frame.kind === DIFF, applied);
    this.tick = frame.tick;
    if (frame.avatar !== undefined) this.avatar = frame.avatar ?? undefined;
    for (const { component, sum } of frame.checksums) {
      const got = this.checksum(component);
      if (got !== sum) applied.mismatches.push({ component, expected: sum, got });
    }
    return applied;
  }

  /** The checksum of a component over all entities: the sum of an FNV-1a hash of each id and row, modulo 2^32. */
  checksum(component: number): number {
    let sum = 0;
    for (const entity of this.entities.values()) {
      const row = entity.rows[component];
      if (!row) continue;
      let hash = Math.imul(2166136261 ^ entity.id, 16777619);
      // `^` converts its operands to 32 bits, as the definition of the checksum requires.
      for (let k = 0; k < row.length; k++) hash = Math.imul(hash ^ (row[k] ?? 0), 16777619);
      sum = (sum + hash) | 0;
    }
    return sum >>> 0;
  }

  #apply(section: Section, differences: boolean, applied: Applied): void {
    switch (section.is) {
      case "despawn":
        for (const id of section.ids) this.#despawn(id, applied);
        return;
      case "strip":
        for (const id of section.ids) this.#strip(id, section.component, applied);
        return;
      case "spawn":
        this.#spawn(section, applied);
        return;
      case "change":
        this.#change(section, differences, applied);
    }
  }

  #despawn(id: number, applied: Applied): void {
    const entity = this.entities.get(id);
    if (!entity) return;
    this.entities.delete(id);
    for (const set of applied.changed) set?.delete(entity);
    for (const set of applied.stripped) set?.delete(entity);
    const fresh = applied.spawned.indexOf(entity);
    // The program never sees an entity that spawns and despawns within one frame.
    if (fresh >= 0) applied.spawned.splice(fresh, 1);
    else applied.despawned.push(entity);
  }

  #strip(id: number, component: number, applied: Applied): void {
    const entity = this.entities.get(id);
    if (!entity?.rows[component]) return;
    entity.rows[component] = undefined;
    entity.cached[component] = undefined;
    applied.changed[component]?.delete(entity);
    mark(applied.stripped, component, entity);
  }

  #spawn(section: Section & { is: "spawn" }, applied: Applied): void {
    let at = section.first;
    for (const id of section.ids) {
      const entity = this.#ensure(id, applied);
      for (const component of section.components) {
        const row = this.#row(entity, component, applied);
        for (let k = 0; k < row.length; k++) row[k] = section.values[at++] ?? 0;
      }
    }
  }

  #change(section: Section & { is: "change" }, differences: boolean, applied: Applied): void {
    const { component, columns, ids, values } = section;
    const turns = this.#codecs[component]?.turns ?? [];
    for (let n = 0; n < ids.length; n++) {
      const row = this.#row(this.#ensure(ids[n] ?? 0, applied), component, applied);
      for (let c = 0; c < columns.length; c++) {
        const k = columns[c] ?? 0;
        const value = values[c]?.[n] ?? 0;
        const steps = turns[k] ?? 0;
        if (!differences) row[k] = value;
        else row[k] = steps > 0 ? wrap((row[k] ?? 0) + value, steps) : (row[k] ?? 0) + value;
      }
    }
  }

  #ensure(id: number, applied: Applied): Entity {
    let entity = this.entities.get(id);
    if (!entity) {
      entity = new this.#Entity(id);
      this.entities.set(id, entity);
      applied.spawned.push(entity);
    }
    return entity;
  }

  /** The row to write, filled with zeros if the entity did not have the component. */
  #row(entity: Entity, component: number, applied: Applied): number[] {
    let row = entity.rows[component];
    if (!row) {
      row = new Array<number>(this.#codecs[component]?.columns ?? 0).fill(0);
      entity.rows[component] = row;
      applied.stripped[component]?.delete(entity);
    }
    entity.cached[component] = undefined;
    mark(applied.changed, component, entity);
    return row;
  }

  /** Builds the snapshot's state separately, then copies it into the existing entities, so that they keep their identity. */
  #replace(frame: Frame, applied: Applied): void {
    if (frame.tick - (this.tick ?? frame.tick) > this.#idRest) {
      applied.despawned.push(...this.entities.values());
      this.entities.clear();
    }
    const before = new Map(this.entities);
    const built: Applied = { ...applied, spawned: [], despawned: [], changed: [], stripped: [] };
    this.entities.clear();
    for (const section of frame.sections) this.#apply(section, false, built);
    for (const [id, fresh] of this.entities) {
      const old = before.get(id);
      if (old) this.entities.set(id, old);
      else applied.spawned.push(fresh);
      adopt(old, fresh, applied);
      before.delete(id);
    }
    applied.despawned.push(...before.values());
  }
}

/** Copies the rows that differ into `old`, and records the changes. */
function adopt(old: Entity | undefined, fresh: Entity, applied: Applied): void {
  const count = Math.max(fresh.rows.length, old?.rows.length ?? 0);
  for (let component = 0; component < count; component++) {
    const row = fresh.rows[component];
    const had = old?.rows[component];
    if (row) {
      if (had?.every((value, k) => value === row[k])) continue;
      mark(applied.changed, component, old ?? fresh);
    } else if (had && old) {
      mark(applied.stripped, component, old);
    } else {
      continue;
    }
    if (old) {
      old.rows[component] = row;
      old.cached[component] = undefined;
    }
  }
}

function mark(sets: (Set<Entity> | undefined)[], component: number, entity: Entity): void {
  (sets[component] ??= new Set()).add(entity);
}

/** Makes a subclass with a getter for each component's decoded value. */
function entityClass(schemas: Schemas): typeof Entity {
  class Named extends Entity {}
  schemas.components.forEach((codec, component) => {
    if (!codec) return;
    Object.defineProperty(Named.prototype, codec.name, {
      enumerable: true,
      get(this: Entity): unknown {
        const row = this.rows[component];
        return row && (this.cached[component] ??= codec.read(row));
      },
    });
  });
  return Named;
}
