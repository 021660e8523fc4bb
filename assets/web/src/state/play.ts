// The way into a match and out of it.

import { batch, signal } from "@preact/signals";
import type { Room, Server, Strength } from "@tickcast/client";

import { gameView } from "../games.ts";
import { pane, saveRoom, takeRoom } from "../stored.ts";
import type { GameView, Mounted } from "../view.ts";
import { sentence } from "../words.ts";
import { clear, enterMatch, isMatch, leaveMatch, roomCode } from "./route.ts";
import { server, settled, start } from "./session.ts";

/**
 * The player's wish: a game, perhaps with a configuration and a strength of the bots for a private room; a listed room; a code; or a
 * listed room to watch.
 */
export type PlayRequest =
  | { readonly game: string; readonly config?: Record<string, unknown>; readonly strength?: Strength | undefined }
  | { readonly room: string }
  | { readonly code: string }
  | { readonly watch: string };

/** The match that is on the page. */
export interface Stay {
  /** Another one for each time that the player enters. */
  readonly id: number;
  readonly room: Room;
  readonly view: GameView;
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

/** Connects. A link to a private room joins it, and a reload returns to the match. */
export async function begin(): Promise<void> {
  window.addEventListener("pagehide", remember);
  // The browser may show the same page again, with its match.
  window.addEventListener("pageshow", ({ persisted }) => persisted && takeRoom());
  window.addEventListener("popstate", cameBack);
  const room = takeRoom();
  await start();
  if (!server.value) return;
  const code = roomCode();
  const game = new URLSearchParams(location.search).get("game");
  if (code) await play({ code });
  else if (pane && game) await play({ game, config: {} });
  else if (room) await play({ room });
}

/** Somebody has put the code of a private room into the address. */
export async function follow(code: string): Promise<void> {
  if (stay.value?.room.code === code) return;
  end();
  await play({ code });
}

/** Takes a seat, and shows the match. A refusal is told by `message`. */
export async function play(request: PlayRequest): Promise<void> {
  if (busy.value) return;
  batch(() => {
    busy.value = true;
    message.value = "";
  });
  try {
    // A player whose name was refused sees why, and decides again.
    if (!(await settled()) || !server.value) return;
    enter(await seat(server.value, request));
  } catch (error) {
    clear();
    message.value = sentence(error);
  } finally {
    busy.value = false;
  }
}

/** Shows a match. Throws if this page cannot. */
export function enter(room: Room): void {
  const view = gameView(room.game);
  if (!view) {
    void room.leave();
    throw new Error(`This page cannot show the game ${room.game}.`);
  }
  end();
  enterMatch(room.code);
  stay.value = { id: ++entered, room, view };
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
  });
}

/** The player has gone back in the browser's history: asks as Escape does. Who goes back again leaves. */
function cameBack(): void {
  const { room } = stay.value ?? {};
  if (!room || isMatch()) return;
  const code = roomCode();
  // Another room, which `follow` enters.
  if (code && code !== room.code) return;
  if (asks.value || room.status === "over") {
    end();
    return;
  }
  enterMatch(room.code);
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
  return request.config
    ? lobby.create(request.game, {
        config: request.config,
        private: true,
        ...(request.strength && { strength: request.strength }),
      })
    : lobby.quick(request.game);
}
