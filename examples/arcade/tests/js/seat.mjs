// A seat in a match of arena, held by a stock Socket.IO client and the decoder beside this file.

import assert from "node:assert/strict";

import { Mirror, readEvents, writeAck, writeInput } from "./decoder.mjs";
import { next, until } from "./support.mjs";

/** Units a second that an avatar walks, and a little for rounding. */
const WALK = 6.5;
const ROUNDING = 0.1;
const BINARY = [Uint8Array, ArrayBuffer];

export class Seat {
  welcome;
  mirror;
  /** The newest frame's header. */
  frame;
  frames = [];
  events = [];
  refused = [];
  over;
  /** How far the avatar has walked since the last input. */
  #way = { x: 0, y: 0 };
  #last;
  #seq = 0;

  constructor(socket) {
    this.socket = socket;
    // `welcome` is the first event, so the schema is known before frames and events come.
    socket.on("welcome", (welcome) => this.#begin(welcome));
    socket.on("s", (binary) => this.#take(binary));
    socket.on("e", (binary) => this.events.push(...readEvents(this.welcome.schema, bytes(binary))));
    socket.on("refused", (refused) => this.refused.push(refused));
    socket.on("over", (over) => (this.over = over));
  }

  /** Waits for `welcome` and for a first frame with the avatar in it. */
  async seated() {
    if (!this.welcome) await next(this.socket, "welcome");
    await until("the avatar is in the mirror", () => this.me() !== undefined);
  }

  me() {
    return this.mirror?.find(this.welcome.seat, "Pos");
  }

  /** Sends an input. Tick 0 means the next tick. Returns the sequence number. */
  press(fields) {
    // A client that has come back goes on behind the inputs that it sent before.
    this.#seq = Math.max(this.#seq, this.frame?.ack ?? 0) + 1;
    this.socket.emit("i", writeInput(this.welcome.schema, { ack: this.mirror.tick, seq: this.#seq, ...fields }));
    return this.#seq;
  }

  /** Walks one unit in a direction and one unit back. Tries other directions if the avatar meets a wall or dies. */
  async walk() {
    const axes = [
      ["E", 1, 0, "W"],
      ["N", 0, 1, "S"],
      ["W", -1, 0, "E"],
      ["S", 0, -1, "N"],
    ];
    for (let attempt = 0; attempt < 12; attempt++) {
      const [there, x, y, back] = axes[attempt % axes.length];
      if ((await this.#walks(there, x, y)) && (await this.#walks(back, -x, -y))) return;
    }
    throw new Error("the avatar did not follow the inputs in any direction");
  }

  async #walks(dir, x, y) {
    const seq = this.press({ dir });
    await until(`input ${seq} is taken`, () => this.frame.ack === seq % 65_536);
    this.#way = { x: 0, y: 0 };
    const begun = this.mirror.tick;
    await until("ticks go on", () => along(this.#way, x, y) >= 1 || this.mirror.tick > begun + 2 * this.welcome.hz);
    if (along(this.#way, x, y) < 1) return false;
    const way = JSON.stringify(this.#way);
    assert.ok(Math.abs(along(this.#way, y, x)) <= ROUNDING, `the input was ${dir}, but the avatar went ${way}`);
    return true;
  }

  #begin(welcome) {
    this.welcome = welcome;
    if (welcome.state === "snapshot") this.mirror = new Mirror(welcome.schema);
    this.#last = undefined;
  }

  #take(binary) {
    this.frame = this.mirror.take(bytes(binary));
    this.frames.push(this.frame);
    if (this.frames.length % 10 === 0) this.socket.emit("i", writeAck(this.mirror.tick));
    const [now, before] = [this.#standing(), this.#last];
    this.#last = now;
    if (!now || !before) return;
    const step = { x: now.x - before.x, y: now.y - before.y };
    const far = ((now.tick - before.tick) * WALK) / this.welcome.hz + ROUNDING;
    // A longer step than walking allows is a respawn.
    if (Math.hypot(step.x, step.y) > far) this.#way = { x: 0, y: 0 };
    else this.#way = { x: this.#way.x + step.x, y: this.#way.y + step.y };
  }

  #standing() {
    const me = this.me();
    return me && me.Hp > 0 ? { ...me.Pos.at, tick: this.mirror.tick } : undefined;
  }
}

function along(way, x, y) {
  return way.x * x + way.y * y;
}

function bytes(binary) {
  assert.ok(
    BINARY.some((type) => binary instanceof type),
    `not a binary: ${Object.prototype.toString.call(binary)}`,
  );
  return binary instanceof ArrayBuffer ? new Uint8Array(binary) : binary;
}
