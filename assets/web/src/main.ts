// The page: connects, shows the lobby, and puts a match in its place when the player joins one.

import "./style.css";

import { connect, type Room, type Server } from "@tickcast/client";

import { el } from "./dom.ts";
import { gameView } from "./games.ts";
import { Lobby, type Wish } from "./lobby.ts";
import { Match } from "./match.ts";
import { loadName, saveName } from "./name.ts";

class Page {
  private server: Server | undefined;
  private lobby: Lobby | undefined;
  private match: Match | undefined;
  private ready: Promise<void> = Promise.resolve();
  private busy = false;

  constructor(private readonly root: HTMLElement) {}

  /** Connects under the kept name. A link to a private room leads into it. */
  async start(): Promise<void> {
    await this.connect(loadName());
    const code = location.hash.slice(1);
    if (code) await this.play({ code });
  }

  /** Called again when the name changes, which may be before the last connection is there: a connection has one name. */
  private connect(name: string): Promise<void> {
    saveName(name);
    this.ready = this.ready.then(() => this.reconnect(name));
    return this.ready;
  }

  private async reconnect(name: string): Promise<void> {
    // What the lobby still asks the old connection will have no answer, and needs none.
    this.lobby?.close();
    this.server?.close();
    this.server = undefined;
    this.expose();
    try {
      this.server = await connect(location.origin, name ? { name } : {});
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
      play: (wish) => this.play(wish),
      rename: (name) => this.connect(name),
    });
    this.root.replaceChildren(this.lobby.node);
    this.lobby.open().catch((error: unknown) => this.fail(error));
  }

  private async play(wish: Wish): Promise<void> {
    await this.ready;
    if (!this.server || this.busy) return;
    this.busy = true;
    this.lobby?.wait(true);
    try {
      this.enter(await seat(this.server, wish));
    } catch (error) {
      history.replaceState(null, "", location.pathname);
      this.lobby?.say(text(error));
    } finally {
      this.busy = false;
      this.lobby?.wait(false);
    }
  }

  private enter(room: Room): void {
    const view = gameView(room.game);
    if (!view) {
      void room.leave();
      throw new Error(`this page has no view of the game ${room.game}`);
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

  /** What tests and the curious can reach from the console. */
  private expose(room?: Room): void {
    window.tickcast = { server: this.server, room, state: () => this.match?.state() };
  }

  private fail(error: unknown): void {
    const retry = el("button", { className: "primary", onclick: () => location.reload() }, "Try again");
    const box = el("main", { className: "notice" }, el("h1", {}, "No connection"), el("p", {}, text(error)), retry);
    this.root.replaceChildren(box);
  }
}

function seat({ lobby }: Server, wish: Wish): Promise<Room> {
  if ("room" in wish) return lobby.join(wish.room);
  if ("code" in wish) return lobby.joinCode(wish.code);
  return wish.config ? lobby.create(wish.game, { config: wish.config, private: true }) : lobby.quick(wish.game);
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
