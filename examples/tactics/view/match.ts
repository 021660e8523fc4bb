// The view of a running match: what the player sees, selects and orders.

import type { Room } from "@tickcast/client";
import type { Choices, Key, Mounted, Stage } from "@tickcast/web/view";
import { Controls, type Deeds } from "./controls.ts";
import { BOARD, centre, distance, type Hex, hexAt, isSame, keyOf, type Point, placeOf } from "./hex.ts";
import { Board, paint, type Scene } from "./paint.ts";
import { Panel, type Player } from "./panel.ts";
import { Knowledge, type Piece, pieceKey, type Tactics } from "./pieces.ts";
import { resultOf } from "./result.ts";
import { Story, speakNeutrally } from "./story.ts";
import { blowWords, ENDS, hexWords, REFUSALS } from "./words.ts";

type Commands = Tactics["commands"];

/** How often the clocks are shown anew, in milliseconds. */
const CLOCKS = 200;
/** The room around the board, in pixels. */
const MARGIN = 10;

export class Match implements Mounted, Deeds {
  private readonly room: Room<Tactics>;
  private readonly canvas: HTMLCanvasElement;
  private readonly tools: HTMLElement;
  private readonly pen: CanvasRenderingContext2D;
  private readonly board = new Board();
  private readonly known = new Knowledge();
  private readonly story: Story;
  private readonly panel: Panel;
  private readonly controls: Controls;
  private readonly subscriptions: (() => void)[];
  private readonly timer: number;
  private selected: string | undefined;
  private cursor: Hex | undefined;
  private hasKeys = false;
  /** The enemy that a finger has pressed once. */
  private aimed: string | undefined;
  private turn = "";
  private isStale = true;
  private size = "";
  private frame = 0;
  private last = performance.now();

  constructor(stage: Stage, keys: readonly Key[]) {
    this.room = stage.room as unknown as Room<Tactics>;
    this.canvas = stage.canvas;
    this.tools = stage.tools;
    const pen = stage.canvas.getContext("2d", { alpha: false });
    if (!pen) throw new Error("this browser has no 2D canvas");
    this.pen = pen;
    const { room, known } = this;
    speakNeutrally(room.spectating);
    this.board.isTurned = room.seat === 2;
    this.story = new Story(
      (key) => known.pieces.get(key) ?? known.lost.get(key),
      (words) => this.panel.tell(words),
    );
    this.panel = new Panel(stage.hud, {
      undo: () => this.action("undo"),
      endTurn: () => this.action("end"),
      offerDraw: () => this.order("OfferDraw", true),
      resign: () => this.order("Resign", true),
    });
    this.controls = new Controls(stage.canvas, keys, this);
    this.subscriptions = [
      room.on("Stepped", (stepped) => this.story.step(stepped)),
      room.on("Struck", (struck) => this.struck(struck)),
      room.on("Refused", ({ why }) => this.panel.tell(REFUSALS[why])),
      room.onFrame(() => this.read()),
      room.onSeats(() => this.report()),
      room.onStatus(() => this.report()),
    ];
    this.choose(stage.choices);
    this.timer = window.setInterval(() => this.report(), CLOCKS);
    this.read();
    this.frame = requestAnimationFrame(this.draw);
  }

  choose({ calm, keys }: Choices): void {
    this.story.calm = calm;
    this.controls.bind(keys);
  }

  unmount(): void {
    cancelAnimationFrame(this.frame);
    window.clearInterval(this.timer);
    for (const unsubscribe of this.subscriptions) unsubscribe();
    this.controls.close();
    this.panel.close();
  }

