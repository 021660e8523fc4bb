// A match of walkers on a fake server and a fake line, in virtual time: rules with a reference, inputs as the real server takes
// them, and a line with delay, jitter, loss and blackouts.

import { decode } from "@msgpack/msgpack";
import { vi } from "vitest";

import type { Welcome } from "../src/messages.js";
import { Room } from "../src/room.js";
import type { Schema } from "../src/schema.js";
import { Schemas } from "../src/schema.js";
import type { AnyGame } from "../src/types.js";
import { FakeChannel, frame, randomNumbers } from "./support.js";

export const HZ = 30;
const MS = 1000 / HZ;
export const SPEED = 6;
export const RIVAL = 0.25;
export const SEAT = 2;
/** The column of the input that is a one-shot. */
const DASH = 2;

export const schema: Schema = {
  game: "walk",
  protocol: 1,
  hz: HZ,
  components: [
    { id: 0, name: "Seat", shape: "value", fields: [{ name: "0", type: "int", min: 0, max: 255 }] },
    { id: 1, name: "Pos", shape: "struct", fields: [{ name: "at", type: "vec2", step: 1 / 32 }] },
    { id: 2, name: "Aim", shape: "value", fields: [{ name: "0", type: "angle", steps: 1024 }] },
    { id: 3, name: "Hp", shape: "value", fields: [{ name: "0", type: "int", min: 0, max: 100 }] },
  ],
  events: [],
  input: {
    name: "Pad",
    shape: "struct",
    fields: [
      { name: "dir", type: "choice", values: ["None", "E", "N", "W", "S"] },
      { name: "aim", type: "angle", steps: 1024 },
      { name: "dash", type: "bool", oneShot: true },
    ],
  },
};

export interface Pad {
  dir: "None" | "E" | "N" | "W" | "S";
  aim: number;
  dash: boolean;
}
export interface Me {
  readonly id: number;
  Pos: { at: { x: number; y: number } };
  Aim: number;
  Hp: number;
}

/** The rules: walks, dashes two units, turns. The fallen do nothing. */
export function step(me: Me, { dir, aim, dash }: Pad, { dt }: { dt: number }): void {
  if (me.Hp === 0) return;
  const [x = 0, y = 0] = { None: [0, 0], E: [1, 0], N: [0, 1], W: [-1, 0], S: [0, -1] }[dir];
  const way = SPEED * dt + (dash ? 2 : 0);
  me.Pos.at.x += x * way;
  me.Pos.at.y += y * way;
  me.Aim = aim;
}

/** A game on the fake server: its rules, and what a snapshot has besides the avatar's position, direction and health. */
export interface Game {
  schema: Schema;
  step(match: Match, pad: Pad, time: { tick: number; dt: number }): void;
  /** The columns of more components of the avatar, by ascending id from 4 on. */
  more(match: Match): number[][];
  /** The sections of other entities. */
  others(match: Match): unknown[];
}

/** The game of walkers, on a server that keeps nothing of what seats saw. */
export const WALK: Game = {
  schema,
  step: ({ me }, pad, time) => step(me, pad, time),
  more: () => [],
  others: () => [],
};

/** The conditions of a line, each way. */
export interface Line {
  /** In milliseconds, of a round trip. */
  rtt?: number;
  jitter?: number;
  /** The share of packets that come one round trip later, and hold up all that follow. */
  loss?: number;
}

export class Match {
  readonly room: Room<AnyGame>;
  readonly channel: FakeChannel;
  /** The server's newest tick. */
  tick = 100;
  /** The avatar's true state. */
  me: Me = { id: 5, Pos: { at: { x: 10, y: 10 } }, Aim: 0, Hp: 100 };
  /** Whether the server steps and sends. */
  runs = true;
  /** Whether the line lets anything through. What is sent meanwhile comes afterwards. */
  blackout = false;
  saturated = false;
  /** Whether another avatar walks, by `RIVAL` units in each tick, from x = 0 at tick 0. */
  rival = false;
  /** The inputs that have come: number, tick, the tick in which each acted, columns, and how far behind the others were. */
  readonly inputs: { seq: number; tick: number; act: number; row: number[]; behind: number | undefined }[] = [];
  readonly truth = new Map<number, Me>();
  readonly #line: Required<Line>;
  readonly #random = randomNumbers(7);
  readonly #epoch: number;
  readonly #gates = { up: 0, down: 0 };
  readonly #queues: Record<"up" | "down", (() => void)[]> = { up: [], down: [] };
  #waiting: { seq: number; act: number; margin: number; row: number[] }[] = [];
  readonly #game: Game;
  readonly #schemas: Schemas;
  #row: number[];
  #avatar = this.me.id;
  #ack = 0;
  #margin = 0;
  #held: (() => void)[] = [];

