// Says to who plays with thumbs what they do, until both have done it once.

import { load, save } from "./stored.ts";

const STORED = "thumbs";

export class Hint {
  private readonly walk = note("Left thumb", "drag to walk");
  private readonly aim = note("Right thumb", "drag to aim, into the red ring to shoot");
  private readonly node = document.createElement("div");

  constructor(root: HTMLElement) {
    this.node.className = "arena-hint";
    this.node.append(this.walk, this.aim);
    if (matchMedia("(pointer: coarse)").matches && load(STORED) === undefined) root.append(this.node);
  }

  /** The player has walked, or shot, with a thumb. */
  done(walked: boolean, shot: boolean): void {
    if (!this.node.isConnected) return;
    if (walked) this.walk.classList.add("arena-done");
    if (shot) this.aim.classList.add("arena-done");
    const all = [this.walk, this.aim].every((half) => half.classList.contains("arena-done"));
    if (!all) return;
    save(STORED, "known");
    window.setTimeout(() => this.node.remove(), 500);
  }
}

function note(who: string, what: string): HTMLElement {
  const node = document.createElement("span");
  const name = document.createElement("b");
  name.textContent = who;
  node.append(name, what);
  return node;
}
