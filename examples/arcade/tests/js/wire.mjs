// Connections that really break.

import { connect as connectTcp, createServer } from "node:net";

/** A TCP proxy to the server that can cut or hold connections without a packet from either end. */
export class Wire {
  /** The number of connections so far. */
  connections = 0;
  #closed = false;
  #ends = new Set();
  #others = new WeakMap();

  static async to(target) {
    const wire = new Wire();
    const listener = createServer((near) => wire.#join(near, connectTcp(Number(target.port), target.hostname)));
    await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
    wire.url = `http://127.0.0.1:${listener.address().port}`;
    return wire;
  }

  cut() {
    for (const end of this.#ends) end.destroy();
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
    for (const end of this.#ends) end.unpipe();
  }

  release() {
    for (const end of this.#ends) end.pipe(this.#others.get(end));
  }

  #join(near, far) {
    if (this.#closed) {
      for (const end of [near, far]) end.on("error", () => {}).destroy();
      return;
    }
    this.connections += 1;
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#ends.add(end);
      this.#others.set(end, other);
      end.on("error", () => {});
      end.on("close", () => {
        this.#ends.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
  }
}
