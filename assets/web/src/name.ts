// The player's display name, kept in this browser.

const KEY = "tickcast.name";

/** The kept name, or an empty string; storage may be forbidden, and then a name lasts as long as the page. */
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
    // The name in memory has to do.
  }
}

let memory = "";
