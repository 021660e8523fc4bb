// A match that fills the window: the game's view, and around it the controls of every match.

import type { Over, Room } from "@tickcast/client";
import type { Inspector } from "@tickcast/client/inspector";

import { copy } from "./clipboard.ts";
import { el } from "./dom.ts";
import type { GameView, Mounted } from "./view.ts";

/** Actions that the match asks of the page. */
interface Actions {
  leave(): void;
  /** Starts another match of the same kind. */
  again(): Promise<void>;
  /** Takes the seat back from another window. */
  here(): Promise<void>;
}

/** Titles and explanations for reasons whose own message is meant for programmers. */
const TITLES: Record<string, string> = {
  replaced: "You are playing in another window",
  kicked: "You were removed from the match",
};
const EXPLAINED: Record<string, string> = {
  expired: "You were away for too long, or the server has restarted. Your seat is gone.",
  replaced: "The match goes on there. You can also play it here.",
};
/** How long the buttons under a result do nothing, in milliseconds: the player may still be shooting. */
const CALM = 700;
const NOTE = 2_500;

export class Match {
  readonly node: HTMLElement;
  private readonly canvas = el("canvas", {
    className: "stage",
    tabIndex: 0,
    attrs: { role: "img", "aria-label": "The match" },
  });
  private readonly hud = el("div", { className: "hud" });
  private readonly tools = el("span", { className: "tools" });
  private readonly ping = el("button", {
    className: "ping",
    title: "Inspector (I)",
    onclick: () => this.toggleInspector(),
    attrs: { "aria-label": "Inspector", "aria-expanded": "false" },
  });
  private readonly banner = el("div", { className: "banner", attrs: { role: "alert" } });
  private readonly subscriptions: (() => void)[] = [];
  private readonly ends = new AbortController();
  private mounted: Mounted | undefined;
  /** The inspector, or that it is being loaded. */
  private inspector: Inspector | "loading" | undefined;
  private dialog: HTMLDialogElement | undefined;
  private clock = 0;
  private note: Node | string = "";
  private noteEnds = 0;

  constructor(
    private readonly room: Room,
    private readonly view: GameView,
    private readonly actions: Actions,
  ) {
    const leave = el("button", { className: "leave", onclick: () => this.ask(), title: "Leave (Escape)" }, "← Leave");
    const code = room.code
      ? el(
          "button",
          { className: "share", title: "Copy a link to this room", onclick: () => void this.share() },
          `Code ${room.code}`,
        )
      : null;
    this.node = el(
      "div",
      { className: "match" },
      this.canvas,
      this.hud,
      el("div", { className: "bar" }, leave, code, this.tools, this.ping),
      this.banner,
    );
  }

  /** Mounts the view. The node must already be on the page, so that the canvas has a size. */
  open(): void {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const predict = new URLSearchParams(location.search).get("predict") !== "off";
    this.mounted = this.view.mount({
      room: this.room,
      canvas: this.canvas,
      hud: this.hud,
      tools: this.tools,
      calm,
      predict,
    });
    this.subscriptions.push(
      this.room.onOver((over) => this.over(over)),
      this.room.onStatus(() => this.tell()),
    );
    this.tell();
    this.clock = window.setInterval(() => this.measure(), 500);
    window.addEventListener(
      "keydown",
      (event) => {
        if (this.dialog) return;
        if (event.code === "KeyI" && isPlain(event)) this.toggleInspector();
        if (event.code !== "Escape") return;
        // The browser would close the dialog that this key opens.
        event.preventDefault();
        this.ask();
      },
      { signal: this.ends.signal },
    );
    if (this.room.code) history.replaceState(null, "", `#${this.room.code}`);
    this.canvas.focus();
  }

  close(): void {
    this.ends.abort();
    if (typeof this.inspector === "object") this.inspector.close();
    window.clearInterval(this.clock);
    window.clearTimeout(this.noteEnds);
    for (const unsubscribe of this.subscriptions) unsubscribe();
    this.mounted?.unmount();
    void this.room.leave();
  }

  state(): Record<string, unknown> | undefined {
    return this.mounted?.state();
  }

  /** Shows in the banner that the connection is lost, or else the note. */
  private tell(): void {
    const said = this.room.status === "reconnecting" ? "Connection lost. Reconnecting…" : this.note;
    this.banner.classList.toggle("on", said !== "");
    this.banner.replaceChildren(said);
  }

  private measure(): void {
    const fps = this.state()?.fps;
    const { rtt } = this.room.stats;
    const ping = Number.isFinite(rtt) ? `${Math.round(rtt)} ms` : "– ms";
    this.ping.textContent = typeof fps === "number" ? `${ping} · ${fps} fps` : ping;
  }

