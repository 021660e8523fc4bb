// A match that fills the window: the game's view, and around it the controls of every match.

import type { Over, Room } from "@tickcast/client";

import { el } from "./dom.ts";
import type { GameView, Mounted } from "./view.ts";

/** What the match asks the page to do. */
interface Actions {
  leave(): void;
  again(): Promise<void>;
}

/** Explanations for reasons whose own message is meant for programmers. */
const EXPLAINED: Record<string, string> = {
  expired: "You were away for too long, or the server has restarted. Your seat is gone.",
  replaced: "The match continues in another window.",
};

export class Match {
  readonly node: HTMLElement;
  private readonly canvas = el("canvas", {
    className: "stage",
    tabIndex: 0,
    attrs: { role: "img", "aria-label": "The match" },
  });
  private readonly hud = el("div", { className: "hud" });
  private readonly ping = el("span", { className: "ping" });
  private readonly banner = el("div", { className: "banner", attrs: { role: "alert" } });
  private readonly ends = new AbortController();
  private readonly subscriptions: (() => void)[] = [];
  private mounted: Mounted | undefined;
  private clock = 0;

  constructor(
    private readonly room: Room,
    private readonly view: GameView,
    private readonly actions: Actions,
  ) {
    const leave = el(
      "button",
      { className: "leave", onclick: () => this.actions.leave(), title: "Leave (Escape)" },
      "← Leave",
    );
    const code = room.code
      ? el(
          "button",
          { className: "share", title: "Copy a link to this room", onclick: () => this.share() },
          `Code ${room.code}`,
        )
      : null;
    this.node = el(
      "div",
      { className: "match" },
      this.canvas,
      this.hud,
      el("div", { className: "bar" }, leave, code, this.ping),
      this.banner,
    );
  }

  /** Mounts the view. The node must already be on the page, so that the canvas has a size. */
  open(): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.mounted = this.view.mount({ room: this.room, canvas: this.canvas, hud: this.hud, calm });
    this.subscriptions.push(
      this.room.onOver((over) => this.over(over)),
      this.room.onStatus((status) => this.status(status)),
    );
    this.status(this.room.status);
    this.clock = window.setInterval(() => this.measure(), 500);
    window.addEventListener(
      "keydown",
      (event) => {
        if (event.code === "Escape") this.actions.leave();
      },
      { signal: this.ends.signal },
    );
    if (this.room.code) history.replaceState(null, "", `#${this.room.code}`);
    this.canvas.focus();
  }

  close(): void {
    this.ends.abort();
    window.clearInterval(this.clock);
    for (const unsubscribe of this.subscriptions) unsubscribe();
    this.mounted?.unmount();
    void this.room.leave();
  }

  state(): Record<string, unknown> | undefined {
    return this.mounted?.state();
  }

  private status(status: Room["status"]): void {
    const lost = status === "reconnecting";
    this.banner.classList.toggle("on", lost);
    this.banner.textContent = lost ? "Connection lost. Reconnecting…" : "";
  }

  private measure(): void {
    const fps = this.state()?.fps;
    const { rtt } = this.room.stats;
    const ping = Number.isFinite(rtt) ? `${Math.round(rtt)} ms` : "– ms";
    this.ping.textContent = typeof fps === "number" ? `${ping} · ${fps} fps` : ping;
  }

  private share(): void {
    const link = `${new URL(".", location.href).href}#${this.room.code}`;
    void navigator.clipboard?.writeText(link);
    this.banner.textContent = `Link copied: ${link}`;
    this.banner.classList.add("on");
    window.setTimeout(() => this.status(this.room.status), 2500);
  }

  private over({ reason, message, winners }: Over): void {
    this.status(this.room.status);
    const again = el("button", { className: "primary", onclick: () => void this.actions.again() }, "Play again");
    const lobby = el("button", { onclick: () => this.actions.leave() }, "Back to the lobby");
    const title = el("h1", { id: "over-title" }, this.verdict(reason, winners));
    const why = EXPLAINED[reason] ?? message;
    const said = reason === "finished" || !why ? null : el("p", {}, why);
    const box = el(
      "div",
      { className: "over", attrs: { role: "dialog", "aria-labelledby": "over-title" } },
      title,
      said,
      el("div", { className: "row" }, again, lobby),
    );
    this.node.append(el("div", { className: "veil" }, box));
    again.focus();
  }

  private verdict(reason: string, winners: readonly number[]): string {
    if (reason !== "finished") return "The match has ended";
    if (winners.includes(this.room.seat)) return winners.length > 1 ? "You share the win" : "You win!";
    const names = winners.map((seat) => this.room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`);
    if (names.length === 0) return "A draw";
    return `${names.join(" and ")} ${names.length > 1 ? "win" : "wins"}`;
  }
}
