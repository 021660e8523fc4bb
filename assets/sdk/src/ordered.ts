// Keeps events in order while the handling of one takes time.

/** Runs handlers in the order of their events. While it is paused, events wait. It starts paused. */
export class OrderedEvents {
  /** The waiting events; `undefined` while events are handled at once. */
  #waiting: (() => void)[] | undefined = [];
  #stopped = false;

  /** Wraps a handler, so that it waits for earlier events. */
  wrap<T>(handle: (argument: T) => void): (argument: T) => void {
    return (argument) => {
      if (this.#waiting) this.#waiting.push(() => handle(argument));
      else handle(argument);
    };
  }

  /** Makes all later events wait for `resume`. */
  pause(): void {
    this.#waiting = [];
  }

  /** Handles the waiting events, up to one that pauses again. */
  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const [k, handle] of waiting.entries()) {
      if (this.#stopped) return;
      handle();
      if (this.#waiting) {
        this.#waiting = waiting.slice(k + 1);
        return;
      }
    }
  }

  /** Drops the events that still wait. */
  stop(): void {
    this.#stopped = true;
  }
}
