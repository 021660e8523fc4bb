// The lobby page: games, open rooms, private rooms by code, and the player's name.

import type { GameInfo, RoomInfo, Server, ServerStatus, Strength } from "@tickcast/client";

import { el } from "./dom.ts";
import { gameView } from "./games.ts";

/** The player's wish: a game, perhaps with a configuration and a strength of the bots for a private room; a listed room; or a code. */
export type PlayRequest =
  | { readonly game: string; readonly config?: Record<string, unknown>; readonly strength?: Strength | undefined }
  | { readonly room: string }
  | { readonly code: string };

/** Actions that the lobby asks of the page. */
interface Actions {
  readonly name: string;
  play(request: PlayRequest): Promise<void>;
  rename(name: string): Promise<unknown>;
}

/** A room in the list. Its elements stay while the room is listed, so that no click or focus is lost. */
interface Row {
  readonly node: HTMLElement;
  update(room: RoomInfo): void;
}

export class Lobby {
  readonly node: HTMLElement;
  private readonly games = el("div", { className: "cards" });
  private readonly rooms = el("ul", { className: "rooms" });
  private readonly rows = new Map<string, Row>();
  private readonly noRoom = el("p", { className: "empty" }, "No room is open. Press Play to open one.");
  private readonly privates = el("div", { className: "privates" });
  private readonly connection = el("p", { className: "say", attrs: { role: "alert" } });
  private readonly message = el("p", { className: "say", attrs: { role: "status" } });
  private readonly nameInput = el("input", {
    id: "name",
    name: "name",
    maxLength: 24,
    placeholder: "Guest",
    spellcheck: false,
    attrs: { autocomplete: "nickname" },
  });
  private name = "";
  private counts: HTMLElement[] = [];
  private readonly posters = new Map<Element, () => void>();
  private readonly resized = new ResizeObserver((entries) =>
    entries.forEach(({ target }) => void this.posters.get(target)?.()),
  );
  private hosted: GameInfo[] = [];
  private server: Server | undefined;
  private unsubscribe: (() => void) | undefined;

  constructor(private readonly actions: Actions) {
    this.showName(actions.name);
    this.node = el(
      "div",
      { className: "lobby" },
      el(
        "header",
        { className: "top" },
        el("div", { className: "brand" }, logo(), el("span", {}, "Tickcast")),
        this.nameForm(),
      ),
      el(
        "main",
        {},
        this.connection,
        this.message,
        this.games,
        el(
          "div",
          { className: "columns" },
          el("section", {}, el("h2", {}, "Open rooms"), this.rooms, this.noRoom),
          el("section", {}, el("h2", {}, "Private rooms"), this.privates, this.codeForm()),
        ),
      ),
      el("footer", {}, "Authoritative matches, simulated on the server and streamed to your browser."),
    );
  }

  /**
   * Shows the games and rooms of a server, and keeps them up to date until the lobby closes or gets another server. Failures
   * after that are ignored.
   */
  async show(server: Server): Promise<void> {
    this.server = server;
    try {
      await this.fill(server);
    } catch (error) {
      if (server === this.server) throw error;
    }
  }

  private async fill(server: Server): Promise<void> {
    const hosted = await server.lobby.games();
    if (server !== this.server) return;
    // Another connection to the same server hosts the same games. Their elements stay, as the player may be about to click one.
    if (hosted.map(({ name }) => name).join() !== this.hosted.map(({ name }) => name).join()) {
      this.counts = [];
      this.games.replaceChildren(...hosted.map((game) => this.card(game)));
      this.privates.replaceChildren(...hosted.map((game) => this.settings(game)));
    }
    this.hosted = hosted;
    const unsubscribe = await server.lobby.rooms((rooms) => server === this.server && this.list(rooms));
    if (server !== this.server) {
      unsubscribe();
      return;
    }
    this.unsubscribe?.();
    this.unsubscribe = unsubscribe;
  }

  close(): void {
    this.server = undefined;
    this.resized.disconnect();
    this.unsubscribe?.();
  }

  showMessage(message: string): void {
    this.message.textContent = message;
  }

  showStatus(status: ServerStatus): void {
    this.connection.textContent = status === "reconnecting" ? "Connection lost. Reconnecting…" : "";
  }

  /** Shows the name that the player has. */
  showName(name: string): void {
    this.name = name;
    this.nameInput.value = name;
  }

  /** Disables the lobby while a seat is being taken. */
  wait(busy: boolean): void {
    this.node.classList.toggle("busy", busy);
    this.node.inert = busy;
    if (busy) this.showMessage("");
  }

  private card({ name, seats }: GameInfo): HTMLElement {
    const view = gameView(name);
    const title = view?.title ?? name;
    const count = el("p", { className: "count", attrs: { "aria-live": "polite" } });
    this.counts.push(count);
    const play = el(
      "button",
      { className: "primary", disabled: !view, onclick: () => void this.actions.play({ game: name }) },
      "Play",
    );
    play.dataset.game = name;
    const poster = el("canvas", { attrs: { "aria-hidden": "true" } });
    if (view) this.resized.observe(poster);
    this.posters.set(poster, () => view?.poster(poster));
    return el(
      "article",
      { className: "card" },
      el("div", { className: "poster" }, poster),
      el(
        "div",
        { className: "about" },
        el("h1", {}, title),
        el("p", {}, view?.tagline ?? "This page cannot show this game."),
        view ? el("p", { className: "keys" }, `${view.controls} · ${seats[0]}–${seats[1]} players`) : null,
        el("div", { className: "row" }, play, view ? splitLink(name) : null, count),
      ),
    );
  }

