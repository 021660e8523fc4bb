// The way into a match and out of it.

import { batch, signal } from "@preact/signals";
import type { Room, Server, Strength } from "@tickcast/client";

import { gameView } from "../game_views.ts";
import { pane, saveRoom, takeRoom } from "../stored.ts";
import type { GameView, Mounted } from "../view.ts";
import { sentence } from "../words.ts";
import { clear, enterMatch, isMatch, leaveMatch, readRoute, roomCode, to } from "./route.ts";
import { refusal, server, settled, start } from "./session.ts";

/**
 * The player's wish: a game, perhaps with a configuration and a strength of the bots for a private room; a listed room; a code; or a
 * listed or private room to watch.
 */
export type PlayRequest =
  | { readonly game: string; readonly config?: Record<string, unknown>; readonly strength?: Strength | undefined }
  | { readonly room: string }
  | { readonly code: string }
  | { readonly watch: string }
  | { readonly watchCode: string };

/** The match that is on the page. */
export interface Stay {
  /** Another one for each time that the player enters. */
  readonly id: number;
  readonly room: Room;
  readonly view: GameView;
  /** Whether the player has created the room. */
  readonly isOwner: boolean;
}

export const stay = signal<Stay | undefined>(undefined);
/** The view of the match, once it draws. */
export const mounted = signal<Mounted | undefined>(undefined);
let entered = 0;
/** Whether a seat is being taken. */
export const busy = signal(false);
/** Why the last wish was refused; empty if it was not. */
export const message = signal("");
/** Whether the page asks if the player wants to leave. */
export const asks = signal(false);

/** The menu of the match: closed, open, or open at the link for friends. */
export const menu = signal<"closed" | "open" | "invite">("closed");

/** Connects. A link to a private room joins it, and a reload returns to the match. */
export async function begin(): Promise<void> {
  window.addEventListener("pagehide", remember);
  // The browser may show the same page again, with its match.
  window.addEventListener("pageshow", ({ persisted }) => persisted && takeRoom());
  window.addEventListener("popstate", cameBack);
  const room = takeRoom();
  await start();
  if (!server.value) return;
  const address = addressed();
  const game = new URLSearchParams(location.search).get("game");
  if (address) await play(address);
  else if (pane && game) await play({ game, config: {} });
  else if (room) await play({ room });
}

/** Somebody has put a room into the address. */
export async function follow(): Promise<void> {
  const address = addressed();
  if (!address || (stay.value && location.hash === addressOf(stay.value.room))) return;
  end();
  await play(address);
}

/** The room that the address names: the code of a private one, or one to watch. */
function addressed(): PlayRequest | undefined {
  const code = roomCode();
  if (code) return { code };
  const { view, value } = readRoute();
  if (value === "") return undefined;
  if (view === "watch") return { watch: value };
  return view === "look" ? { watchCode: value } : undefined;
}

/** The hash of a match; empty for one that only the history of the tab remembers. */
function addressOf({ id, code, spectating }: Room): string {
  if (spectating) return code ? to("look", code) : to("watch", id);
  return code ? `#${code}` : "";
}

/** Takes a seat, and shows the match. A refusal is told by `message`. */
export async function play(request: PlayRequest): Promise<void> {
  if (busy.value) return;
  batch(() => {
    busy.value = true;
    message.value = "";
    refusal.value = "";
  });
  try {
    // A player whose name was refused sees why, and decides again.
    if (!(await settled()) || !server.value) return;
    enter(await seat(server.value, request), "config" in request);
  } catch (error) {
    // The address must not lead there again.
    if (addressed() || isMatch()) clear();
    message.value = sentence(error);
  } finally {
    busy.value = false;
  }
}

/** Shows a match, which the player may have created. Throws if this page cannot. */
export function enter(room: Room, isOwner = false): void {
  const view = gameView(room.game);
  if (!view) {
    void room.leave();
    throw new Error(`This page cannot show the game ${room.game}.`);
  }
  end();
  enterMatch(addressOf(room));
  stay.value = { id: ++entered, room, view, isOwner };
}

/** Leaves the match for the lobby. */
export function back(): void {
  end();
  leaveMatch();
}

/** Leaves the match for another one. */
export async function again(request: PlayRequest): Promise<void> {
  end();
  await play(request);
}

function end(): void {
  void stay.value?.room.leave();
  batch(() => {
    stay.value = undefined;
    asks.value = false;
    menu.value = "closed";
  });
}

/** The player has gone back in the browser's history: asks as Escape does. Who goes back again leaves. */
function cameBack(): void {
  const { room } = stay.value ?? {};
  if (!room || isMatch()) return;
  // Another room, which `follow` enters.
  if (addressed() && location.hash !== addressOf(room)) return;
  if (asks.value || room.status === "over") {
    end();
    return;
  }
  enterMatch(addressOf(room));
  asks.value = true;
}

/** Remembers the match for a reload. The address of a private room has its code already. */
function remember(): void {
  const { room } = stay.value ?? {};
  if (room && room.status !== "over" && !room.code && !room.spectating) saveRoom(room.id);
}

function seat({ lobby }: Server, request: PlayRequest): Promise<Room> {
  if ("room" in request) return lobby.join(request.room);
  if ("code" in request) return lobby.joinCode(request.code);
  if ("watch" in request) return lobby.spectate(request.watch);
  if ("watchCode" in request) return lobby.spectateCode(request.watchCode);
  return request.config
    ? lobby.create(request.game, {
        config: request.config,
        private: true,
        ...(request.strength && { strength: request.strength }),
      })
    : lobby.quick(request.game);
}
