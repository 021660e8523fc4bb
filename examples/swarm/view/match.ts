// A match of Swarm in the browser: draws what the player's cells see, and sends where they go.

import type { Room } from "@tickcast/client";
import type { Choices, Mounted, Stage } from "@tickcast/web/view";

import { Camera, type Cell, drawCells, drawCrumbs, drawFloor, radius, type Vec } from "./draw.ts";
import { Hud, type Row, table } from "./hud.ts";
import { Pad } from "./pad.ts";
import type { Swarm as Types } from "./types.d.ts";

/** The generated types, with the configuration. */
interface Swarm extends Types {
  config: { minutes: number; crumbs: number };
}

/** A cell of another player can be eaten if it has at most this part of the mass, as in the rules. */
const PREY = 0.8;
/** How many units the picture shows at least and at most from one side to the other: the server sends no more. */
const NEAR = 38;
const FAR = 62;

export class SwarmView implements Mounted {
  private readonly room: Room<Swarm>;
  private readonly pen: CanvasRenderingContext2D;
  private readonly camera: Camera;
  private readonly pad: Pad;
  private readonly hud: Hud;
  private readonly stops: (() => void)[];
  private apart = false;
  private own: readonly Cell[] = [];
  private inView = 0;
  private frame = 0;
  private last = performance.now();
  private fps = 0;
  private swallowedBy = "";

  constructor(stage: Stage) {
    this.room = stage.room as unknown as Room<Swarm>;
    const pen = stage.canvas.getContext("2d", { alpha: false });
    if (!pen) throw new Error("this browser has no 2D canvas");
    this.pen = pen;
    this.camera = new Camera(stage.canvas);
    this.pad = new Pad(stage.canvas);
    this.hud = new Hud(stage.hud, () => this.pad.split());
    this.choose(stage.choices);
    this.stops = [
      this.room.on("Swallowed", ({ by, whom }) => {
        if (whom === this.room.seat) this.swallowedBy = this.name(by);
      }),
    ];
    this.frame = requestAnimationFrame(this.draw);
  }

  choose({ apart, keys }: Choices): void {
    this.apart = apart;
    this.pad.bind(keys);
  }

  unmount(): void {
    cancelAnimationFrame(this.frame);
    for (const stop of this.stops) stop();
    this.pad.close();
  }

  state(): Record<string, unknown> {
    const { seat, tick, status } = this.room;
    const mass = Math.round(this.own.reduce((sum, cell) => sum + cell.mass, 0));
    const { x, y } = middle(this.own) ?? this.camera;
    const me = this.own.length > 0 ? { x, y, mass, cells: this.own.length } : undefined;
    return { seat, tick, status, me, fps: Math.round(this.fps), inView: this.inView };
  }

  result(): HTMLElement {
    return table(this.ranking());
  }

  private readonly draw = (now: number): void => {
    this.frame = requestAnimationFrame(this.draw);
    const seconds = Math.min(0.1, Math.max(0.001, (now - this.last) / 1000));
    this.last = now;
    this.fps += (1 / seconds - this.fps) * 0.05;
    const cells = this.cells();
    this.own = cells.filter(({ kind }) => kind === "own");
    if (this.own.length > 0) this.swallowedBy = "";
    const { pen, camera } = this;
    camera.fit(pen);
    camera.follow(this.target(cells), this.room.spectating ? FAR : sight(this.own), seconds);
    this.steer();
    drawFloor(pen, camera);
    const crumbs = this.room.view("Pos", "Crumb").map(({ id, Pos: { at } }) => ({ id, x: at.x, y: at.y }));
    const drawn = drawCrumbs(pen, camera, crumbs, this.apart);
    this.inView = drawn + drawCells(pen, camera, cells, this.apart);
    this.hud.show(this.room.config.minutes * 60 - this.room.tick / this.room.hz, this.ranking(), this.apart);
    this.hud.tell(this.swallowedBy && `${this.swallowedBy} has eaten you. You come back in a moment.`);
  };

  /** The cells at the time of the picture. */
  private cells(): Cell[] {
    const { seat: mine } = this.room;
    const seen = this.room.view("Seat", "Pos", "Mass");
    const largest = Math.max(0, ...seen.filter(({ Seat }) => Seat === mine).map(({ Mass }) => Mass));
    return seen.map(({ Seat: seat, Pos: { at }, Mass: mass }) => {
      const kind =
        seat === mine ? "own" : mass * PREY >= largest ? "danger" : mass <= PREY * largest ? "prey" : "equal";
      return { x: at.x, y: at.y, seat, mass, name: this.name(seat), kind: this.room.spectating ? "equal" : kind };
    });
  }

  /** Where the camera looks: at the player's cells, else at the largest one. */
  private target(cells: readonly Cell[]): Vec {
    const own = middle(this.own);
    if (own) return own;
    if (!this.room.spectating) return this.camera;
    const [largest] = [...cells].sort((a, b) => b.mass - a.mass || a.seat - b.seat);
    return largest ?? this.camera;
  }

  private steer(): void {
    if (this.room.status !== "playing" || this.room.spectating) return;
    const { x, y } = middle(this.own) ?? this.camera;
    this.room.input(this.pad.read(this.camera.at(x, y)));
  }

  /** All players, the heaviest first. */
  private ranking(): Row[] {
    const rows: Row[] = [];
    for (const { Seat: seat, Standing: standing } of this.room.entities) {
      if (seat === undefined || !standing) continue;
      rows.push({ seat, name: this.name(seat), ...standing, mine: seat === this.room.seat });
    }
    return rows.sort((a, b) => b.mass - a.mass || a.seat - b.seat);
  }

  private name(seat: number): string {
    return this.room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`;
  }
}

/** The middle of cells, by their masses; `undefined` without any. */
function middle(cells: readonly Cell[]): Vec | undefined {
  const mass = cells.reduce((sum, cell) => sum + cell.mass, 0);
  if (mass === 0) return undefined;
  const mean = (of: (cell: Cell) => number): number =>
    cells.reduce((sum, cell) => sum + of(cell) * cell.mass, 0) / mass;
  return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
}

/** How many units the picture shows: more for larger cells. */
function sight(own: readonly Cell[]): number {
  const size = own.reduce((sum, { mass }) => sum + radius(mass), 0);
  return Math.min(FAR, NEAR + size * 1.5);
}
