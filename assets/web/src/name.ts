// The player's display name, stored in this browser.

// Several servers may share an origin, each with its page below a path of its own.
const PATH = new URL(".", location.href).pathname;
const KEY = PATH === "/" ? "tickcast.name" : `tickcast.name:${PATH}`;

/** The stored name, or an empty string. If the browser forbids storage, the name lasts as long as the page. */
export function loadName(): string {
  try {
    return localStorage.getItem(KEY) ?? memory;
  } catch {
    return memory;
  }
}

export function saveName(name: string): void {
  memory = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // The name in memory remains.
  }
}

let memory = "";
