// The way into a match and out of it.

import { batch, signal } from "@preact/signals";
import type { Lobby, Room, Server, Strength } from "@tickcast/client";

import { gameView } from "../game_views.ts";
import { playgroundView } from "../playground_view.ts";
import { pane, saveRoom, takeRoom } from "../stored.ts";
import type { GameView, Mounted } from "../view.ts";
import { sentence } from "../words.ts";
import { clear, enterMatch, isMatch, leaveMatch, readRoute, roomCode, to } from "./route.ts";
import { refusal, server, settled, start } from "./session.ts";

/**
 * The player's wish: a game, perhaps with a configuration and a strength of the bots for a private room; a game in the playground,
 * perhaps the room that a reload interrupts; a listed room; a code; or a listed or private room to watch.
 */
export type PlayRequest =
  | { readonly game: string; readonly config?: Record<string, unknown>; readonly strength?: Strength | undefined }
  | { readonly playground: string; readonly before?: string | undefined }
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
  /** Whether the match is shown by its schema alone. */
  readonly isPlayground: boolean;
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
  if (address) await play("playground" in address ? { ...address, before: room } : address);
  else if (pane && game) await play({ game, config: {} });
  else if (room) await play({ room });
}

/** Somebody has put a room into the address. */
export async function follow(): Promise<void> {
  const address = addressed();
  if (!address || (stay.value && location.hash === addressOf(stay.value))) return;
  end();
  await play(address);
}

/** The match that the address names: the code of a private room, a room to watch, or a game in the playground. */
function addressed(): PlayRequest | undefined {
  const code = roomCode();
  if (code) return { code };
  const { view, value } = readRoute();
  if (value === "") return undefined;
  if (view === "watch") return { watch: value };
  if (view === "play") return { playground: value };
  return view === "look" ? { watchCode: value } : undefined;
}

/** The hash of a match; empty for one that only the history of the tab remembers. */
function addressOf({ room, isPlayground }: Pick<Stay, "room" | "isPlayground">): string {
  const { id, game, code, spectating } = room;
  if (spectating) return code ? to("look", code) : to("watch", id);
  if (code) return `#${code}`;
  return isPlayground ? to("play", game) : "";
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
    enter(await seat(server.value, request), "config" in request, "playground" in request);
  } catch (error) {
    // The address must not lead there again.
    if (addressed() || isMatch()) clear();
    message.value = sentence(error);
  } finally {
    busy.value = false;
  }
}

/** Shows a match, which the player may have created. A game without a view of its own is in the playground. */
export function enter(room: Room, isOwner = false, inPlayground = false): void {
  const own = inPlayground ? undefined : gameView(room.game);
  const isPlayground = own === undefined;
  end();
  enterMatch(addressOf({ room, isPlayground }));
  stay.value = { id: ++entered, room, view: own ?? playgroundView(room.game), isOwner, isPlayground };
}

/** Leaves the match for the lobby. */
export function back(): void {
  end();
  leaveMatch();
}

/** Leaves the match for another one. The next match of a playground is in the playground, too. */
export async function again(request: PlayRequest): Promise<void> {
  const stays = stay.value?.isPlayground === true && "game" in request && !request.config;
  end();
  await play(stays ? { playground: request.game } : request);
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
  const here = stay.value;
  if (!here || isMatch()) return;
  // Another room, which `follow` enters.
  if (addressed() && location.hash !== addressOf(here)) return;
  if (asks.value || here.room.status === "over") {
    end();
    return;
  }
  enterMatch(addressOf(here));
  asks.value = true;
}

/** Remembers the match for a reload. The address of a private room has its code already. */
function remember(): void {
  const { room } = stay.value ?? {};
  if (room && room.status !== "over" && !room.code && !room.spectating) saveRoom(room.id);
}

function seat({ lobby }: Server, request: PlayRequest): Promise<Room> {
  if ("playground" in request) return seatInPlayground(lobby, request.playground, request.before);
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

/** Takes a seat in the room that a reload has interrupted, if it is one of the game, or else in the fullest open one. */
async function seatInPlayground(lobby: Lobby, game: string, before: string | undefined): Promise<Room> {
  const room = before ? await lobby.join(before).catch(() => undefined) : undefined;
  if (room?.game === game) return room;
  await room?.leave();
  return lobby.quick(game);
}
