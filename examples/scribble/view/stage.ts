// A match of Scribble: the sheet, what is asked, what is said, and the scores.

import type { Room } from "@tickcast/client";
import { el } from "@tickcast/web/dom";
import type { Choices, Mounted, Stage } from "@tickcast/web/view";

import { Drawing } from "./drawing.ts";
import { Canvas, type Piece, printOf, strokesOf } from "./picture.ts";
import { ranked, row, type Score, table } from "./score.ts";
import { addStyle } from "./style.ts";
import { Talk } from "./talk.ts";
import { Tools } from "./tools.ts";
import type { Scribble } from "./types.d.ts";
import { askedOf, endingOf, refusalOf, spelt, wordOf } from "./words.ts";

type Board = Scribble["components"]["Board"];
type Shown = { readonly board: Board; readonly letters: string; readonly secret: string; readonly knows: boolean };

const LONGEST = 16;
const KEYS = { guess: "KeyG", undo: "KeyU" };

export class ScribbleStage implements Mounted {
  private readonly room: Room<Scribble>;
  private readonly sheet = el("canvas", { className: "scribble-sheet", tabIndex: 0 });
  private readonly canvas = new Canvas(this.sheet);
  private readonly word = el("p", { className: "scribble-word" });
  private readonly round = el("span", { className: "scribble-round" });
  private readonly clock = el("span", {
    className: "scribble-clock",
    attrs: { role: "timer", "aria-label": "Time left" },
  });
  private readonly status = el("p", { className: "scribble-status", attrs: { role: "status" } });
  private readonly over = el("div", { className: "scribble-over", hidden: true });
  private readonly scores = el("ol", { className: "scribble-scores", attrs: { "aria-label": "Scores" } });
  private readonly tools: Tools;
  private readonly talk: Talk;
  private readonly drawing: Drawing;
  private readonly node: HTMLElement;
  private readonly stops: (() => void)[];
  private readonly timer: number;
  private readonly ends = new AbortController();
  private keys: Record<string, string> = KEYS;
  private shown: Shown | undefined;
  private offered = "";
  private listed = "";
  private served = "";

  constructor(private readonly stage: Stage) {
    addStyle();
    this.room = stage.room as unknown as Room<Scribble>;
    this.tools = new Tools({ undo: () => this.drawing.ink("Undo"), clear: () => this.drawing.ink("Clear") });
    this.talk = new Talk((text) => this.send("Guess", { text }));
    this.drawing = new Drawing({
      sheet: this.sheet,
      draws: () => this.draws,
      chosen: () => this.tools,
      send: (ink) => this.send("Draw", { ink }),
      changed: () => this.paint(),
    });
    const head = el("header", { className: "scribble-head" }, this.round, this.word, this.clock);
    const paper = el("div", { className: "scribble-paper" }, this.sheet, this.over);
    const desk = el("div", { className: "scribble-desk" }, paper, this.tools.node, this.status);
    this.node = el("div", { className: "scribble" }, head, this.scores, desk, this.talk.node);
    stage.hud.append(this.node);
    // The sheet is in the middle of the page, and not below everything.
    stage.canvas.hidden = true;
    this.choose(stage.choices);
    window.addEventListener("keydown", (event) => this.key(event), { signal: this.ends.signal });
    this.stops = [...this.listen(), this.room.onFrame(() => this.look())];
    this.timer = window.setInterval(() => this.tick(), 200);
    this.look();
  }

  choose({ keys }: Choices): void {
    this.keys = { ...KEYS, ...keys };
  }

  unmount(): void {
    window.clearInterval(this.timer);
    for (const stop of this.stops) stop();
    this.ends.abort();
    this.drawing.close();
    this.node.remove();
    this.stage.canvas.hidden = false;
  }

  state(): Record<string, unknown> {
    const { seat, tick, status } = this.room;
    const me = this.avatar?.Score;
    const { board, letters = "", secret = "" } = this.shown ?? {};
    const picture = { served: this.served, shown: printOf(this.strokes) };
    return {
      seat,
      tick,
      status,
      me,
      board,
      letters,
      secret,
      draws: this.draws,
      picture,
      waiting: this.drawing.waiting,
    };
  }

