/** Stops a listener. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** The callbacks that are registered for one kind of event. */
export class Listeners<Args extends unknown[]> {
  readonly #all = new Set<(...args: Args) => void>();

  add(callback: (...args: Args) => void): Unsubscribe {
    // A closure per registration: a function that is added twice is called twice, and each registration stops by itself.
    const own = (...args: Args): void => callback(...args);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Calls every callback. An exception in one is reported as uncaught, and the others are called all the same. */
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
