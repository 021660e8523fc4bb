// The page: connects, shows the lobby, and replaces it with the match that the player joins.

import "./style.css";

import { connect, type Room, type Server, type ServerStatus, TickcastError } from "@tickcast/client";

import { el } from "./dom.ts";
import { gameView } from "./games.ts";
import { Lobby, type PlayRequest } from "./lobby.ts";
import { Match } from "./match.ts";
import { showSplit } from "./split.ts";
import { loadName, pane, saveName, saveRoom, takeRoom } from "./stored.ts";

class Page {
  private server: Server | undefined;
  private lobby: Lobby | undefined;
  private match: Match | undefined;
  private room: Room | undefined;
  /** The name that the server has taken, and the one that the player has entered last. */
  private name = "";
  private wanted = "";
  /** Whether the server takes the last name; true when nothing is on its way. */
  private ready: Promise<boolean> = Promise.resolve(true);
  private busy = false;

  constructor(private readonly root: HTMLElement) {
    window.addEventListener("pagehide", () => this.remember());
    // The browser may show the same page again, with its match.
    window.addEventListener("pageshow", ({ persisted }) => persisted && takeRoom());
  }

  /** Connects under the stored name. A link to a private room joins it, and a reload returns to the match. */
  async start(): Promise<void> {
    const room = takeRoom();
    await this.connect(loadName());
    if (!this.server) return;
    const code = location.hash.slice(1);
    const game = new URLSearchParams(location.search).get("game");
    if (code) await this.play({ code });
    else if (pane && game) await this.play({ game, config: {} });
    else if (room) await this.play({ room });
  }

  /** Connects under a name. A connection has one name, so a new name needs a new connection, even before the last one is ready. */
  private connect(name: string): Promise<boolean> {
    this.wanted = name;
    const change = this.ready.then(() => this.reconnect(name));
    this.ready = change;
    // A refusal holds back a click that came with the name, and none that comes later.
    return change.finally(() => {
      if (this.ready === change) this.ready = Promise.resolve(true);
    });
  }

  /** Replaces the connection by one under a name. If that fails, the old one stays. Returns whether the server has taken the name. */
  private async reconnect(name: string): Promise<boolean> {
    // A newer name is about to replace this one.
    if (name !== this.wanted) return false;
    let server: Server;
    try {
      server = await connect(new URL(".", location.href).href, {
        ...(name ? { name } : {}),
        ...(pane ? { storage: null } : {}),
      });
    } catch (error) {
      return this.refused(name, error);
    }
    saveName((this.name = name));
    const old = this.server;
    this.server = server;
    server.onStatus((status, reason) => this.follow(server, status, reason));
    old?.close();
    this.expose();
    // The lobby stays as it is: the player may be about to click something.
    if (this.lobby) this.fill(this.lobby, server);
    else this.showLobby();
    return true;
  }

  /** There is no connection under this name. */
  private async refused(name: string, error: unknown): Promise<boolean> {
    if (name !== this.wanted) return false;
    const badName = error instanceof TickcastError && error.code === "bad_name";
    if (!this.server) {
      if (!badName || !name) this.fail(error);
      // An earlier server may have taken the stored name.
      else if (await this.reconnect((this.wanted = "")))
        this.lobby?.showMessage(`You need another name. ${sentence(error)}`);
      return false;
    }
    this.wanted = this.name;
    const kept = this.name ? `Your name is still ${this.name}.` : "You have no name yet.";
    this.lobby?.showName(this.name);
    this.lobby?.showMessage(`${sentence(error)} ${kept}`);
    return false;
  }

  /** Shows the state of the connection, unless a match is on the page, which has a connection of its own to show. */
  private follow(server: Server, status: ServerStatus, reason?: TickcastError): void {
    if (server !== this.server) return;
    if (status === "closed" && this.lobby) this.fail(reason);
    else this.lobby?.showStatus(status);
  }

  private showLobby(): void {
    const { server } = this;
    if (!server) return;
    this.lobby?.close();
    if (server.status === "closed") {
      this.fail(new Error("The server has closed the connection."));
      return;
    }
    this.lobby = new Lobby({
      name: this.wanted,
      play: (request) => this.play(request),
      rename: (name) => this.connect(name),
    });
    this.root.replaceChildren(this.lobby.node);
    this.fill(this.lobby, server);
  }

  private fill(lobby: Lobby, server: Server): void {
    lobby.showStatus(server.status);
    lobby.show(server).catch((error: unknown) => this.fail(error));
  }

  private async play(request: PlayRequest): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.lobby?.wait(true);
    try {
      // A player whose name was refused sees why, and decides again.
      if (!(await this.ready) || !this.server) return;
      this.enter(await seat(this.server, request));
    } catch (error) {
      clearHash();
      this.lobby?.showMessage(sentence(error));
    } finally {
      this.busy = false;
      this.lobby?.wait(false);
    }
  }

  private enter(room: Room): void {
    const view = gameView(room.game);
    if (!view) {
      void room.leave();
      throw new Error(`This page cannot show the game ${room.game}.`);
    }
    this.lobby?.close();
    this.lobby = undefined;
    this.match?.close();
    this.match = new Match(room, view, {
      leave: () => this.back(),
      again: () => this.again(room.code ? { code: room.code } : { game: room.game }),
      here: () => this.again(room.code ? { code: room.code } : { room: room.id }),
    });
    this.root.replaceChildren(this.match.node);
    this.match.open();
    this.room = room;
    this.expose(room);
  }

  private back(): void {
    this.match?.close();
    this.match = undefined;
    this.room = undefined;
    clearHash();
    this.expose();
    this.showLobby();
  }

  private async again(request: PlayRequest): Promise<void> {
    this.back();
    await this.play(request);
  }

  /** Remembers the match for a reload. The address of a private room has its code already. */
  private remember(): void {
    if (this.room && this.room.status !== "over" && !this.room.code) saveRoom(this.room.id);
  }

  private expose(room?: Room): void {
    window.tickcast = { server: this.server, room, state: () => this.match?.state() };
  }

  private fail(error: unknown): void {
    this.lobby?.close();
    this.lobby = undefined;
    const retry = el("button", { className: "primary", onclick: () => location.reload() }, "Try again");
    const box = el("main", { className: "notice" }, el("h1", {}, "No connection"), el("p", {}, sentence(error)), retry);
    this.root.replaceChildren(box);
  }
}

function seat({ lobby }: Server, request: PlayRequest): Promise<Room> {
  if ("room" in request) return lobby.join(request.room);
  if ("code" in request) return lobby.joinCode(request.code);
  return request.config
    ? lobby.create(request.game, {
        config: request.config,
        private: true,
        ...(request.strength && { strength: request.strength }),
      })
    : lobby.quick(request.game);
}

/** The message of an error as a sentence. */
function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/** Removes the code of a private room from the address. */
function clearHash(): void {
  history.replaceState(null, "", location.pathname + location.search);
}

declare global {
  interface Window {
    tickcast: { server: Server | undefined; room: Room | undefined; state(): Record<string, unknown> | undefined };
  }
}

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
window.addEventListener("hashchange", () => location.reload());
const split = new URLSearchParams(location.search).get("split");
if (split) void showSplit(root, split);
else void new Page(root).start();
