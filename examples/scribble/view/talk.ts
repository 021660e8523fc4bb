// What is said: guesses and news, newest last, and the field in which the player guesses.

import { el } from "@tickcast/web/dom";

const MOST = 60;

export class Talk {
  readonly node: HTMLElement;
  private readonly lines = el("div", {
    className: "scribble-lines",
    tabIndex: 0,
    attrs: { role: "log", "aria-label": "Guesses" },
  });
  private readonly label = el("span", { className: "hidden" });
  readonly field = el("input", {
    type: "text",
    maxLength: 40,
    autocomplete: "off",
    spellcheck: false,
    enterKeyHint: "send",
    attrs: { autocapitalize: "off", autocorrect: "off" },
  });
  private readonly form: HTMLFormElement;

  constructor(say: (text: string) => void) {
    this.form = el(
      "form",
      { className: "scribble-say" },
      el("label", {}, this.label, this.field),
      el("button", { type: "submit", textContent: "Send" }),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.field.value.trim();
      if (text) say(text);
      this.field.value = "";
    });
    this.node = el("section", { className: "scribble-talk", attrs: { "aria-label": "Talk" } }, this.form, this.lines);
    this.ask("Say something");
  }

  /** Tells the player what to write. `undefined` takes the field away. */
  ask(what: string | undefined): void {
    this.form.hidden = what === undefined;
    if (what === undefined || what === this.label.textContent) return;
    this.label.textContent = what;
    this.field.placeholder = what;
  }

  /** Adds a line. `kind` is its class. */
  add(kind: string, who: string, text: string): void {
    const isAtEnd = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 40;
    this.lines.append(el("p", { className: `scribble-${kind}` }, who && el("b", {}, who), ` ${text}`));
    while (this.lines.children.length > MOST) this.lines.firstChild?.remove();
    if (isAtEnd) this.lines.scrollTop = this.lines.scrollHeight;
  }
}
