// Connections that really break.

import { connect as connectTcp, createServer } from "node:net";

/** A TCP proxy to the server that can cut or hold connections without a packet from either end. */
export class Wire {
  /** The number of connections so far. */
  connections = 0;
  #closed = false;
  #pipes = new Set();
  #watch;

  static async to(target) {
    const wire = new Wire();
    const listener = createServer((near) => wire.#join(near, connectTcp(Number(target.port), target.hostname)));
    await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
    wire.url = `http://127.0.0.1:${listener.address().port}`;
    return wire;
  }

  cut() {
    for (const { from } of this.#pipes) from.destroy();
  }

  /** Cuts all connections, and refuses new ones until `open`. */
  close() {
    this.#closed = true;
    this.cut();
  }

  open() {
    this.#closed = false;
  }

  /** Holds the data of both ends back until `release`. */
  hold() {
    for (const pipe of this.#pipes) pipe.held ??= [];
  }

  /** Holds back what the server says until `release`. */
  holdAnswers() {
    for (const pipe of this.#pipes) if (pipe.isAnswer) pipe.held ??= [];
  }

  release() {
    for (const pipe of this.#pipes) {
      const held = pipe.held ?? [];
      pipe.held = undefined;
      for (const bytes of held) this.#pass(pipe, bytes);
    }
  }

  /** Cuts the client off without a word to the server, as when a network changes. */
  abandon() {
    for (const pipe of this.#pipes) pipe.isAbandoned = true;
    for (const { from, isAnswer } of this.#pipes) if (!isAnswer) from.destroy();
  }

  /** Calls `act` once, right before a text from the server reaches the client. */
  before(text, act) {
    this.#watch = { text, act };
  }

  #join(near, far) {
    if (this.#closed) {
      for (const end of [near, far]) end.on("error", () => {}).destroy();
      return;
    }
    this.connections += 1;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      const pipe = { from, to, isAnswer: from === far, isAbandoned: false, held: undefined };
      this.#pipes.add(pipe);
      from.on("data", (bytes) => this.#pass(pipe, bytes));
      from.on("error", () => {});
      from.on("close", () => {
        this.#pipes.delete(pipe);
        if (!pipe.isAbandoned) to.destroy();
      });
    }
  }

  #pass(pipe, bytes) {
    if (pipe.isAnswer && this.#watch && bytes.includes(this.#watch.text)) {
      const { act } = this.#watch;
      this.#watch = undefined;
      act();
    }
    if (pipe.held) pipe.held.push(bytes);
    else if (!pipe.to.destroyed) pipe.to.write(bytes);
  }
}
