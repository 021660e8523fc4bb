// A schema, functions that write frames, and a fake socket: everything below the network, in virtual time.

import { deflateRawSync } from "node:zlib";

import { encode } from "@msgpack/msgpack";
import type { Channel } from "../src/channel.js";
import { decodeFrame } from "../src/frame.js";
import type { Applied } from "../src/mirror.js";
import { Mirror } from "../src/mirror.js";
import type { Schema } from "../src/schema.js";
import { Schemas } from "../src/schema.js";

export const schema: Schema = {
  game: "yard",
  protocol: 1,
  hz: 30,
  components: [
    { id: 0, name: "Seat", to: "everyone", shape: "value", fields: [{ name: "0", type: "int", min: 0, max: 255 }] },
    { id: 1, name: "Pos", to: "everyone", shape: "struct", fields: [{ name: "at", type: "vec2", step: 0.5 }] },
    { id: 2, name: "Hp", to: "everyone", shape: "value", fields: [{ name: "", type: "int", min: 0, max: 100 }] },
    { id: 3, name: "Aim", to: "everyone", shape: "value", fields: [{ name: "", type: "angle", steps: 256 }] },
    { id: 4, name: "Burning", to: "everyone", shape: "unit", fields: [] },
    {
      id: 52,
      name: "Mood",
      to: "owner",
      shape: "struct",
      fields: [
        { name: "kind", type: "choice", values: ["calm", "wild"] },
        { name: "awake", type: "bool" },
        { name: "size", type: "float", step: 0.1 },
      ],
    },
  ],
  events: [
    {
      id: 1,
      name: "Hit",
      to: "everyone",
      shape: "struct",
      fields: [
        { name: "who", type: "int", min: 0, max: 255 },
        { name: "at", type: "vec2", step: 0.5 },
      ],
    },
    { id: 7, name: "Bell", to: "everyone", shape: "unit", fields: [] },
  ],
  input: {
    name: "Pad",
    shape: "struct",
    fields: [
      { name: "dir", type: "choice", values: ["None", "E", "N"] },
      { name: "aim", type: "angle", steps: 256 },
      { name: "speed", type: "float", step: 0.25, min: -1, max: 1 },
      { name: "fire", type: "bool", oneShot: true },
    ],
  },
};

export const schemas = new Schemas(schema);

/** A source of the same pseudo-random numbers from 0 to 1 in each run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export function frame(...parts: unknown[]): Uint8Array {
  return encode(parts);
}

/** The same frame, compressed. */
export function deflated(...parts: unknown[]): Uint8Array {
  return encode(deflateRawSync(encode(parts)));
}

/** A mirror, and a function that applies frames to it. */
export function feed(mirror = new Mirror(schemas)): { mirror: Mirror; take(...parts: unknown[]): Applied | undefined } {
  return { mirror, take: (...parts) => mirror.apply(decodeFrame(frame(...parts), schemas)) };
}

/** The mirror's rows, by entity and component. */
export function stateOf(mirror: Mirror): Record<string, Record<string, number[]>> {
  const state: Record<string, Record<string, number[]>> = {};
  for (const entity of mirror.entities.values()) {
    const rows: Record<string, number[]> = {};
    entity.rows.forEach((row, component) => {
      if (row) rows[component] = [...row];
    });
    state[entity.id] = rows;
  }
  return state;
}

type Answer = unknown | Promise<unknown>;

/** A channel whose server is a function. */
export class FakeChannel implements Channel {
  connected = false;
  active = false;
  auth: Channel["auth"] = {};
  /** Everything that was sent: requests and plain events. */
  readonly sent: [event: string, ...args: unknown[]][] = [];
  readonly #listeners = new Map<string, ((...args: never[]) => void)[]>();

  constructor(
    private readonly answer: (event: string, argument: unknown) => Answer = () => ({ ok: true }),
    private readonly onConnect: (channel: FakeChannel) => void = (channel) => channel.accept(),
  ) {}

  on(event: string, listener: (...args: never[]) => void): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  off(event: string, listener: (...args: never[]) => void): this {
    this.#listeners.set(
      event,
      (this.#listeners.get(event) ?? []).filter((one) => one !== listener),
    );
    return this;
  }

  emit(event: string, ...args: unknown[]): this {
    this.sent.push([event, ...args]);
    return this;
  }

  timeout(): { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> } {
    return {
      emitWithAck: async (event, ...args) => {
        this.sent.push([event, ...args]);
        return this.answer(event, args[0]);
      },
    };
  }

  connect(): this {
    this.active = true;
    this.onConnect(this);
    return this;
  }

  disconnect(): this {
    this.connected = this.active = false;
    return this;
  }

  /** The credentials that a connection attempt would send. */
  pass(): object {
    let pass: object = {};
    if (typeof this.auth === "function") this.auth((given) => (pass = given));
    else pass = this.auth;
    return pass;
  }

  accept(): void {
    this.connected = this.active = true;
    this.receive("connect");
  }

  drop(reason = "transport close"): void {
    this.connected = false;
    this.active = reason === "transport close";
    this.receive("disconnect", reason);
  }

  /** Refuses a connection attempt, as the server does. */
  refuse(message: string): void {
    this.active = false;
    this.receive("connect_error", new Error(message));
  }

  /** Delivers an event from the server. */
  receive(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...(args as never[]));
  }

  /** How many listeners each event has. */
  listening(): Record<string, number> {
    const counts = [...this.#listeners].map(([event, listeners]) => [event, listeners.length] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** The arguments of everything that was sent under a name. */
  sentAs(event: string): unknown[] {
    return this.sent.filter(([name]) => name === event).map(([, argument]) => argument);
  }
}
