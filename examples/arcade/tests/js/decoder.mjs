// The client's side of docs/PROTOCOL.md, written from that page alone, with a stock MessagePack decoder. If this file and the
// page disagree, one of them is wrong.

import { inflateRawSync } from "node:zlib";

import * as packed from "./packed.mjs";
import { packages } from "./support.mjs";

const { decode, encode } = packages.sdk("@msgpack/msgpack");

const [SNAPSHOT, DIFF] = [0, 1];
const [DESPAWN, STRIP, SPAWN, CHECKSUMS, AVATAR] = [-3, -2, -1, -4, -5];

/** The state of a match, as one seat sees it. */
export class Mirror {
  /** The tick of the state, or `undefined` before the first frame. */
  tick;
  /** Maps entity ids to component ids to columns. */
  entities = new Map();
  /** The id of the seat's avatar, or `null`. */
  avatar = null;
  #schema;

  constructor(schema) {
    this.#schema = schema;
  }

  /** Applies a frame. Throws if its base is another tick, or if a checksum differs. */
  take(binary) {
    const frame = decode(binary);
    const [kind, tick, age, ack, margin, ...sections] =
      frame instanceof Uint8Array ? decode(inflateRawSync(frame)) : frame;
    if (kind === SNAPSHOT) {
      this.entities.clear();
      this.avatar = null;
    } else if (tick - age !== this.tick)
      throw new Error(`the frame's base is tick ${tick - age}, but the mirror holds tick ${this.tick}`);
    for (const [what, ...rest] of sections) this.#section(kind, what, rest);
    this.tick = tick;
    return { kind, tick, age, ack, margin, checked: sections.filter(([what]) => what === CHECKSUMS).length };
  }

  /** Returns the components of an entity, by name and with decoded values. */
  read(id) {
    const rows = this.entities.get(id) ?? new Map();
    return Object.fromEntries(
      [...rows].map(([component, row]) => {
        const type = this.#type(component);
        return [type.name, value(type, row)];
      }),
    );
  }

  /** Returns an entity of a seat that has a component. */
  find(seat, component) {
    for (const id of this.entities.keys()) {
      const entity = this.read(id);
      if (entity.Seat === seat && component in entity) return entity;
    }
    return undefined;
  }

  #section(kind, what, rest) {
    if (what === DESPAWN) {
      for (const id of ids(rest[0])) this.entities.delete(id);
    } else if (what === STRIP) {
      for (const id of ids(rest[1])) this.entities.get(id)?.delete(rest[0]);
    } else if (what === SPAWN) {
      this.#spawn(rest);
    } else if (what === CHECKSUMS) {
      this.#check(rest);
    } else if (what === AVATAR) {
      this.avatar = rest[0] ?? null;
    } else if (what >= 0) {
      this.#change(kind, what, rest);
    }
  }

  #spawn([mask, list, ...values]) {
    const types = this.#schema.components
      .filter(({ id }) => Math.floor(mask / 2 ** id) % 2 === 1)
      .sort((a, b) => a.id - b.id);
    for (const id of ids(list)) {
      for (const type of types) this.#rows(id).set(type.id, values.splice(0, columns(type).length));
    }
    if (values.length > 0) throw new Error(`${values.length} values of a spawn are left over`);
  }

  #change(kind, component, [mask, list, ...lists]) {
    const all = columns(this.#type(component));
    const changed = [...all.keys()].filter((column) => Math.floor(mask / 2 ** column) % 2 === 1);
    const changes = [...ids(list)];
    const values = lists.map((one) => (one instanceof Uint8Array ? packed.column(one, changes.length) : one));
    changes.forEach((id, place) => {
      const rows = this.#rows(id);
      const row = rows.get(component) ?? all.map(() => 0);
      changed.forEach((column, n) => {
        const given = values[n][place];
        const sum = kind === DIFF ? row[column] + given : given;
        const { type, steps } = all[column];
        row[column] = type === "angle" ? ((sum % steps) + steps) % steps : sum;
      });
      rows.set(component, row);
    });
  }

  #check(pairs) {
    for (let at = 0; at < pairs.length; at += 2) {
      const [component, expected] = [pairs[at], pairs[at + 1]];
      let sum = 0;
      for (const [id, rows] of this.entities) {
        const row = rows.get(component);
        if (row) sum = (sum + term([id, ...row])) >>> 0;
      }
      if (sum !== expected) throw new Error(`the checksum of ${this.#type(component).name} is ${sum}, not ${expected}`);
    }
  }

  #rows(id) {
    const found = this.entities.get(id) ?? new Map();
    this.entities.set(id, found);
    return found;
  }

  #type(component) {
    const type = this.#schema.components.find(({ id }) => id === component);
    if (!type) throw new Error(`the schema has no component ${component}`);
    return type;
  }
}

/** Decodes the events of one tick. */
export function readEvents(schema, binary) {
  const [tick, ...events] = decode(binary);
  return events.map(([id, ...row]) => {
    const type = schema.events.find((event) => event.id === id);
    return { tick, name: type.name, value: value(type, row) };
  });
}

/** Encodes an input. Fields that are left out get their first value. */
export function writeInput(schema, { ack, seq, tick = 0, behind, ...fields }) {
  const row = schema.input.fields.map((field) => column(field, fields[field.name]));
  const seen = behind === undefined ? [] : [behind];
  return Buffer.from(encode([(ack ?? 0) % 65_536, seq, tick, ...row, ...seen]));
}

export function writeAck(ack) {
  return Buffer.from(encode([ack % 65_536]));
}

function column({ type, values, steps, step, min }, given) {
  if (given === undefined) return type === "int" && min > 0 ? min : 0;
  if (type === "bool") return given ? 1 : 0;
  if (type === "choice") return values.indexOf(given);
  if (type === "angle") return ((Math.round((given / (2 * Math.PI)) * steps) % steps) + steps) % steps;
  if (type === "float") return Math.round(given / step);
  return given;
}

/** Returns the fields of a type, each once for every column. */
function columns({ fields }) {
  return fields.flatMap((field) => Array(widths[field.type] ?? 1).fill(field));
}

const widths = { vec2: 2, vec3: 3 };

function value(type, row) {
  if (type.shape === "unit") return true;
  const rest = [...row];
  const read = type.fields.map((field) => [field.name, fieldValue(field, rest.splice(0, widths[field.type] ?? 1))]);
  return type.shape === "value" ? read[0][1] : Object.fromEntries(read);
}

function fieldValue({ type, values, step, steps }, [x, y, z]) {
  switch (type) {
    case "bool":
      return x !== 0;
    case "choice":
      return values[x];
    case "float":
      return x * step;
    case "angle":
      return (x * 2 * Math.PI) / steps;
    case "vec2":
      return { x: x * step, y: y * step };
    case "vec3":
      return { x: x * step, y: y * step, z: z * step };
    default:
      return x;
  }
}

/** Yields the ids of an ascending list. */
function* ids(list) {
  let id = 0;
  for (const element of list instanceof Uint8Array ? packed.gaps(list) : list) {
    if (element >= 0) {
      id += element;
      yield id++;
    } else {
      for (let n = 0; n < -element; n++) yield id++;
    }
  }
}

/** FNV-1a over 32-bit words. */
function term(words) {
  return words.reduce((hash, word) => Math.imul(hash ^ word, 16_777_619) >>> 0, 2_166_136_261);
}