  result(): HTMLElement {
    return table(this.all());
  }

  private get draws(): boolean {
    const { board } = this.shown ?? {};
    return board?.phase === "Drawing" && board.drawer === this.room.seat && this.room.status === "playing";
  }

  private get strokes() {
    return (this.draws && this.drawing.own) || strokesOf(this.pieces());
  }

  /** The player's own entity as it is now, and not as a picture in the past would have it. */
  private get avatar() {
    const { seat, entities } = this.room;
    return [...entities].find((entity) => entity.Seat === seat && entity.Score);
  }

  private *pieces(): Iterable<Piece> {
    for (const { Ink } of this.room.entities) if (Ink) yield Ink;
  }

  private listen(): (() => void)[] {
    const { room, talk } = this;
    const name = (seat: number): string => this.nameOf(seat);
    return [
      room.on("Said", ({ seat, text, is_secret }) => talk.add(is_secret ? "secret" : "said", `${name(seat)}:`, text)),
      room.on("Near", ({ text }) => talk.add("near", "", `“${text}” is close!`)),
      room.on("Found", ({ seat, points }) => {
        const who = seat === room.seat ? "You have" : `${name(seat)} has`;
        talk.add("found", who, `found the word: +${points}`);
        if (seat === room.seat) this.status.textContent = "You have found it!";
      }),
      room.on("Refused", ({ why }) => {
        this.status.textContent = refusalOf(why);
        this.drawing.refused();
      }),
    ];
  }

  private send(command: keyof Scribble["commands"], value: unknown): Promise<void> {
    const sent = this.room.command(command, value as never);
    return sent.catch((error: Error) => {
      this.status.textContent = `That did not reach the match: ${error.message}`;
    });
  }