  constructor({ rtt = 0, jitter = 0, loss = 0 }: Line = {}, rules?: string, game = WALK) {
    this.#game = game;
    this.#schemas = new Schemas(game.schema);
    this.#row = this.#schemas.input.blank();
    this.#line = { rtt, jitter, loss };
    this.#epoch = performance.now() - this.tick * MS;
    const server = this;
    this.channel = new (class extends FakeChannel {
      override emit(event: string, ...args: unknown[]): this {
        if (event === "i") server.#travel("up", () => server.#receive(decode(args[0] as Uint8Array) as number[]));
        return super.emit(event, ...args);
      }
    })((event) => this.#answer(event));
    this.channel.connected = true;
    const seatChannel = {
      channel: this.channel,
      timeout: 5_000,
      isSaturated: () => this.saturated,
      tryAnother: () => () => undefined,
      address: (file: string) => `http://walk.test/below/${file}`,
      cut: () => undefined,
      release: () => undefined,
    };
    this.room = new Room<AnyGame>(seatChannel, { ...this.welcome(), ...(rules === undefined ? {} : { rules }) });
    this.#run();
  }

  welcome(state: "snapshot" | "diff" = "snapshot"): Welcome {
    const seats = [{ seat: SEAT, name: "Ada", status: "playing" as const }];
    const rest = { hz: HZ, schema: this.#game.schema, resume: "r", state, grace: 20, config: {}, teams: 0, seats };
    return { seat: SEAT, room: "r1", game: "walk", protocol: 1, tick: this.tick, ...rest };
  }

  /** Loses the connection: the seat rests until `reconnect`. */
  disconnect(): void {
    this.#waiting = [{ seq: this.#ack, act: this.tick + 1, margin: 0, row: this.#schemas.input.blank() }];
    this.channel.drop();
  }

  reconnect(): void {
    this.channel.accept();
    this.channel.receive("welcome", this.welcome());
  }

  /** The server's exact time in ticks. */
  get time(): number {
    return (performance.now() - this.#epoch) / MS;
  }

  /** Lets time pass in pictures of a sixtieth second, and calls `picture` for each. */
  async play(seconds: number, picture: (now: number) => void = () => undefined): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await vi.advanceTimersByTimeAsync(1000 / 60);
      picture(performance.now());
    }
  }

  /** Opens the line again, and lets through what was held. */
  lift(): void {
    this.blackout = false;
    for (const deliver of this.#held.splice(0)) deliver();
  }

  #run(): void {
    const wait = this.#epoch + (this.tick + 1) * MS - performance.now();
    setTimeout(() => {
      this.tick += 1;
      if (this.runs) this.#step();
      this.#run();
    }, wait);
  }

  #step(): void {
    this.#row = this.#row.map((column, k) => (k === DASH ? 0 : column));
    // A new avatar gets only inputs that come later.
    if (this.#avatar !== this.me.id) this.#row = this.#schemas.input.blank();
    this.#avatar = this.me.id;
    let dash = 0;
    while ((this.#waiting[0]?.act ?? Infinity) <= this.tick) {
      const taken = this.#waiting.shift();
      if (!taken) break;
      dash ||= taken.row[DASH] ?? 0;
      this.#row = taken.row.map((column, k) => (k === DASH ? dash : column));
      this.#ack = taken.seq;
      this.#margin = taken.margin;
    }
    this.#game.step(this, this.#schemas.input.read(this.#row) as Pad, { tick: this.tick, dt: 1 / HZ });
    this.truth.set(this.tick, structuredClone(this.me));
    const bytes = this.snapshot();
    if (this.channel.connected) this.#travel("down", () => this.channel.connected && this.channel.receive("s", bytes));
  }

  snapshot(): Uint8Array {
    const { id, Pos, Aim, Hp } = this.me;
    const [pos, aim] = [this.#schemas.codec("Pos").write(Pos, [0, 0]), this.#schemas.codec("Aim").write(Aim, [0])];
    const more = this.#game.more(this);
    const mask = (1 << (4 + more.length)) - 1;
    const avatar = [-1, mask, [id], SEAT, ...pos, ...aim, Hp, ...more.flat()];
    const rival = [-1, 0b11, [id + 1], SEAT + 1, this.tick * RIVAL * 32, 0];
    const others = [...(this.rival ? [rival] : []), ...this.#game.others(this)];
    return frame(0, this.tick, 0, this.#ack & 0xffff, this.#margin, avatar, ...others, [-5, id]);
  }

  /** As `sim::Inputs` of the server. */
  #receive([, seq, tick, ...rest]: number[]): void {
    const { columns } = this.#schemas.input;
    const [row, behind] = [rest.slice(0, columns), rest[columns]];
    if (seq === undefined || seq <= (this.inputs.at(-1)?.seq ?? 0)) return;
    const next = this.tick + 1;
    const wanted = tick || next;
    const margin = Math.min(Math.max(wanted - next, -32), 127);
    const act = Math.max(wanted, next, this.#waiting.at(-1)?.act ?? 0);
    this.#waiting.push({ seq, act, margin, row });
    this.inputs.push({ seq, tick: tick ?? 0, act, row, behind });
  }

  async #answer(event: string): Promise<unknown> {
    if (event !== "t") return { ok: true };
    await new Promise<void>((resolve) => this.#travel("up", resolve));
    const tick = this.time;
    await new Promise<void>((resolve) => this.#travel("down", resolve));
    return { ok: true, tick };
  }

  /** Delivers in order, as TCP does. */
  #travel(way: "up" | "down", deliver: () => void): void {
    if (this.blackout) return void this.#held.push(() => this.#travel(way, deliver));
    const { rtt, jitter, loss } = this.#line;
    const lost = this.#random() < loss ? rtt + 20 : 0;
    const at = performance.now() + rtt / 2 + jitter * this.#random() + lost;
    this.#gates[way] = Math.max(this.#gates[way], at);
    const queue = this.#queues[way];
    queue.push(deliver);
    // Timers round their times, by which two could change places.
    const arrive = (): void => {
      const next = queue.shift() ?? deliver;
      if (this.blackout) this.#held.push(next);
      else next();
    };
    setTimeout(arrive, this.#gates[way] - performance.now());
  }
}
