// The player's choices for all matches. This browser remembers them.

import { effect, signal } from "@preact/signals";

import { load, save } from "../stored.ts";
import type { Choices } from "../view.ts";

/** How much moves: as the system asks, less, or everything. */
export type Motion = "system" | "less" | "full";

interface Chosen {
  readonly volume: number;
  readonly apart: boolean;
  readonly motion: Motion;
  /** The keys, by game and action. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const DEFAULTS: Chosen = { volume: 1, apart: false, motion: "system", keys: {} };
/** The keys that the page itself takes in a match. */
export const TAKEN: readonly string[] = ["Escape", "Tab", "Enter", "KeyI", "KeyF", "KeyV", "KeyM"];

export const chosen = signal<Chosen>(stored());
const system = matchMedia("(prefers-reduced-motion: reduce)");
const isSystemCalm = signal(system.matches);

/** The choices of a player in a game. */
export function choicesOf(game: string): Choices {
  const { volume, apart, keys } = chosen.value;
  return { volume, apart, calm: isCalm(), keys: keys[game] ?? {} };
}

/** Changes some choices. */
export function choose(some: Partial<Chosen>): void {
  chosen.value = { ...chosen.value, ...some };
  save("choices", JSON.stringify(chosen.value));
}

/**
 * Gives an action of a game another key. Another action that has this key gets the old one of this action. Returns why not, or an
 * empty text.
 */
export function bind(
  game: string,
  actions: readonly { name: string; code: string }[],
  action: string,
  code: string,
): string {
  if (TAKEN.includes(code)) return "The page needs this key itself.";
  const keys = chosen.value.keys[game] ?? {};
  const codeOf = (name: string): string => keys[name] ?? actions.find((one) => one.name === name)?.code ?? "";
  const other = actions.find(({ name }) => name !== action && codeOf(name) === code);
  const swapped = other ? { [other.name]: codeOf(action) } : {};
  choose({ keys: { ...chosen.value.keys, [game]: { ...keys, [action]: code, ...swapped } } });
  return "";
}

/** Lets the whole page move as little as the player asks. */
export function followMotion(): void {
  system.addEventListener("change", () => void (isSystemCalm.value = system.matches));
  effect(() => {
    const { classList } = document.documentElement;
    classList.toggle("calm", isCalm());
    classList.toggle("lively", chosen.value.motion === "full");
  });
}

/** The label of a key: `W` for `KeyW`. */
export function keyLabel(code: string): string {
  return code.replace(/^(Key|Digit)/, "").replace(/([a-z])([A-Z])/g, "$1 $2");
}

function isCalm(): boolean {
  const { motion } = chosen.value;
  return motion === "less" || (motion === "system" && isSystemCalm.value);
}

function stored(): Chosen {
  try {
    return { ...DEFAULTS, ...(JSON.parse(load("choices") ?? "{}") as Partial<Chosen>) };
  } catch {
    return DEFAULTS;
  }
}
