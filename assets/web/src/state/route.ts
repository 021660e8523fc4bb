// The address of the page: which view it shows. A hash keeps the server's paths free, whatever path the page is served below.
//
// `#CODE` is a private room, `#/watch/ROOM` and `#/look/CODE` are rooms that are watched, `#/play/GAME` is a match in the playground,
// and `#/word` or `#/word/value` is a view of the lobby. A public match has the lobby's address. Each match has an entry of its own in the history, so that Back does not leave the page.

import { signal } from "@preact/signals";

import { pane } from "../stored.ts";

/** A view of the lobby, and what it is about. */
export interface Route {
  readonly view: string;
  readonly value: string;
}

export const route = signal(readRoute());

/** Follows the address. `changed` is called after each change. */
export function followRoute(changed: () => void): void {
  window.addEventListener("hashchange", () => {
    route.value = readRoute();
    changed();
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

/** Shows another view in place of this one: Back leads to the one before. */
export function replace(view: string): void {
  history.replaceState(null, "", to(view));
  route.value = readRoute();
}

/** Gives a match its entry in the history, with the hash by which a reload finds it; without one the lobby's address. */
export function enterMatch(hash: string): void {
  const address = hash || location.pathname + location.search;
  if (isMatch() || pane !== undefined) {
    history.replaceState({ match: true }, "", address);
    return;
  }
  // A link to the room must not be what Back leads to.
  if (roomCode() || ["watch", "look", "play"].includes(readRoute().view)) clear();
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
  route.value = readRoute();
}

/** Whether the newest entry of the history is a match. */
export function isMatch(): boolean {
  return (history.state as { match?: boolean } | null)?.match === true;
}

/** The view that the address names. */
export function readRoute(): Route {
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
