// The tools of the drawer: colours, widths, undo and clear.

import { el } from "@tickcast/web/dom";

import { COLORS, WIDTHS } from "./palette.ts";

export class Tools {
  color = 0;
  width = 1;
  readonly node: HTMLElement;
  private readonly colors: HTMLButtonElement[];
  private readonly widths: HTMLButtonElement[];

  constructor(acts: { undo(): void; clear(): void }) {
    this.colors = COLORS.map(({ name, css }, color) => {
      const button = choice(name, () => this.choose({ color }));
      button.style.setProperty("--pen", css);
      button.className = "scribble-color";
      return button;
    });
    this.widths = WIDTHS.map(({ name, units }, width) => {
      const button = choice(`${name} pen`, () => this.choose({ width }));
      button.style.setProperty("--wide", `${Math.max(3, units / 1.7)}px`);
      button.className = "scribble-width";
      return button;
    });
    const act = (text: string, onclick: () => void) => el("button", { type: "button", textContent: text, onclick });
    this.node = el(
      "div",
      { className: "scribble-tools", hidden: true, attrs: { role: "toolbar", "aria-label": "Pens" } },
      el("div", { className: "scribble-colors", attrs: { role: "group", "aria-label": "Colour" } }, ...this.colors),
      el("div", { className: "scribble-widths", attrs: { role: "group", "aria-label": "Width" } }, ...this.widths),
      el("div", { className: "scribble-acts" }, act("Undo", acts.undo), act("Clear", acts.clear)),
    );
    this.choose({});
  }

  private choose({ color = this.color, width = this.width }: { color?: number; width?: number }): void {
    Object.assign(this, { color, width });
    this.colors.forEach((button, k) => void button.setAttribute("aria-pressed", String(k === color)));
    this.widths.forEach((button, k) => void button.setAttribute("aria-pressed", String(k === width)));
  }
}

function choice(name: string, onclick: () => void): HTMLButtonElement {
  return el("button", { type: "button", title: name, onclick, attrs: { "aria-label": name } });
}
