// What the view says about a hex, a unit and a refusal.

import { damageOn, type Land, STATS } from "./field.ts";
import { type Hex, nameOf } from "./hex.ts";
import type { Piece } from "./pieces.ts";
import { nameFor } from "./story.ts";
import type { Tactics } from "./types.d.ts";

type Refusal = Tactics["events"]["Refused"]["why"];

export const REFUSALS: Readonly<Record<Refusal, string>> = {
  NotPlaying: "The game waits for the other player, or is over.",
  NotYourTurn: "It is not your turn.",
  NoSuchUnit: "This unit has fallen.",
  OutOfReach: "The unit cannot go there.",
  Spent: "This unit has struck already in this turn.",
  NotSeen: "This enemy is out of sight.",
  OutOfRange: "The enemy is too near or too far, or something is between.",
  NothingToUndo: "Nothing can be taken back: it showed something, or a blow was struck.",
};

const TERRAINS: Readonly<Record<string, string>> = {
  plain: "plain",
  forest: "forest, which hides and covers",
  hill: "hill, which covers and shows more",
  water: "water, which no unit enters",
};

/** The ends of a game, for the result. */
export const ENDS: Readonly<Record<string, string>> = {
  Captain: "A captain has fallen.",
  Time: "A clock ran out.",
  Resigned: "A player has resigned.",
  Left: "A player has left.",
  Agreed: "The players agreed on a draw.",
  Rounds: "The last round is over.",
};

/** A hex, with the unit on it. */
export function hexWords(land: Land | undefined, hex: Hex, piece: Piece | undefined, isFogged: boolean): string {
  const ground = TERRAINS[land?.get(hex) ?? ""] ?? "";
  const fog = isFogged ? " Nobody looks there." : "";
  return piece ? `${nameOf(hex)}: ${pieceWords(piece)} On ${ground}.` : `${nameOf(hex)}: ${ground}.${fog}`;
}

function pieceWords(piece: Piece): string {
  const { kind, hp, own, moves, ready, seen } = piece;
  const { hp: all, range, damage, sight } = STATS[kind];
  const far = range[0] === range[1] ? `${range[0]}` : `${range[0]} to ${range[1]}`;
  const can = `sees ${sight}, strikes over ${far} for ${damage[0]} to ${damage[1]}.`;
  if (!own) return `${nameFor(piece)}, health ${hp} of ${all}, ${can}`;
  const left = ready ? `${moves} ${moves === 1 ? "move" : "moves"} left` : "done for this turn";
  return `${nameFor(piece)}, health ${hp} of ${all}, ${left}; ${can} ${seen ? "The enemy sees it." : "Hidden."}`;
}

/** What a blow would do. */
export function blowWords(land: Land | undefined, striker: Piece, target: Piece, isNear: boolean): string {
  const [least, most] = damageOn(striker.kind, land?.get(target.hex));
  const answer = damageOn(target.kind, land?.get(striker.hex));
  const isAnswered = least < target.hp && isNear && STATS[target.kind].range[0] === 1;
  const back = isAnswered ? ` It strikes back for ${answer[0]} to ${answer[1]}.` : "";
  const falls = least >= target.hp ? " It falls." : "";
  return `${striker.kind} strikes ${target.kind.toLowerCase()} (${target.hp}) for ${least} to ${most}.${falls}${back}`;
}