  state(): Record<string, unknown> {
    const { seat, tick, status } = this.room;
    const { table, pieces, lost, undoable, fogged } = this.known;
    const seen = (hex: Hex): object => ({ hex, pixel: this.pixel(hex) });
    const list = [...pieces.values()].map((piece) => ({ ...piece, ...seen(piece.hex) }));
    const me = table && !this.room.spectating ? { units: list.filter(({ own }) => own).length } : undefined;
    const reach = this.reach();
    const around = {
      lost: [...lost.keys()],
      fogged: fogged.size,
      reach: BOARD.filter((hex) => reach.has(keyOf(hex))).map(seen),
      targets: this.targets().map(({ hex }) => seen(hex)),
    };
    const { selected, cursor, story } = this;
    const shown = { playing: story.isPlaying, selected, cursor, pieces: list, ...around };
    return { seat, tick, status, me, table, undoable, ...shown };
  }

  result(): HTMLElement {
    const { table, pieces } = this.known;
    const names = [1, 2].map((seat) => this.nameOf(seat));
    return resultOf(names, [...pieces.values()], table && table.end !== "None" ? (ENDS[table.end] ?? "") : "");
  }

  hover(pixel: Point | undefined): void {
    if (!pixel && this.hasKeys) return;
    this.point(pixel && this.hexAt(pixel), false);
  }

  press(pixel: Point, isFinger: boolean): void {
    const hex = this.hexAt(pixel);
    this.point(hex, false);
    if (hex) this.act(hex, isFinger);
    else this.select(undefined);
  }

  action(name: string): void {
    if (name === "undo" && this.known.undoable > 0 && this.canAct()) {
      this.order("Undo", true);
      this.story.forget();
      this.panel.tell("You take a move back.");
    }
    if (name === "end" && this.canAct()) this.order("EndTurn", true);
    if (name === "next") this.selectNext();
    if (name === "act" && this.cursor) this.act(this.cursor, false);
    const step = STEPS[name];
    if (step) this.moveCursor(step);
  }

  private struck(struck: Tactics["events"]["Struck"]): void {
    this.story.blow(struck);
    if (struck.fell) this.known.fall(pieceKey(3 - struck.side, struck.target));
  }

  /** Reads the newest state. */
  private read(): void {
    if (this.known.read(this.room)) {
      this.story.forget();
      this.panel.tell("");
    }
    const { table } = this.known;
    const turn = table ? `${table.round}/${table.turn}` : "";
    if (turn !== this.turn && table?.turn !== this.room.seat) this.selected = undefined;
    this.turn = turn;
    this.aimed = undefined;
    this.isStale = true;
    this.report();
    this.describe();
  }

  private readonly draw = (now: number): void => {
    this.frame = requestAnimationFrame(this.draw);
    const seconds = Math.min(0.1, (now - this.last) / 1000);
    this.last = now;
    const size = `${this.canvas.clientWidth} ${this.canvas.clientHeight} ${this.panel.root.offsetHeight} ${window.devicePixelRatio}`;
    if (!this.story.play(seconds) && !this.isStale && size === this.size) return;
    this.isStale = this.story.isPlaying;
    this.size = size;
    this.fit();
    const scene = this.scene();
    if (scene) paint(this.pen, this.board, scene);
  };

