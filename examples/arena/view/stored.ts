// The settings of the view that this browser remembers.

/** The value under a name; `undefined` if there is none, or if the browser forbids storage. */
export function load(name: string): string | undefined {
  try {
    return localStorage.getItem(`tickcast.arena.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a value, where the browser allows it. */
export function save(name: string, value: string): void {
  try {
    localStorage.setItem(`tickcast.arena.${name}`, value);
  } catch {
    // It holds until the page is closed.
  }
}
