// The player's display name, stored in this browser.

const KEY = "tickcast.name";

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
