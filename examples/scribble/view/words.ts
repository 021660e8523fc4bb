// The texts of a match.

import { el } from "@tickcast/web/dom";

import type { Scribble } from "./types.d.ts";

type Board = Scribble["components"]["Board"];
type Refusal = Scribble["events"]["Refused"]["why"];

/** The word of a component: letters in ASCII, and zeros behind them. */
export function wordOf(letters: readonly number[]): string {
  return String.fromCharCode(...letters.filter((letter) => letter > 0));
}

/** What is asked when a phase begins. */
export function askedOf({ phase }: Board, name: string): string {
  if (phase === "Choosing") return name === "You" ? "Choose a word." : `${name} chooses a word.`;
  if (phase === "Drawing") return name === "You" ? "Draw it. The others guess." : `${name} draws. What is it?`;
  return "";
}

/** Why a turn has ended. */
export function endingOf({ ending }: Board, name: string): string {
  const drew = name === "You" ? "You drew" : `${name} drew`;
  const texts: Record<Board["ending"], string> = {
    None: "",
    AllFound: "Everybody has found it!",
    TimeUp: "Time is up.",
    Idle: `${drew} nothing.`,
    Left: "The turn was broken off.",
  };
  return texts[ending];
}

/** What a refusal means to a player. One that comes too late, after the turn, means nothing. */
export function refusalOf(why: Refusal): string {
  const texts: Record<Refusal, string> = {
    NotDrawing: "",
    BadInk: "The server did not take that stroke.",
    SheetFull: "The sheet is full. Undo or clear something.",
    NotOffered: "",
    NoText: "",
    TooFast: "Not so fast: your last text was not sent.",
    MustChoose: "Choose a word first.",
  };
  return texts[why];
}

/** The word over the sheet: each letter in a place of its own, for screen readers as a sentence. */
export function spelt({ phase }: Board, word: string): HTMLElement[] {
  if (word === "" || phase === "Waiting" || phase === "Choosing") return [];
  const letters = [...word].map((letter) =>
    el(
      "span",
      { className: letter === " " ? "scribble-gap" : letter === "_" ? "scribble-blank" : "scribble-letter" },
      letter,
    ),
  );
  const isOpen = !word.includes("_");
  const said = [...word].map((letter) => (letter === "_" ? "blank" : letter === " " ? "space" : letter)).join(" ");
  const count = word.replaceAll(" ", "").length;
  const text = isOpen ? `The word: ${word}` : `${count} letters: ${said}`;
  return [
    el("span", { attrs: { "aria-hidden": "true" } }, ...letters),
    el("span", { className: "hidden" }, text),
    el("small", { attrs: { "aria-hidden": "true" } }, String(count)),
  ];
}
