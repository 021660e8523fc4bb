// The split view: two players of the same match side by side, each with a line of its own, so that anybody can see what delay and
// loss do, with prediction and without. Each player is this page in a frame.

import "./split.css";

import type { Room } from "@tickcast/client";
import type { Conditions, Settings } from "@tickcast/client/inspector";

import { el } from "./dom.ts";

/** How often a side is looked at, in milliseconds. A match that begins anew is another room. */
const LOOK_MS = 200;
/** Keys that are for one side alone: its inspector, its dialogs, its focus. */
const OWN_KEYS: readonly string[] = ["KeyI", "Escape", "Tab", "Enter"];

type Inspecting = typeof import("@tickcast/client/inspector");

/** The settings with which a side begins. */
interface Beginning {
  readonly name: string;
  readonly profile: string;
  readonly predicts: boolean;
}

const SIDES: readonly [Beginning, Beginning] = [
  { name: "Left", profile: "poor", predicts: true },
  { name: "Right", profile: "poor", predicts: false },
];

/** One player: a frame, and the switches over it. */
class Side {
  readonly node: HTMLElement;
  readonly frame: HTMLIFrameElement;
  private readonly profile: HTMLSelectElement;
  /** The choice that is shown while the inspector's sliders make conditions of their own. */
  private readonly own: HTMLOptionElement;
  private readonly predicts: HTMLInputElement;
  private readonly says = el("span", { className: "split-says" });
  private room: Room | undefined;
  private keys: Window | undefined;

  constructor(
    { name, profile, predicts }: Beginning,
    private readonly inspecting: Inspecting,
    private readonly pressed: (event: KeyboardEvent) => void,
  ) {
    this.frame = el("iframe", { title: `${name} player` });
    const options = ["off", ...inspecting.profiles.map((one) => one.name)].map((value) =>
      el("option", { value }, value),
    );
    this.own = el("option", { value: "own", hidden: true }, "own");
    this.profile = el("select", { onchange: () => this.apply() }, ...options, this.own);
    this.profile.value = profile;
    this.predicts = el("input", { type: "checkbox", checked: predicts, onchange: () => this.apply() });
    const bar = el(
      "div",
      { className: "split-switches" },
      el("h2", {}, name),
      el("label", {}, "Line ", this.profile),
      el("label", {}, this.predicts, " Prediction"),
      this.says,
    );
    this.node = el("section", { className: "split-side", attrs: { "aria-label": `${name} player` } }, bar, this.frame);
  }

  /** Shows the page. Without a code it opens a room of the game. */
  open(name: string, game: string, code = ""): void {
    const search = new URLSearchParams({ pane: name, game });
    this.frame.src = `?${search}${code && `#${code}`}`;
  }

  /**
   * The room of this side, once it is there. The line and the picture of a new one become what the switches say. Later the switches
   * say what the inspector has set.
   */
  look(): Room | undefined {
    const inside = this.frame.contentWindow;
    const room = inside?.tickcast?.room;
    if (inside && room && room !== this.room) {
      this.room = room;
      this.listen(inside);
      this.apply();
    } else if (room) {
      this.follow(room);
    }
    return room;
  }

  /** Passes a key of the other side on to this one. */
  press({ type, code, key, repeat }: KeyboardEvent): void {
    this.frame.contentWindow?.dispatchEvent(new KeyboardEvent(type, { code, key, repeat, bubbles: true }));
  }

  private apply(): void {
    const { profiles, settingsOf, simulate, drawPredicted } = this.inspecting;
    const { value } = this.profile;
    const profile = profiles.find(({ name }) => name === value) ?? null;
    this.says.textContent = told(profile);
    if (!this.room) return;
    // Conditions of one's own stay with the room for which they were made.
    if (value !== "own") simulate(this.room, profile);
    drawPredicted(this.room, this.predicts.checked);
    this.show(settingsOf(this.room));
  }

  private follow(room: Room): void {
    // A person who has the menu open is about to choose.
    if (document.activeElement !== this.profile) this.show(this.inspecting.settingsOf(room));
  }

  private show({ conditions, profile, drawsPredicted }: Settings): void {
    const says = told(conditions);
    if (this.profile.value !== profile) this.profile.value = profile;
    if (this.own.hidden !== (profile !== "own")) this.own.hidden = profile !== "own";
    if (this.says.textContent !== says) this.says.textContent = says;
    this.predicts.checked = drawsPredicted;
  }

  /** Hears the keys that a person presses, and not those that are passed on. */
  private listen(inside: Window): void {
    if (this.keys === inside) return;
    this.keys = inside;
    for (const type of ["keydown", "keyup"] as const) {
      inside.addEventListener(type, (event) => {
        if (event.isTrusted && !OWN_KEYS.includes(event.code)) this.pressed(event);
      });
    }
  }
}

/** Shows two players of one match of a game. */
export async function showSplit(root: HTMLElement, game: string): Promise<void> {
  const inspecting = await import("@tickcast/client/inspector");
  const both = el("input", { type: "checkbox", checked: true });
  const left = new Side(SIDES[0], inspecting, (event) => both.checked && right.press(event));
  const right = new Side(SIDES[1], inspecting, (event) => both.checked && left.press(event));
  const bar = el(
    "header",
    { className: "split-bar" },
    el("h1", {}, "Split view"),
    el("label", { title: "Keys that are pressed on one side play on both" }, both, " Keys play both"),
    el("p", {}, "Press I on a side to inspect it."),
    el("a", { href: "." }, "Leave"),
  );
  root.replaceChildren(el("main", { className: "split" }, bar, left.node, right.node));
  left.open(SIDES[0].name, game);
  let isOpen = false;
  const look = (): void => {
    const code = left.look()?.code;
    right.look();
    if (!code || isOpen) return;
    isOpen = true;
    right.open(SIDES[1].name, game, code);
  };
  window.setInterval(look, LOOK_MS);
}

/** A line in a few words. */
function told(conditions: Conditions | null): string {
  if (!conditions) return "the real line";
  const { round_trip_ms, jitter_ms, loss, blackout } = conditions;
  const dead = blackout ? `, none for ${blackout.for_s} s every ${blackout.every_s} s` : "";
  return `${round_trip_ms} ± ${jitter_ms} ms, ${Math.round(loss * 1000) / 10}% lost${dead}`;
}