  /** Fits the board beside the panel, and below the page's own buttons. */
  private fit(): void {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const { canvas, pen, panel, board } = this;
    const [width, height] = [canvas.clientWidth || 1, canvas.clientHeight || 1];
    const [wide, high] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== high) canvas.height = high;
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.fillStyle = "#06080d";
    pen.fillRect(0, 0, width, height);
    const box = panel.root.getBoundingClientRect();
    const place = canvas.getBoundingClientRect();
    const isBelow = box.width > 0.8 * width;
    const top = (this.tools.parentElement?.getBoundingClientRect().bottom ?? place.top) - place.top + MARGIN;
    const right = isBelow ? width : box.left - place.left;
    const bottom = isBelow ? box.top - place.top : height - (this.room.spectating ? 70 : 0);
    board.fit(MARGIN, top, right - 2 * MARGIN, bottom - top - MARGIN);
  }

  private scene(): Scene | undefined {
    const { known, story, cursor, hasKeys } = this;
    if (!known.land) return undefined;
    const reach = this.reach();
    const piece = this.piece();
    const path: Hex[] = [];
    for (let hex = cursor; hex && piece && !isSame(hex, piece.hex); hex = reach.get(keyOf(hex))?.before)
      path.unshift(hex);
    const targets = new Set(this.targets().map(({ hex }) => keyOf(hex)));
    return {
      land: known.land,
      cast: story.cast(known.pieces),
      lost: [...known.lost.values()],
      fogged: known.fogged,
      reach: new Set(reach.keys()),
      targets,
      path: cursor && reach.has(keyOf(cursor)) ? path : [],
      selected: story.isPlaying ? undefined : piece?.hex,
      cursor,
      hasKeys,
      trace: story.trace,
      wound: story.wound,
      blue: this.blue(),
      place: (piece) => story.place(piece),
    };
  }

  private report(): void {
    const { room, known } = this;
    const { table } = known;
    const mine = this.blue();
    const isOver = room.status === "over" || (table !== undefined && table.end !== "None");
    this.panel.show({
      players: [3 - mine, mine].map((seat) => this.player(seat, isOver)),
      round: table ? `Round ${table.round} of ${room.config.rounds}` : "",
      status: this.status(isOver),
      undoable: known.undoable,
      canAct: this.canAct(),
      canOffer: !isOver && table !== undefined && table.offer !== room.seat,
      isOffered: table !== undefined && table.offer === 3 - room.seat,
      hasOffered: table !== undefined && table.offer === room.seat,
      isOver,
    });
  }

  private player(seat: number, isOver: boolean): Player {
    const { table } = this.known;
    const { seats, hz } = this.room;
    const hasTurn = table?.turn === seat && !isOver;
    const spent = table && hasTurn && seats.length === 2 ? Math.max(0, this.moment() - table.began) : 0;
    const seconds = table ? ((table.left[seat - 1] ?? 0) - spent) / hz : 60 * this.room.config.minutes;
    const status = seats.find((info) => info.seat === seat)?.status;
    const note = status === "bot" || status === "away" ? status : "";
    return { name: this.nameOf(seat), seconds, hasTurn, isBlue: seat === this.blue(), note };
  }

  private status(isOver: boolean): string {
    const { table, pieces } = this.known;
    if (isOver) return "The game is over.";
    if (!table) return "Waiting for the other player.";
    if (this.room.seats.length < 2) return "The other player has left. The seat is kept for a moment.";
    if (table.turn !== this.room.seat) return `${this.nameOf(table.turn)} is to move.`;
    const able = [...pieces.values()].filter(({ own, ready }) => own && ready).length;
    return `Your turn: ${able} ${able === 1 ? "unit" : "units"} can act.`;
  }

  /** The time of the match that the player sees, in ticks. */
  private moment(): number {
    const { serverTick, spectating, stats } = this.room;
    return spectating ? serverTick - stats.delay : serverTick;
  }

  private nameOf(seat: number): string {
    return this.room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`;
  }

  private blue(): number {
    return this.room.spectating ? 1 : this.room.seat;
  }

  private canAct(): boolean {
    const { table } = this.known;
    return this.room.status === "playing" && table?.turn === this.room.seat && table.end === "None";
  }

  private piece(): Piece | undefined {
    return this.selected === undefined ? undefined : this.known.pieces.get(this.selected);
  }

  /** The hexes that the selected unit reaches: an enemy with all of its moves. */
  private reach(): ReadonlyMap<string, { readonly before: Hex }> {
    const piece = this.piece();
    const { land } = this.known;
    if (!piece || !land || !piece.ready || this.story.isPlaying) return new Map();
    return land.reach(piece.hex, piece.moves, this.known.taken());
  }

  /** The enemies that the selected unit can strike. */
  private targets(): Piece[] {
    const piece = this.piece();
    const { land, pieces } = this.known;
    if (!piece?.own || !piece.ready || !land || !this.canAct() || this.story.isPlaying) return [];
    return [...pieces.values()].filter(({ own, hex }) => !own && land.canStrike(piece.kind, piece.hex, hex));
  }

  private select(piece: Piece | undefined): void {
    this.selected = piece?.key;
    this.aimed = undefined;
    this.isStale = true;
    this.describe();
  }

  private selectNext(): void {
    const able = [...this.known.pieces.values()].filter(({ own, ready }) => own && ready);
    able.sort((a, b) => a.number - b.number);
    const at = able.findIndex(({ key }) => key === this.selected);
    const next = able[(at + 1) % able.length];
    if (!next) return;
    this.point(next.hex, true);
    this.select(next);
  }

  /** Does on a hex what a player means by pressing there. */
  private act(hex: Hex, isFinger: boolean): void {
    const piece = this.piece();
    const target = this.targets().find((enemy) => isSame(enemy.hex, hex));
    if (piece && target) {
      // A blow cannot be taken back. So a finger, which may have slipped, sees first what it would do.
      if (isFinger && this.aimed !== target.key) {
        this.aimed = target.key;
        this.panel.describe(`${this.blow(piece, target)} Press again to strike.`, false);
        return;
      }
      this.order("Strike", { unit: piece.number, target: target.number });
    } else if (piece?.own && this.canAct() && this.reach().has(keyOf(hex))) {
      this.order("Move", { unit: piece.number, q: hex.q, r: hex.r });
    } else {
      const there = this.known.on(hex);
      this.select(there?.key === this.selected ? undefined : there);
    }
  }

  private order<C extends keyof Commands & string>(name: C, value: Commands[C]): void {
    this.aimed = undefined;
    this.room.command(name, value).catch((error: Error) => this.panel.tell(`Not done: ${error.message}`));
  }

  private point(hex: Hex | undefined, hasKeys: boolean): void {
    if (isSame(hex, this.cursor) && hasKeys === this.hasKeys) return;
    this.cursor = hex;
    this.hasKeys = hasKeys;
    this.isStale = true;
    this.describe();
  }

  private moveCursor({ along, row }: CursorStep): void {
    const turn = this.board.isTurned ? -1 : 1;
    const from = this.cursor ?? [...this.known.pieces.values()].find(({ own }) => own)?.hex ?? { q: 0, r: 0 };
    const r = from.r + row * turn;
    // Up and down lead straight on: to the one side from each second row, to the other from the rest.
    const aside =
      row === 0
        ? [along * turn]
        : row * turn < 0 === (from.r % 2 !== 0)
          ? [0, row < 0 === turn > 0 ? 1 : -1]
          : [row * turn < 0 ? 1 : -1, 0];
    const next = aside.map((q) => ({ q: from.q + q, r })).find((hex) => placeOf(hex) !== undefined);
    this.point(this.cursor ? (next ?? from) : from, true);
  }

  /** Tells what is under the cursor, or else what is selected. */
  private describe(): void {
    const { cursor, known } = this;
    const piece = this.piece();
    const hex = cursor ?? piece?.hex;
    const target = cursor && this.targets().find((enemy) => isSame(enemy.hex, cursor));
    const isFogged = hex !== undefined && known.fogged.has(keyOf(hex));
    const words = hex ? hexWords(known.land, hex, known.on(hex), isFogged) : "";
    this.panel.describe(piece && target ? this.blow(piece, target) : words, this.hasKeys);
  }

  private blow(striker: Piece, target: Piece): string {
    return blowWords(this.known.land, striker, target, distance(striker.hex, target.hex) === 1);
  }

  private hexAt(pixel: Point): Hex | undefined {
    const hex = hexAt(this.board.point(pixel));
    return placeOf(hex) === undefined ? undefined : hex;
  }

  private pixel(hex: Hex): Point {
    return this.board.pixel(centre(hex));
  }
}

interface CursorStep {
  readonly along: number;
  readonly row: number;
}

const STEPS: Readonly<Record<string, CursorStep>> = {
  up: { along: 0, row: -1 },
  down: { along: 0, row: 1 },
  left: { along: -1, row: 0 },
  right: { along: 1, row: 0 },
};