  private toggleInspector(): void {
    if (typeof this.inspector === "object") this.inspector.close();
    else if (!this.inspector) void this.inspect();
  }

  /** Loads the inspector, which a match does not need, and opens it. */
  private async inspect(): Promise<void> {
    this.inspector = "loading";
    try {
      const { inspect } = await import("@tickcast/client/inspector");
      if (this.ends.signal.aborted) return;
      this.inspector = inspect(this.room, { parent: this.node, onClose: () => this.inspected() });
      this.ping.ariaExpanded = "true";
    } catch (error) {
      this.inspector = undefined;
      console.error("the inspector could not be loaded", error);
    }
  }

  private inspected(): void {
    this.inspector = undefined;
    this.ping.ariaExpanded = "false";
    if (!this.dialog) this.canvas.focus();
  }

  private async share(): Promise<void> {
    const link = `${new URL(".", location.href).href}#${this.room.code}`;
    const copied = await copy(link);
    this.canvas.focus();
    const text = el("span", { className: "link" }, link);
    this.note = el("span", {}, copied ? "Link copied: " : "Copy this link for your friends: ", text);
    this.tell();
    window.clearTimeout(this.noteEnds);
    const forget = () => {
      this.note = "";
      this.tell();
    };
    // A link that the player has to copy stays longer.
    this.noteEnds = window.setTimeout(forget, copied ? NOTE : NOTE * 8);
  }

  /** Asks whether to leave. The match goes on meanwhile. */
  private ask(): void {
    const stay = el("button", { className: "primary", onclick: () => this.dismiss() }, "Keep playing");
    const leave = el("button", { onclick: () => this.actions.leave() }, "Leave");
    this.show({ title: "Leave the match?", buttons: [stay, leave], cancel: () => this.dismiss() });
  }

  private over({ reason, message, winners }: Over): void {
    this.tell();
    const replaced = reason === "replaced";
    const again = el(
      "button",
      { className: "primary", onclick: () => void (replaced ? this.actions.here() : this.actions.again()) },
      replaced ? "Play here" : "Play again",
    );
    const lobby = el("button", { onclick: () => this.actions.leave() }, "Back to the lobby");
    const buttons = reason === "kicked" ? [lobby] : [again, lobby];
    const why = reason === "finished" ? "" : (EXPLAINED[reason] ?? message);
    const result = reason === "finished" ? this.mounted?.result() : undefined;
    this.show({ title: this.verdict(reason, winners), why, result, buttons, cancel: () => this.actions.leave() });
    for (const button of buttons) button.disabled = true;
    window.setTimeout(() => {
      for (const button of buttons) button.disabled = false;
    }, CALM);
  }

  /** Shows a dialog in place of the last one. Only keyup events leave it, so that the view learns which keys are up. */
  private show({ title, why, result, buttons, cancel }: Question): void {
    this.dialog?.remove();
    const dialog = el(
      "dialog",
      {
        tabIndex: -1,
        attrs: { "aria-labelledby": "dialog-title" },
        onkeydown: (event) => event.stopPropagation(),
        oncancel: (event) => {
          event.preventDefault();
          cancel();
        },
        // Browsers close a dialog without asking if Escape comes twice.
        onclose: () => void (this.dialog === dialog && cancel()),
      },
      el("h1", { id: "dialog-title" }, title),
      why ? el("p", {}, why) : null,
      result ?? null,
      el("div", { className: "row" }, ...buttons),
    );
    this.dialog = dialog;
    this.node.append(dialog);
    dialog.showModal();
    // A key that the player still holds must not press a button.
    dialog.focus();
  }

  private dismiss(): void {
    this.dialog?.remove();
    this.dialog = undefined;
    this.canvas.focus();
  }

  private verdict(reason: string, winners: readonly number[]): string {
    if (reason !== "finished") return TITLES[reason] ?? "The match has ended";
    if (winners.includes(this.room.seat)) {
      if (this.room.team !== undefined) return "Your team wins!";
      return winners.length > 1 ? "You share the win" : "You win!";
    }
    const names = winners.map((seat) => this.room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`);
    if (names.length === 0) return "A draw";
    return `${names.join(" and ")} ${names.length > 1 ? "win" : "wins"}`;
  }
}

/** Whether a key was pressed alone, and not to type. */
function isPlain({ ctrlKey, metaKey, altKey, repeat, target }: KeyboardEvent): boolean {
  const types = target instanceof HTMLElement && target.matches("input, textarea, select");
  return !ctrlKey && !metaKey && !altKey && !repeat && !types;
}

/** A dialog over the match. */
interface Question {
  readonly title: string;
  readonly why?: string;
  readonly result?: HTMLElement | undefined;
  readonly buttons: readonly HTMLButtonElement[];
  /** The player presses Escape. */
  cancel(): void;
}
