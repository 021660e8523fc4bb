// What is left of both armies, for the end of a match and for a look in between.

import { block } from "./panel.ts";
import type { Piece } from "./pieces.ts";

/** Makes the table. `names` are those of seats 1 and 2, and `why` says how the game ended. */
export function resultOf(names: readonly string[], pieces: readonly Piece[], why: string): HTMLElement {
  const rows = names.map((name, at) => {
    const own = pieces.filter(({ side }) => side === at + 1);
    const health = own.reduce((sum, { hp }) => sum + hp, 0);
    const head = block("th", "", name);
    head.setAttribute("scope", "row");
    return block("tr", "", head, block("td", "", String(own.length)), block("td", "", String(health)));
  });
  const heads = ["Player", why ? "Units" : "Units in sight", "Health"].map((text) => {
    const head = block("th", "", text);
    head.setAttribute("scope", "col");
    return head;
  });
  const table = block("table", "", block("thead", "", block("tr", "", ...heads)), block("tbody", "", ...rows));
  const root = block("section", "tactics-result", ...(why ? [block("p", "", why)] : []), table);
  root.setAttribute("aria-label", "Armies");
  return root;
}
