// The players with their points.

import { el } from "@tickcast/web/dom";

export interface Score {
  readonly seat: number;
  readonly name: string;
  readonly points: number;
  readonly gained: number;
  readonly found: number;
  readonly draws: boolean;
  readonly mine: boolean;
  readonly isAway: boolean;
}

/** The best first. */
export function ranked(scores: readonly Score[]): Score[] {
  return [...scores].sort((a, b) => b.points - a.points || a.seat - b.seat);
}

export function row({ name, points, gained, found, draws, mine, isAway }: Score): HTMLElement {
  const notes = [draws && "draws", found > 0 && `found it as no. ${found}`, isAway && "away"].filter(Boolean);
  const mark = draws ? "✎" : found > 0 ? "✓" : "";
  return el(
    "li",
    { className: `scribble-row${mine ? " scribble-mine" : ""}${found > 0 ? " scribble-knows" : ""}` },
    el("span", { className: "scribble-mark", attrs: { "aria-hidden": "true" } }, mark),
    el("span", { className: "scribble-name" }, name),
    notes.length > 0 && el("span", { className: "hidden" }, `, ${notes.join(", ")}, `),
    gained > 0 && el("span", { className: "scribble-gained" }, `+${gained}`),
    el("span", { className: "scribble-points" }, String(points)),
  );
}

/** The scores of all players, for the end of the match. */
export function table(scores: readonly Score[]): HTMLElement {
  return el(
    "ol",
    { className: "scribble-final", tabIndex: 0, attrs: { "aria-label": "Scores" } },
    ...ranked(scores).map((score) => row({ ...score, draws: false, found: 0, gained: 0 })),
  );
}
