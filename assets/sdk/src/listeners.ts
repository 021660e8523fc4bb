/** Stops a listener. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** The callbacks that wait for one kind of news. */
export class Listeners<Args extends unknown[]> {
  readonly #all = new Set<(...args: Args) => void>();

  add(callback: (...args: Args) => void): Unsubscribe {
    // A closure of its own, so that one function added twice is called twice and stopped one at a time.
    const own = (...args: Args): void => callback(...args);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Calls everyone. An exception of one callback is reported as uncaught and does not keep the others from the news. */
  notify(...args: Args): void {
    for (const callback of this.#all) {
      try {
        callback(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
