// Stands between a room and its channel: tells what passes, and holds it up as a line would. While nobody wants either, it is not
// there, and the room talks to its channel directly.

import type { Channel } from "../channel.js";
import type { Inner } from "../inner.js";
import type { Unsubscribe } from "../listeners.js";
import type { Conditions } from "./conditions.js";
import { insideOf } from "./inside.js";
import { Line, seeded } from "./line.js";

/** Hears of everything that a room sends, before the simulated line, and receives, after it. */
export interface Observer {
  sent(event: string, argument: unknown): void;
  received(event: string, argument: unknown): void;
}

/** A message on its way in one direction. */
interface Parcel {
  at: number;
  deliver(): void;
  /** The connection was lost before it arrived. */
  drop(): void;
}

/** The parts of a room that `Wire` needs. */
interface Talker {
  readonly status: string;
  onOver(callback: () => void): Unsubscribe;
}

const SEED = 1;

/** One direction, in order. */
class Lane {
  readonly #random: () => number;
  #line: Line | undefined;
  #parcels: Parcel[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** Changes the conditions. Without any, everything arrives at once. */
  change(conditions: Conditions | null): void {
    const now = performance.now();
    if (!conditions) this.#line = undefined;
    else if (this.#line) this.#line.change(conditions, now);
    else this.#line = new Line(conditions, this.#random, now);
    if (!conditions) for (const parcel of this.#empty()) parcel.deliver();
  }

  push(deliver: () => void, drop: () => void = () => undefined): void {
    if (!this.#line) {
      deliver();
      return;
    }
    this.#parcels.push({ at: this.#line.arrives(performance.now()), deliver, drop });
    if (this.#parcels.length === 1) this.#arm();
  }

  /** Loses what is on its way. */
  clear(): void {
    for (const parcel of this.#empty()) parcel.drop();
  }

  #empty(): Parcel[] {
    clearTimeout(this.#timer);
    return this.#parcels.splice(0);
  }

  #arm(): void {
    const [first] = this.#parcels;
    if (first) this.#timer = setTimeout(() => this.#deliver(), first.at - performance.now());
  }

  #deliver(): void {
    const now = performance.now();
    const due = this.#parcels.findIndex(({ at }) => at > now);
    for (const parcel of this.#parcels.splice(0, due < 0 ? Infinity : due)) parcel.deliver();
    clearTimeout(this.#timer);
    this.#arm();
  }
}

/** The wire of one room. */
export class Wire {
  readonly #room: Talker;
  readonly #inner: Inner;
  readonly #up = new Lane(SEED);
  readonly #down = new Lane(SEED + 1);
  readonly #observers = new Set<Observer>();
  #conditions: Conditions | null = null;
  #detach: (() => void) | undefined;
  /** Whether a request is being sent, which Socket.IO does with `emit`. */
  #asking = false;

  constructor(room: Talker, inner: Inner) {
    this.#room = room;
    this.#inner = inner;
  }

  /** The simulated conditions; `null` if there are none. */
  get conditions(): Conditions | null {
    return this.#conditions;
  }

  /** Simulates a line from now on, both ways, or none. What is on its way then arrives at once, in order. */
  simulate(conditions: Conditions | null): void {
    this.#conditions = conditions;
    this.#up.change(conditions);
    this.#down.change(conditions);
    this.#settle();
  }

  observe(observer: Observer): Unsubscribe {
    this.#observers.add(observer);
    this.#settle();
    return () => {
      this.#observers.delete(observer);
      this.#settle();
    };
  }

  /** Asks the server for its tick, as the SDK does. Resolves to the round trip in milliseconds, or `undefined` if none came. */
  async ping(): Promise<number | undefined> {
    if (!this.#inner.channel.connected) return undefined;
    const sent = performance.now();
    try {
      await this.#inner.channel.timeout(PATIENCE_MS).emitWithAck("t");
      return performance.now() - sent;
    } catch {
      return undefined;
    }
  }

  /** Attaches to the channel, or lets it go, as it is needed. */
  #settle(): void {
    const isNeeded = this.#observers.size > 0 || this.#conditions !== null;
    if (isNeeded && this.#room.status !== "over") this.#detach ??= this.#attach();
    else if (!isNeeded) this.#detach?.();
  }

  #attach(): () => void {
    const { channel, handlers } = this.#inner;
    const restore = replace(channel, {
      emit: this.#sends(channel.emit.bind(channel)),
      timeout: this.#asks(channel.timeout.bind(channel)),
    });
    const heard = Object.entries(handlers).map(([event, handler]) => {
      const own = this.#hears(event, handler as (argument: unknown) => void);
      channel.off(event, handler as () => void);
      channel.on(event, own);
      return { event, handler: handler as () => void, own };
    });
    const stop = this.#room.onOver(() => this.#detach?.());
    return () => {
      this.#detach = undefined;
      stop();
      restore();
      this.#up.clear();
      this.#down.clear();
      for (const { event, handler, own } of heard) {
        channel.off(event, own);
        if (this.#room.status !== "over") channel.on(event, handler);
      }
    };
  }

  #sends(emit: Channel["emit"]): Channel["emit"] {
    return (event, ...args) => {
      if (this.#asking) return emit(event, ...args);
      for (const observer of this.#observers) observer.sent(event, args[0]);
      return this.#up.push(() => void emit(event, ...args));
    };
  }

  /** Requests go up with the inputs, and their answers come down with the frames. */
  #asks(timeout: Channel["timeout"]): Channel["timeout"] {
    return (ms) => ({
      emitWithAck: (event, ...args) =>
        new Promise((resolve, reject) => {
          const lost = (): void => reject(new Error("the connection was lost"));
          for (const observer of this.#observers) observer.sent(event, args[0]);
          const ask = (): void => {
            this.#asking = true;
            const answered = timeout(ms).emitWithAck(event, ...args);
            this.#asking = false;
            answered.then((answer) => this.#down.push(() => resolve(answer), lost), reject);
          };
          this.#up.push(ask, lost);
        }),
    });
  }

  #hears(event: string, handler: (argument: unknown) => void): (argument: unknown) => void {
    if (event === "connect_error") return handler;
    return (argument) => {
      if (event === "disconnect") {
        this.#up.clear();
        this.#down.clear();
        handler(argument);
        return;
      }
      this.#down.push(() => {
        for (const observer of this.#observers) observer.received(event, argument);
        handler(argument);
      });
    };
  }
}

const PATIENCE_MS = 10_000;

/**
 * The wire of a room. It is kept in the room: a page and a frame in it may inspect the same one. Throws a `TypeError` for anything
 * else.
 */
export function wireOf(room: object): Wire {
  const inner = insideOf(room);
  return (inner.wire ??= new Wire(room as Talker, inner)) as Wire;
}

/** Replaces methods of an object, and returns a function that puts them back. */
function replace<T extends object>(object: T, methods: Partial<T>): () => void {
  const own = Object.getOwnPropertyDescriptors(object) as Record<string, PropertyDescriptor | undefined>;
  Object.assign(object, methods);
  return () => {
    for (const name of Object.keys(methods)) {
      const before = own[name];
      if (before) Object.defineProperty(object, name, before);
      else delete (object as Record<string, unknown>)[name];
    }
  };
}
