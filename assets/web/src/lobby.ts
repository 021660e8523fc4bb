// The lobby page: games, open rooms, private rooms by code, and the player's name.

import type { GameInfo, RoomInfo, Server } from "@tickcast/client";

import { el } from "./dom.ts";
import { gameView } from "./games.ts";

/** What the player wants to play: a game, perhaps with a configuration for a private room; a listed room; or a code. */
export type PlayRequest =
  | { readonly game: string; readonly config?: Record<string, unknown> }
  | { readonly room: string }
  | { readonly code: string };

/** What the lobby asks the page to do. */
interface Actions {
  readonly name: string;
  play(request: PlayRequest): Promise<void>;
  rename(name: string): Promise<void>;
}

export class Lobby {
  readonly node: HTMLElement;
  private readonly games = el("div", { className: "cards" });
  private readonly rooms = el("ul", { className: "rooms" });
  private readonly privates = el("div", { className: "privates" });
  private readonly status = el("p", { className: "say", attrs: { role: "status" } });
  private counts: HTMLElement[] = [];
  private readonly posters = new Map<Element, () => void>();
  private readonly resized = new ResizeObserver((entries) =>
    entries.forEach(({ target }) => void this.posters.get(target)?.()),
  );
  private hosted: GameInfo[] = [];
  private unsubscribe: (() => void) | undefined;
  private closed = false;

  constructor(
    private readonly server: Server,
    private readonly actions: Actions,
  ) {
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
        this.status,
        this.games,
        el(
          "div",
          { className: "columns" },
          el("section", {}, el("h2", {}, "Open rooms"), this.rooms),
          el("section", {}, el("h2", {}, "Private rooms"), this.privates, this.codeForm()),
        ),
      ),
      el("footer", {}, "Authoritative matches, simulated on the server and streamed to your browser."),
    );
  }

  /** Shows games and rooms, and keeps them up to date until the lobby closes. Failures after that are ignored. */
  async open(): Promise<void> {
    try {
      await this.fill();
    } catch (error) {
      if (!this.closed) throw error;
    }
  }

  private async fill(): Promise<void> {
    this.hosted = await this.server.lobby.games();
    if (this.closed) return;
    this.games.replaceChildren(...this.hosted.map((game) => this.card(game)));
    this.privates.replaceChildren(...this.hosted.map((game) => this.settings(game)));
    const unsubscribe = await this.server.lobby.rooms((rooms) => this.list(rooms));
    if (this.closed) unsubscribe();
    else this.unsubscribe = unsubscribe;
  }

  close(): void {
    this.closed = true;
    this.resized.disconnect();
    this.unsubscribe?.();
  }

  showMessage(message: string): void {
    this.status.textContent = message;
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
        el("div", { className: "row" }, play, count),
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
    const rows = [...rooms]
      .sort((a, b) => b.players - a.players || a.room.localeCompare(b.room))
      .map((room) => this.row(room));
    this.rooms.replaceChildren(
      ...(rows.length > 0 ? rows : [el("li", { className: "empty" }, "No room is open. Press Play to open one.")]),
    );
  }

  private row({ room, game, players, bots, seats }: RoomInfo): HTMLElement {
    const title = gameView(game)?.title ?? game;
    const full = players >= seats;
    const dots = Array.from({ length: seats }, (_, seat) =>
      el("i", { className: seat < players ? "human" : seat < players + bots ? "bot" : "" }),
    );
    const label = `${players} ${players === 1 ? "player" : "players"}, ${bots} ${bots === 1 ? "bot" : "bots"}`;
    const join = el(
      "button",
      {
        disabled: full,
        onclick: () => void this.actions.play({ room }),
        attrs: { "aria-label": `Join ${title}, ${label}` },
      },
      full ? "Full" : "Join",
    );
    return el(
      "li",
      {},
      el("span", { className: "room-game" }, title),
      el("span", { className: "seats", attrs: { "aria-hidden": "true" } }, ...dots),
      el("span", { className: "room-count" }, label),
      join,
    );
  }

  private nameForm(): HTMLElement {
    const input = el("input", {
      id: "name",
      name: "name",
      maxLength: 24,
      value: this.actions.name,
      placeholder: "Guest",
      spellcheck: false,
      attrs: { autocomplete: "nickname" },
    });
    const rename = () => {
      if (input.value.trim() !== this.actions.name) void this.actions.rename(input.value.trim());
    };
    const form = el(
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
    input.addEventListener("change", rename);
    return form;
  }

  /** The form that opens a private room of a game with the chosen settings. */
  private settings({ name }: GameInfo): HTMLElement {
    const view = gameView(name);
    const chosen = (view?.settings ?? []).map(({ name: field, label, choices }) => {
      const select = el("select", { id: `${name}-${field}` }, ...choices.map(([text]) => el("option", {}, text)));
      return { field, label, select, value: () => choices[select.selectedIndex]?.[1] };
    });
    const submit = (event: Event) => {
      event.preventDefault();
      void this.actions.play({
        game: name,
        config: Object.fromEntries(chosen.map(({ field, value }) => [field, value()])),
      });
    };
    const labels = chosen.map(({ label, select }) => el("label", { htmlFor: select.id }, label, select));
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

function logo(): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", "M4 20h7l3.5-13 4.5 18 3.5-11H28");
  svg.append(path);
  return svg;
}
