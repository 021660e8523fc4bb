// The button that turns the sound off and on, and its key.

import type { Sound } from "./sound.ts";

const KEY = "KeyM";
const SVG = "http://www.w3.org/2000/svg";
const BOX = "M4 9v6h4l5 4V5L8 9z";
const WAVES = "M16.5 8.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12";
const CROSS = "M17 9.5l5 5M22 9.5l-5 5";

export class Mute {
  private readonly button = document.createElement("button");
  private readonly waves = draw(this.button);
  private readonly ends = new AbortController();

  constructor(
    tools: HTMLElement,
    private readonly sound: Sound,
  ) {
    const { signal } = this.ends;
    this.button.type = "button";
    this.button.className = "arena-mute";
    this.button.title = "Sound off and on (M)";
    this.button.setAttribute("aria-label", "Mute");
    this.button.setAttribute("aria-keyshortcuts", "M");
    this.button.addEventListener("click", () => this.toggle(), { signal });
    window.addEventListener("keydown", (event) => this.key(event), { signal });
    this.show();
    tools.append(this.button);
  }

  close(): void {
    this.ends.abort();
    this.button.remove();
  }

  private key(event: KeyboardEvent): void {
    if (event.code !== KEY || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
    this.toggle();
  }

  private toggle(): void {
    this.sound.muted = !this.sound.muted;
    this.show();
  }

  private show(): void {
    const { muted } = this.sound;
    this.button.setAttribute("aria-pressed", String(muted));
    this.waves.setAttribute("d", muted ? CROSS : WAVES);
  }
}

/** A loudspeaker. Returns what changes in it. */
function draw(button: HTMLElement): SVGPathElement {
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const [box, waves] = [document.createElementNS(SVG, "path"), document.createElementNS(SVG, "path")];
  box.setAttribute("d", BOX);
  icon.append(box, waves);
  button.append(icon);
  return waves;
}
