// The display over the picture: the time that is left, the heaviest players, and what has happened.

import { colour } from "./draw.ts";

export interface Row {
  readonly seat: number;
  readonly name: string;
  readonly mass: number;
  readonly best: number;
  readonly eaten: number;
  readonly mine: boolean;
}

/** How many players the display names. */
const ROWS = 8;

export class Hud {
  private readonly clock = make("p", "swarm-clock");
  private readonly rows = make("ol", "swarm-rows");
  private readonly told = make("p", "swarm-told");
  private shown = "";

  constructor(root: HTMLElement, onSplit: () => void) {
    const split = make("button", "swarm-split", "Split");
    split.addEventListener("click", onSplit);
    this.rows.setAttribute("aria-label", "The heaviest players");
    this.told.setAttribute("role", "status");
    root.append(this.clock, this.rows, this.told, split);
  }

  /** Shows the time and the ranking. `rows` has the heaviest first. */
  show(secondsLeft: number, rows: readonly Row[], apart: boolean): void {
    const seconds = Math.max(0, Math.ceil(secondsLeft));
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (this.clock.textContent !== clock) this.clock.textContent = clock;
    const mine = rows.findIndex((row) => row.mine);
    const chosen = rows.map((row, place) => ({ ...row, place: place + 1 })).filter((_, k) => k < ROWS || k === mine);
    const key = JSON.stringify([apart, chosen]);
    if (key === this.shown) return;
    this.shown = key;
    this.rows.replaceChildren(
      ...chosen.map(({ place, seat, name, mass, mine }) => {
        const dot = make("i", "swarm-dot");
        dot.style.background = colour(seat, apart);
        const row = make("li", mine ? "swarm-mine" : "");
        row.append(make("span", "swarm-place", String(place)), dot, make("span", "swarm-name", name), String(mass));
        return row;
      }),
    );
  }

  /** Tells what has happened, until something else does. */
  tell(text: string): void {
    if (this.told.textContent !== text) this.told.textContent = text;
  }
}

/** The scores at the end. */
export function table(rows: readonly Row[]): HTMLElement {
  const list = make("table", "swarm-table");
  const head = make("tr");
  for (const title of ["", "Player", "Mass", "Most", "Eaten"]) head.append(make("th", "", title));
  list.append(head);
  for (const [place, { name, mass, best, eaten, mine }] of rows.slice(0, 20).entries()) {
    const row = make("tr", mine ? "swarm-mine" : "");
    for (const text of [place + 1, name, mass, best, eaten]) row.append(make("td", "", String(text)));
    list.append(row);
  }
  return list;
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, name = "", text = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}
