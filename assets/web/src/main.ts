// The page: connects, shows the lobby, and replaces it with the match that the player joins.

import "./style.css";

import { connect, type Room, type Server } from "@tickcast/client";

import { el } from "./dom.ts";
import { gameView } from "./games.ts";
import { Lobby, type PlayRequest } from "./lobby.ts";
import { Match } from "./match.ts";
import { loadName, saveName } from "./name.ts";

class Page {
  private server: Server | undefined;
  private lobby: Lobby | undefined;
  private match: Match | undefined;
  private ready: Promise<void> = Promise.resolve();
  private busy = false;

  constructor(private readonly root: HTMLElement) {}

  /** Connects under the stored name. A link to a private room joins it. */
  async start(): Promise<void> {
    await this.connect(loadName());
    const code = location.hash.slice(1);
    if (code) await this.play({ code });
  }

  /** Connects under a name. A connection has one name, so a new name needs a new connection, even before the last one is ready. */
  private connect(name: string): Promise<void> {
    saveName(name);
    this.ready = this.ready.then(() => this.reconnect(name));
    return this.ready;
  }

  private async reconnect(name: string): Promise<void> {
    // Pending requests of the old lobby get no answer, and need none.
    this.lobby?.close();
    this.server?.close();
    this.server = undefined;
    this.expose();
    try {
      this.server = await connect(new URL(".", location.href).href, name ? { name } : {});
    } catch (error) {
      this.fail(error);
      return;
    }
    this.expose();
    this.showLobby();
  }

  private showLobby(): void {
    if (!this.server) return;
    this.lobby?.close();
    this.lobby = new Lobby(this.server, {
      name: loadName(),
      play: (request) => this.play(request),
      rename: (name) => this.connect(name),
    });
    this.root.replaceChildren(this.lobby.node);
    this.lobby.open().catch((error: unknown) => this.fail(error));
  }

  private async play(request: PlayRequest): Promise<void> {
    await this.ready;
    if (!this.server || this.busy) return;
    this.busy = true;
    this.lobby?.wait(true);
    try {
      this.enter(await seat(this.server, request));
    } catch (error) {
      history.replaceState(null, "", location.pathname);
      this.lobby?.showMessage(text(error));
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
      again: () => this.again(room.game),
    });
    this.root.replaceChildren(this.match.node);
    this.match.open();
    this.expose(room);
  }

  private back(): void {
    this.match?.close();
    this.match = undefined;
    history.replaceState(null, "", location.pathname);
    this.expose();
    this.showLobby();
  }

  private async again(game: string): Promise<void> {
    this.back();
    await this.play({ game });
  }

  /** Exposes the server, the room and the view's state to tests and the browser's console. */
  private expose(room?: Room): void {
    window.tickcast = { server: this.server, room, state: () => this.match?.state() };
  }

  private fail(error: unknown): void {
    const retry = el("button", { className: "primary", onclick: () => location.reload() }, "Try again");
    const box = el("main", { className: "notice" }, el("h1", {}, "No connection"), el("p", {}, text(error)), retry);
    this.root.replaceChildren(box);
  }
}

function seat({ lobby }: Server, request: PlayRequest): Promise<Room> {
  if ("room" in request) return lobby.join(request.room);
  if ("code" in request) return lobby.joinCode(request.code);
  return request.config
    ? lobby.create(request.game, { config: request.config, private: true })
    : lobby.quick(request.game);
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

declare global {
  interface Window {
    tickcast: { server: Server | undefined; room: Room | undefined; state(): Record<string, unknown> | undefined };
  }
}

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
window.addEventListener("hashchange", () => location.reload());
void new Page(root).start();