  private list(rooms: readonly RoomInfo[]): void {
    const playing = (game: string) =>
      rooms.filter((room) => room.game === game).reduce((sum, room) => sum + room.players, 0);
    this.hosted.forEach(({ name }, place) => {
      const count = this.counts[place];
      if (count) count.textContent = playing(name) > 0 ? `${playing(name)} playing now` : "Bots are ready";
    });
    const known = new Set(rooms.map(({ room }) => room));
    for (const [room, { node }] of this.rows) {
      if (known.has(room)) continue;
      node.remove();
      this.rows.delete(room);
    }
    const sorted = [...rooms].sort((a, b) => b.players - a.players || a.room.localeCompare(b.room));
    // A row must not move away from under the pointer or the focus.
    const inUse = this.rooms.matches(":hover, :focus-within");
    sorted.forEach((room, place) => {
      const known = this.rows.get(room.room);
      const row = known ?? this.row(room);
      this.rows.set(room.room, row);
      row.update(room);
      if (!known || !inUse) this.place(row.node, inUse ? this.rooms.children.length : place);
    });
    this.noRoom.hidden = rooms.length > 0;
  }

  private place(node: HTMLElement, place: number): void {
    const there = this.rooms.children[place];
    if (there !== node) this.rooms.insertBefore(node, there ?? null);
  }

  private row({ room, game, seats }: RoomInfo): Row {
    const title = gameView(game)?.title ?? game;
    const dots = Array.from({ length: seats }, () => el("i"));
    const count = el("span", { className: "room-count" });
    const join = el("button", { onclick: () => void this.actions.play({ room }) });
    const node = el(
      "li",
      {},
      el("span", { className: "room-game" }, title),
      el("span", { className: "seats", attrs: { "aria-hidden": "true" } }, ...dots),
      count,
      join,
    );
    const update = ({ players, bots }: RoomInfo) => {
      dots.forEach((dot, seat) => void (dot.className = seat < players ? "human" : seat < players + bots ? "bot" : ""));
      const label = `${players} ${players === 1 ? "player" : "players"}, ${bots} ${bots === 1 ? "bot" : "bots"}`;
      count.textContent = label;
      join.disabled = players >= seats;
      join.textContent = join.disabled ? "Full" : "Join";
      join.setAttribute("aria-label", `${join.textContent} ${title}, ${label}`);
    };
    return { node, update };
  }

  private nameForm(): HTMLElement {
    const input = this.nameInput;
    input.addEventListener("change", () => {
      const name = input.value.trim();
      if (name === this.name) return;
      this.name = name;
      this.showMessage("");
      void this.actions.rename(name);
    });
    return el(
      "form",
      {
        className: "name",
        onsubmit: (event) => {
          event.preventDefault();
          input.blur();
        },
      },
      el("label", { htmlFor: "name" }, "Your name"),
      input,
    );
  }

  /** The form that opens a private room of a game with the chosen settings. */
  private settings({ name, strengths = [] }: GameInfo): HTMLElement {
    const view = gameView(name);
    const chosen = (view?.settings ?? []).map(({ name: field, label, choices }) => {
      const select = el("select", { id: `${name}-${field}` }, ...choices.map(([text]) => el("option", {}, text)));
      return { field, label, select, value: () => choices[select.selectedIndex]?.[1] };
    });
    const bots = el(
      "select",
      { id: `${name}-bots` },
      el("option", {}, "by players"),
      ...strengths.map((strength) => el("option", {}, strength)),
    );
    const submit = (event: Event) => {
      event.preventDefault();
      void this.actions.play({
        game: name,
        strength: strengths[bots.selectedIndex - 1],
        config: Object.fromEntries(chosen.map(({ field, value }) => [field, value()])),
      });
    };
    const labels = chosen.map(({ label, select }) => el("label", { htmlFor: select.id }, label, select));
    if (strengths.length > 0) labels.push(el("label", { htmlFor: bots.id }, "Bots", bots));
    const open = el("button", { disabled: !view }, `Open a private ${view?.title ?? name} room`);
    return el("form", { className: "code", onsubmit: submit }, el("div", { className: "settings" }, ...labels), open);
  }

  private codeForm(): HTMLElement {
    const input = el("input", {
      id: "code",
      name: "code",
      maxLength: 16,
      placeholder: "Code",
      spellcheck: false,
      required: true,
      attrs: { autocomplete: "off" },
    });
    return el(
      "form",
      {
        className: "code",
        onsubmit: (event) => {
          event.preventDefault();
          void this.actions.play({ code: input.value.trim() });
        },
      },
      el("p", {}, "Friends join with the room’s code:"),
      el(
        "div",
        { className: "row" },
        el("label", { htmlFor: "code", className: "hidden" }, "Code of a private room"),
        input,
        el("button", {}, "Join"),
      ),
    );
  }
}

/** Leads to two players of one match, side by side. */
function splitLink(game: string): HTMLElement {
  const title = "Two players of one match side by side, each with a line of its own";
  return el("a", { className: "split-link", href: `?split=${encodeURIComponent(game)}`, title }, "Split view");
}

function logo(): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", "M4 20h7l3.5-13 4.5 18 3.5-11H28");
  svg.append(path);
  return svg;
}
