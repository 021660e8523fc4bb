// The display over the picture: health, ammunition, scores, time, and recent kills.

import { colour } from "./colours.ts";

export interface Score {
  readonly seat: number;
  /** The index of its colour. */
  readonly tint: number;
  readonly name: string;
  readonly frags: number;
  readonly mine: boolean;
  readonly note: string;
}

export interface TeamScore {
  readonly tint: number;
  readonly frags: number;
  readonly mine: boolean;
}

export interface Facts {
  readonly hp: number;
  /** Seconds for which shots pass through the player's own avatar; 0 without protection. */
  readonly shieldedFor: number;
  /** Rounds in the magazine; `undefined` while unknown. */
  readonly ammo: number | undefined;
  readonly secondsLeft: number;
  readonly scores: readonly Score[];
  /** The sums of the teams' frags, in a match with teams. */
  readonly teams: readonly TeamScore[];
  /** Seconds until the player's own avatar respawns; 0 while it is alive. */
  readonly downFor: number;
  readonly fallenTo: string;
}

const MAGAZINE = 12;
const ROWS = 8;
const FEED_SECONDS = 5;

export class Hud {
  private readonly time = span("arena-time");
  private readonly hpLabel = span("arena-label", "Health");
  private readonly hpText = span("arena-number");
  private readonly hpBar = span("arena-fill");
  private readonly hpBox: HTMLElement;
  private readonly ammoText = span("arena-number");
  private readonly rounds: HTMLElement[];
  private readonly ammoBox: HTMLElement;
  private readonly teams = block("div", "arena-teams");
  private readonly scores = block("ol", "arena-scores arena-hud-scores");
  private readonly feed = block("ul", "arena-feed");
  private readonly down = block("div", "arena-down");
  private readonly downText = span("");
  private readonly hurt = block("div", "arena-hurt");
  private shown = "";
  private readonly watched: readonly HTMLElement[];
  private covered: DOMRect[] | undefined;

  constructor(root: HTMLElement, fragLimit: number) {
    this.hpBox = block("div", "arena-hp", this.hpLabel, this.hpText, block("div", "arena-bar", this.hpBar));
    this.rounds = Array.from({ length: MAGAZINE }, () => block("i", "arena-round"));
    this.ammoBox = block(
      "div",
      "arena-ammo",
      span("arena-label", "Ammo"),
      this.ammoText,
      block("div", "arena-rounds", ...this.rounds),
    );
    const goal = span("arena-goal", `first to ${fragLimit}`);
    this.down.append(span("arena-fallen", "You are down"), this.downText);
    this.feed.setAttribute("aria-live", "polite");
    this.scores.setAttribute("aria-label", "Scores");
    const clock = block("div", "arena-clock", this.time, this.teams, goal);
    const side = block("div", "arena-side", clock, this.scores, this.feed);
    root.append(this.hurt, side, this.hpBox, this.ammoBox, this.down);
    this.watched = [clock, this.scores, this.hpBox, this.ammoBox];
    const resized = new ResizeObserver(() => {
      this.covered = undefined;
    });
    for (const element of [root, ...this.watched]) resized.observe(element);
  }

  /** The parts of the screen that the display covers. */
  get boxes(): readonly DOMRect[] {
    this.covered ??= this.watched.map((element) => element.getBoundingClientRect()).filter(({ width }) => width > 0);
    return this.covered;
  }

  show(facts: Facts): void {
    const shielded = Math.ceil(facts.shieldedFor);
    const whole = {
      downFor: Math.ceil(facts.downFor),
      secondsLeft: Math.ceil(facts.secondsLeft),
      shieldedFor: shielded,
    };
    const key = JSON.stringify([{ ...facts, ...whole }]);
    if (key === this.shown) return;
    this.shown = key;
    const left = Math.max(0, Math.ceil(facts.secondsLeft));
    this.time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    this.time.classList.toggle("arena-late", left <= 20);
    this.hpLabel.textContent = shielded > 0 ? `Safe ${shielded} s` : "Health";
    this.hpText.textContent = String(facts.hp);
    this.hpBar.style.width = `${facts.hp}%`;
    this.hpBox.classList.toggle("arena-low", facts.hp <= 30);
    const reloading = facts.ammo === 0 && facts.downFor === 0;
    this.ammoText.textContent = reloading ? "reloading" : String(facts.ammo ?? "");
    this.ammoBox.classList.toggle("arena-reloading", reloading);
    this.rounds.forEach((round, index) => void round.classList.toggle("arena-full", index < (facts.ammo ?? 0)));
    this.down.classList.toggle("arena-on", facts.downFor > 0);
    const by = facts.fallenTo ? `${facts.fallenTo} took you down. ` : "";
    this.downText.textContent = `${by}Back in ${Math.ceil(facts.downFor)} s`;
    this.teams.replaceChildren(...facts.teams.map(sum));
    this.scores.replaceChildren(...facts.scores.filter((score, place) => place < ROWS || score.mine).map(row));
  }

  /** Flashes the edges: the player's own avatar was hit. */
  flinch(): void {
    this.hurt.classList.remove("arena-on");
    void this.hurt.offsetWidth;
    this.hurt.classList.add("arena-on");
  }

  tell(shooter: Score, victim: Score): void {
    const line = block(
      "li",
      shooter.mine || victim.mine ? "arena-mine" : "",
      name(shooter),
      span("arena-arrow", "▸"),
      name(victim),
    );
    this.feed.append(line);
    while (this.feed.children.length > 5) this.feed.firstChild?.remove();
    window.setTimeout(() => line.remove(), FEED_SECONDS * 1000);
  }
}

/** The scores of all players. */
export function table(scores: readonly Score[]): HTMLElement {
  const list = block("ol", "arena-scores arena-final", ...scores.map(row));
  list.setAttribute("aria-label", "Final scores");
  // Keys scroll what is longer than its box.
  list.tabIndex = 0;
  return list;
}

/** The frags of a team, in its colour. */
function sum({ tint, frags, mine }: TeamScore): HTMLElement {
  const text = span(mine ? "arena-team arena-mine" : "arena-team", String(frags));
  text.style.setProperty("--team", colour(tint, 62));
  text.setAttribute("aria-label", `${mine ? "Your team" : "Other team"}: ${frags}`);
  text.setAttribute("role", "img");
  return text;
}

function row(score: Score): HTMLElement {
  const dot = span("arena-dot");
  dot.style.background = colour(score.tint);
  const note = score.note ? span("arena-note", score.note) : "";
  return block(
    "li",
    score.mine ? "arena-mine" : "",
    dot,
    span("arena-name", score.name),
    note,
    span("arena-frags", String(score.frags)),
  );
}

function name(score: Score): HTMLElement {
  const text = span("", score.name);
  text.style.color = colour(score.tint, 72);
  return text;
}

function span(className: string, text = ""): HTMLElement {
  return block("span", className, text);
}

function block(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}
