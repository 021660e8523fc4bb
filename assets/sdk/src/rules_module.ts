// Prediction with the game's own rules: the WebAssembly module that `tickcast::predictor!` builds. The module keeps the inputs and
// compares by itself; rustdoc of `tickcast::predict::module` describes its exports.

import type { Forecast, Loaded, State, Told, ToldEntity } from "./forecast.js";
import type { Codec, Schemas } from "./schema.js";

/** The exports of a module. */
export interface RulesExports {
  memory: { readonly buffer: ArrayBuffer };
  tc_abi(): number;
  tc_buffer(doubles: number): number;
  tc_open(seat: number, teams: number, bytes: number): number;
  tc_describe(): number;
  tc_reset(): void;
  tc_input(seq: number, tick: number, columns: number): void;
  tc_load(tick: number, ack: number, avatar: number, doubles: number): number;
  tc_advance(tick: number): number;
  tc_read(tick: number): number;
  tc_peek(columns: number): number;
}

/** The facts of a match that a module must know. */
export interface RulesMatch {
  seat: number;
  teams: number;
  config: unknown;
}

const ABI = 1;
const CORRECTED = 1 << 16;
const SNAPPED = 1 << 17;

/** A module as a forecast. Throws an `Error` if the module is not one of this game and version. */
export class RulesModule implements Forecast {
  readonly source = "module";
  readonly components: readonly number[];
  readonly seesOthers: boolean;
  tick = 0;
  readonly #tc: RulesExports;
  readonly #codecs: readonly (Codec | undefined)[];
  /** The components that the rules name, which the module wants to be told of. */
  readonly #named: readonly number[];
  #base = 0;
  #newest: { seq: number; row: readonly number[] } | undefined;

  constructor(exports: RulesExports, schemas: Schemas, { seat, teams, config }: RulesMatch) {
    this.#tc = exports;
    this.#codecs = schemas.components;
    if (exports.tc_abi() !== ABI) throw new Error(`the module has version ${exports.tc_abi()} instead of ${ABI}`);
    const json = new TextEncoder().encode(JSON.stringify(config));
    const { buffer, byteOffset } = this.#buffer(Math.ceil(json.length / 8));
    new Uint8Array(buffer, byteOffset, json.length).set(json);
    if (exports.tc_open(seat, teams, json.length) !== 1) throw new Error("the module does not know this configuration");
    const count = exports.tc_describe();
    const [hz = 0, columns = 0, seesOthers = 0, ...described] = this.#buffer(3 + 3 * count);
    const { schema, input } = schemas;
    if (hz !== schema.hz || columns !== input.columns) throw new Error("the module is not one of this game");
    const named = Array.from({ length: count }, (_, k) => described.slice(3 * k, 3 * k + 3));
    for (const [id = 0, width] of named)
      if (this.#codecs[id]?.columns !== width) throw new Error(`the module has another component ${id}`);
    this.#named = named.map(([id = 0]) => id);
    this.components = named.filter(([, , isWritten]) => isWritten === 1).map(([id = 0]) => id);
    this.seesOthers = seesOthers === 1;
  }

  input(seq: number, tick: number, row: readonly number[]): void {
    this.#newest = { seq, row };
    this.#buffer(row.length).set(row);
    this.#tc.tc_input(seq, tick, row.length);
  }

  load({ tick, taken, avatar }: Told, entities: readonly ToldEntity[]): Loaded {
    const rows: number[] = [];
    for (const { id, rows: told } of [...entities].sort((a, b) => a.id - b.id))
      for (const component of this.#named) {
        const row = told[component];
        if (row) rows.push(id, component, ...row);
      }
    this.#buffer(rows.length).set(rows);
    const flags = this.#tc.tc_load(tick, taken & 0xffff, avatar, rows.length);
    this.#base = tick;
    this.tick = Math.max(this.tick, tick);
    this.advance(this.tick);
    const [isCorrected, isSnapped] = [(flags & CORRECTED) !== 0, (flags & SNAPPED) !== 0];
    return { isCorrected, isSnapped, replayed: isCorrected ? flags & (CORRECTED - 1) : 0 };
  }

  advance(tick: number): void {
    if (this.#base > 0) this.tick = this.#tc.tc_advance(tick);
  }

  at(tick: number): State | undefined {
    return tick < this.#base || tick > this.tick ? undefined : this.#state(this.#tc.tc_read(tick));
  }

  peek(input: readonly number[]): State {
    this.#buffer(input.length).set(input);
    return this.#state(this.#tc.tc_peek(input.length));
  }

  /** Reads rows of values from the buffer. */
  #state(doubles: number): State {
    const state = new Map<number, (number[] | undefined)[]>();
    const values = this.#buffer(doubles);
    for (let k = 0; k < values.length; ) {
      const [id = 0, component = 0] = values.subarray(k, k + 2);
      const codec = this.#codecs[component];
      if (!codec) break;
      const rows = state.get(id) ?? [];
      rows[component] = inSteps(codec, values.subarray(k + 2, k + 2 + codec.columns));
      state.set(id, rows);
      k += 2 + codec.columns;
    }
    return state;
  }

  /** Keeps only the newest input, which holds. */
  reset(keepsInputs: boolean): void {
    this.#tc.tc_reset();
    this.tick = this.#base = 0;
    if (keepsInputs && this.#newest) this.input(this.#newest.seq, 0, this.#newest.row);
    else this.#newest = undefined;
  }

  /** The buffer. Each call may let the memory grow, which replaces it. */
  #buffer(doubles: number): Float64Array {
    const at = this.#tc.tc_buffer(doubles);
    return new Float64Array(this.#tc.memory.buffer, at, doubles);
  }
}

/** Converts a row of numbers in the units of the game to columns, not rounded. */
function inSteps(codec: Codec, values: Float64Array): number[] {
  const row: number[] = [];
  for (const { at, end, step } of codec.slots) {
    const unit = codec.motions[at] === "turn" ? (2 * Math.PI) / step : step;
    for (let k = at; k < end; k++) row[k] = (values[k] ?? 0) / unit;
  }
  return row;
}

/** The file of the server's module of a version. With another version the server refuses, because that would predict wrongly. */
export function rulesOf(game: string, version: string | undefined): string {
  if (version === undefined) throw new Error(`the server has no module for the rules of ${game}`);
  return `rules/${game}.wasm?v=${version}`;
}

/** Loads a module from an address or from bytes. */
export async function loadRules(source: string | URL | BufferSource): Promise<RulesExports> {
  const bytes = typeof source === "string" || source instanceof URL ? await download(source) : source;
  const { instance } = await WebAssembly.instantiate(bytes, {});
  return instance.exports as unknown as RulesExports;
}

async function download(url: string | URL): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  if (answer.ok) return answer.arrayBuffer();
  const isText = answer.headers.get("content-type")?.startsWith("text/plain");
  const reason = isText ? `: ${(await answer.text()).trim()}` : "";
  throw new Error(`${String(url)} was answered with ${answer.status}${reason}`);
}
