// The panel beside the board: clocks, whose turn it is, what happened last, what is under the cursor, and the buttons.

/** A player as the panel shows them. */
export interface Player {
  readonly name: string;
  readonly seconds: number;
  readonly hasTurn: boolean;
  readonly isBlue: boolean;
  readonly note: string;
}

export interface Facts {
  /** The enemy first, and then the player; of a match that is watched, both. */
  readonly players: readonly Player[];
  readonly round: string;
  readonly status: string;
  readonly undoable: number;
  readonly canAct: boolean;
  readonly canOffer: boolean;
  /** Whether the other one offers a draw. */
  readonly isOffered: boolean;
  readonly hasOffered: boolean;
  readonly isOver: boolean;
}

export interface Orders {
  undo(): void;
  endTurn(): void;
  offerDraw(): void;
  resign(): void;
}

/** How long a player has to say once more that they resign, in milliseconds. */
const SURE = 4_000;
/** From so many seconds on a clock is short. */
const LATE = 20;

export class Panel {
  readonly root = block("div", "tactics-panel");
  private readonly clocks = block("div", "tactics-clocks");
  private readonly status = block("p", "tactics-status");
  private readonly story = block("p", "tactics-story");
  private readonly info = block("p", "tactics-info");
  private readonly round = block("p", "tactics-round");
  private readonly undo: HTMLButtonElement;
  private readonly end: HTMLButtonElement;
  private readonly draw: HTMLButtonElement;
  private readonly resign: HTMLButtonElement;
  private shown = "";
  private sure = 0;

  constructor(parent: HTMLElement, orders: Orders) {
    this.status.setAttribute("role", "status");
    this.story.setAttribute("aria-live", "polite");
    this.story.setAttribute("aria-label", "What happened last");
    this.undo = button("Undo", "tactics-undo", () => orders.undo());
    this.end = button("End turn", "tactics-end", () => orders.endTurn());
    this.draw = button("Offer a draw", "", () => orders.offerDraw());
    this.resign = button("Resign", "", () => this.askResign(() => orders.resign()));
    const buttons = block("div", "tactics-buttons", this.undo, this.end, this.draw, this.resign);
    this.root.append(
      this.clocks,
      block("div", "tactics-words", this.round, this.status, this.story, this.info),
      buttons,
    );
    parent.append(this.root);
  }

  show(facts: Facts): void {
    const key = JSON.stringify(facts);
    if (key === this.shown) return;
    this.shown = key;
    this.clocks.replaceChildren(...facts.players.map(clock));
    write(this.round, facts.round);
    write(this.status, facts.status);
    write(this.undo, facts.undoable > 0 ? `Undo (${facts.undoable})` : "Undo");
    this.undo.disabled = !facts.canAct || facts.undoable === 0;
    this.end.disabled = !facts.canAct;
    write(this.draw, facts.isOffered ? "Take the draw" : facts.hasOffered ? "Draw offered" : "Offer a draw");
    this.draw.classList.toggle("tactics-offered", facts.isOffered);
    this.draw.disabled = !facts.canOffer;
    this.resign.disabled = facts.isOver;
  }

  /** Tells what happened last. */
  tell(words: string): void {
    write(this.story, words);
  }

  /** Tells what is under the cursor. Readers speak it only if keys move the cursor. */
  describe(words: string, isSpoken: boolean): void {
    this.info.setAttribute("aria-live", isSpoken ? "polite" : "off");
    write(this.info, words);
  }

  close(): void {
    window.clearTimeout(this.sure);
    this.root.remove();
  }

  /** The button has to be pressed twice. */
  private askResign(resign: () => void): void {
    const isSure = this.sure !== 0;
    window.clearTimeout(this.sure);
    this.sure = isSure ? 0 : window.setTimeout(() => this.forgetResign(), SURE);
    write(this.resign, isSure ? "Resign" : "Sure?");
    if (isSure) resign();
  }

  private forgetResign(): void {
    this.sure = 0;
    write(this.resign, "Resign");
  }
}

export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function clock({ name, seconds, hasTurn, isBlue, note }: Player): HTMLElement {
  const shape = block("i", isBlue ? "tactics-blue" : "tactics-orange");
  shape.setAttribute("aria-hidden", "true");
  const time = block("b", seconds <= LATE ? "tactics-time tactics-late" : "tactics-time", timeText(seconds));
  const row = block("div", hasTurn ? "tactics-clock tactics-turn" : "tactics-clock", shape, block("span", "", name));
  row.append(...(note ? [block("small", "", note)] : []), time);
  row.setAttribute("role", "timer");
  row.setAttribute("aria-label", `${name}: ${timeText(seconds)}${hasTurn ? ", to move" : ""}`);
  return row;
}

function button(label: string, className: string, act: () => void): HTMLButtonElement {
  const node = document.createElement("button");
  node.type = "button";
  node.className = className;
  node.textContent = label;
  node.addEventListener("click", act);
  return node;
}

/** Writes a text that is another one, so that readers do not speak it again. */
function write(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function block(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}
