// The address of the page: which view it shows. A hash keeps the server's paths free, whatever path the page is served below.
//
// `#CODE` is a private room, and `#/word` or `#/word/value` is a view of the lobby. A match has the lobby's address, or its code,
// and an entry of its own in the history, so that Back does not leave the page.

import { signal } from "@preact/signals";

import { pane } from "../stored.ts";

/** A view of the lobby, and what it is about. */
export interface Route {
  readonly view: string;
  readonly value: string;
}

export const route = signal(read());

/** Follows the address. `code` is called with the code of a private room that somebody has put into it. */
export function followRoute(code: (code: string) => void): void {
  window.addEventListener("hashchange", () => {
    route.value = read();
    const wanted = roomCode();
    if (wanted) code(wanted);
  });
}

/** The code of a private room in the address; empty if there is none. */
export function roomCode(): string {
  return location.hash.startsWith("#/") ? "" : decoded(location.hash.slice(1));
}

/** The address of a view. */
export function to(view: string, value = ""): string {
  return `#/${view}${value && `/${encodeURIComponent(value)}`}`;
}

/** Shows another view. */
export function go(view: string, value = ""): void {
  location.hash = to(view, value);
}

/** Gives a match its entry in the history, and a private room its address. */
export function enterMatch(code: string | undefined): void {
  const address = code ? `#${code}` : location.pathname + location.search;
  if (isMatch() || pane !== undefined) {
    history.replaceState({ match: true }, "", address);
    return;
  }
  // A link to the room must not be what Back leads to.
  if (roomCode()) clear();
  history.pushState({ match: true }, "", address);
}

/** Leaves the entry of a match. */
export function leaveMatch(): void {
  const wasPushed = isMatch() && pane === undefined;
  clear();
  if (wasPushed) history.back();
}

/** Removes the code of a private room from the address. */
export function clear(): void {
  history.replaceState(null, "", location.pathname + location.search);
  route.value = read();
}

/** Whether the newest entry of the history is a match. */
export function isMatch(): boolean {
  return (history.state as { match?: boolean } | null)?.match === true;
}

function read(): Route {
  const [, view = "", value = ""] = location.hash.startsWith("#/") ? location.hash.split("/") : [];
  return { view, value: decoded(value) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