  private nameOf(seat: number): string {
    return this.room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`;
  }

  /** Looks at the newest state. */
  private look(): void {
    const before = this.shown;
    for (const { Board: board, Hint } of this.room.entities) {
      if (!board || !Hint) continue;
      const secret = wordOf(this.avatar?.Secret?.letters ?? []);
      const knows = board.drawer === this.room.seat || (this.avatar?.Score?.found ?? 0) > 0;
      this.shown = { board, letters: wordOf(Hint.letters), secret, knows };
    }
    if (!this.shown) return;
    const { board, letters, secret } = this.shown;
    if (board.phase !== before?.board.phase || board.turn !== before.board.turn) this.turned(board, before?.board);
    this.word.replaceChildren(...spelt(board, secret || letters));
    this.ask(this.shown);
    this.offer();
    this.list();
    this.paint();
  }

  /** Another phase has begun. */
  private turned(board: Board, before: Board | undefined): void {
    this.drawing.reset();
    const drawer = board.drawer === this.room.seat ? "You" : this.nameOf(board.drawer);
    this.status.textContent = askedOf(board, drawer);
    if (board.phase === "Reveal") {
      const word = this.shown?.letters ?? "";
      this.talk.add("news", "", `${endingOf(board, drawer)} The word was “${word}”.`);
      this.tell(el("p", {}, endingOf(board, drawer)), el("p", {}, "The word was ", el("strong", {}, word)));
      this.over.classList.add("scribble-low");
    } else if (board.phase === "Choosing" && drawer !== "You") {
      this.tell(el("p", {}, `${drawer} chooses a word.`));
    } else if (board.phase === "Waiting" && board.missing > 0) {
      const players = board.missing === 1 ? "one more player" : `${board.missing} more players`;
      this.tell(el("p", {}, `Waiting for ${players}.`));
    } else {
      this.tell();
    }
    const isMine = board.phase === "Drawing" && board.drawer === this.room.seat;
    this.tools.node.hidden = !isMine;
    this.sheet.setAttribute("role", isMine ? "application" : "img");
    if (before?.phase !== board.phase && board.phase === "Drawing") this.focus(isMine);
  }

  /** Lets people with a keyboard go on at once. On a touch screen that would open the keys over the sheet. */
  private focus(isMine: boolean): void {
    const hasKeys = matchMedia("(pointer: fine)").matches;
    const types = document.activeElement instanceof HTMLInputElement;
    if (!hasKeys || types || document.querySelector("dialog") || this.room.spectating) return;
    (isMine ? this.sheet : this.talk.field).focus();
  }

  private tell(...lines: HTMLElement[]): void {
    this.offered = "";
    this.over.hidden = lines.length === 0;
    this.over.classList.remove("scribble-low");
    this.over.replaceChildren(...lines);
  }

  private ask({ board, knows }: Shown): void {
    const isChoosing = board.phase === "Choosing" && board.drawer === this.room.seat;
    const canGuess = board.phase === "Drawing" && !knows;
    const what = canGuess ? "Your guess" : knows && board.phase === "Drawing" ? "To those who know" : "Say something";
    this.talk.ask(isChoosing || this.room.spectating ? undefined : what);
  }

  /** Shows the three words to choose from. */
  private offer(): void {
    const letters = this.avatar?.Offer?.words;
    const words = letters ? [0, 1, 2].map((k) => wordOf(letters.slice(k * LONGEST, (k + 1) * LONGEST))) : [];
    const key = words.join();
    if (key === "" || key === this.offered) return;
    const choose = (word: number) => () => void this.send("Choose", { word });
    const buttons = words.map((text, word) =>
      el("button", { type: "button", textContent: text, onclick: choose(word), className: "scribble-choice" }),
    );
    this.tell(el("p", {}, "Choose what you draw:"), el("div", { className: "scribble-choices" }, ...buttons));
    this.offered = key;
    if (!document.querySelector("dialog") && !(document.activeElement instanceof HTMLInputElement)) buttons[0]?.focus();
  }

  private all(): Score[] {
    const drawer = this.shown?.board.phase === "Waiting" ? 0 : this.shown?.board.drawer;
    const all: Score[] = [];
    for (const { Seat: seat, Score: score } of this.room.entities) {
      if (seat === undefined || !score) continue;
      const info = this.room.seats.find((info) => info.seat === seat);
      const { points, gained, found } = score;
      const facts = { name: info?.name ?? `Seat ${seat}`, draws: seat === drawer, mine: seat === this.room.seat };
      all.push({ seat, points, gained, found, isAway: info?.status === "away", ...facts });
    }
    return all;
  }

  private list(): void {
    const scores = ranked(this.all());
    const key = JSON.stringify(scores);
    if (key === this.listed) return;
    this.listed = key;
    this.scores.replaceChildren(...scores.map(row));
  }

  private paint(): void {
    const served = strokesOf(this.pieces());
    this.served = printOf(served);
    if (this.draws) this.drawing.take(served, this.served);
    const strokes = (this.draws && this.drawing.own) || served;
    this.canvas.show(strokes);
    const { x, y, isDown } = this.drawing.pen.cursor;
    const help = `Arrow keys move the pen, Space ${isDown ? "lifts it" : "puts it down"}. It is at ${x}, ${y}.`;
    const label = `The drawing: ${strokes.length} ${strokes.length === 1 ? "stroke" : "strokes"}.`;
    this.sheet.setAttribute("aria-label", this.draws ? `${label} ${help}` : label);
  }

  private tick(): void {
    const { board } = this.shown ?? {};
    if (!board) return;
    const left =
      board.ends > 0 ? Math.max(0, Math.ceil((board.ends - this.room.serverTick) / this.room.hz)) : undefined;
    const text = left === undefined ? "" : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (this.clock.textContent !== text) this.clock.textContent = text;
    this.clock.classList.toggle("scribble-late", left !== undefined && left <= 10 && board.phase === "Drawing");
    const { rounds } = this.room.config as { rounds: number };
    const round = board.round > 0 ? `Round ${board.round} of ${rounds}` : "";
    if (this.round.textContent !== round) this.round.textContent = round;
  }

  private key(event: KeyboardEvent): void {
    const types = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (types || event.repeat || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog"))
      return;
    if (event.code === this.keys.undo && this.draws) this.drawing.ink("Undo");
    if (event.code !== this.keys.guess || this.talk.field.form?.hidden !== false) return;
    event.preventDefault();
    this.talk.field.focus();
  }
}
