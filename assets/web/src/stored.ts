// Values that this browser remembers: the player's display name, the public match that a reload of the page interrupts, and choices.

// Several servers may share an origin, each with its page below a path of its own.
const PATH = new URL(".", location.href).pathname;
const NAME = stored("name");
const ROOM = stored("room");

/** The side of the split view that this page is, in a frame: another person than that of the page around it. */
export const pane = new URLSearchParams(location.search).get("pane") ?? undefined;

/** The stored name, or an empty string. If the browser forbids storage, the name lasts as long as the page. */
export function loadName(): string {
  return pane ?? attempt(() => localStorage.getItem(NAME)) ?? name;
}

/** Stores a name that the server has taken. A stored name that it refuses would lock the player out. */
export function saveName(accepted: string): void {
  name = accepted;
  if (pane === undefined) attempt(() => localStorage.setItem(NAME, accepted));
}

let name = "";

/**
 * Stores the room that the player is in while the page goes away. It is stored no earlier, because a copy of the tab would
 * take the seat.
 */
export function saveRoom(room: string): void {
  if (pane === undefined) attempt(() => sessionStorage.setItem(ROOM, room));
}

/** Returns the stored room of this tab, and forgets it. */
export function takeRoom(): string | undefined {
  if (pane !== undefined) return undefined;
  return attempt(() => {
    const room = sessionStorage.getItem(ROOM) ?? undefined;
    sessionStorage.removeItem(ROOM);
    return room;
  });
}

/** A value of the page that this browser remembers under a name. */
export function load(key: string): string | undefined {
  if (pane !== undefined) return undefined;
  return attempt(() => localStorage.getItem(stored(key))) ?? undefined;
}

/** Remembers a value of the page. */
export function save(key: string, value: string): void {
  if (pane === undefined) attempt(() => localStorage.setItem(stored(key), value));
}

function stored(key: string): string {
  return PATH === "/" ? `tickcast.${key}` : `tickcast.${key}:${PATH}`;
}

/** Runs `act`. A browser may forbid storage, or it may be full. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
