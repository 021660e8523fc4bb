// Draws entities as dots, at the places that one of their components tells.

import type { EntityOf, Room } from "@tickcast/client";

import { colourOf } from "./kinds.ts";
import type { Place, Point } from "./places.ts";
import { textOf } from "./words.ts";

/** The most dots that all have a label. */
const MOST_LABELS = 60;
/** The room around the dots, in pixels. */
const MARGIN = 36;
/** The schema's range is shown whole if it is at most this, in the game's unit, or at most so many times wider than what is there. */
const SMALL = 40;
const WIDE = 2;
/** The least width of what is shown, in the game's unit. */
const LEAST = 6;
/** More dots than this are small. */
const CROWD = 150;

interface Dot extends Point {
  readonly id: number;
  readonly entity: EntityOf<any>;
}

export class World {
  /** The component whose value labels the dots; empty for the name of the seat. */
  label = "";
  readonly #canvas: HTMLCanvasElement;
  readonly #room: Room;
  readonly #place: Place;
  #frame = 0;
  /** The part of the world that is shown. It only grows, so that the picture rests. */
  #seen: { readonly least: Point; readonly most: Point } | undefined;
  #scale = 1;
  #own: Point | undefined;

  constructor(canvas: HTMLCanvasElement, room: Room, place: Place) {
    this.#canvas = canvas;
    this.#room = room;
    this.#place = place;
    const draw = (): void => {
      this.#frame = requestAnimationFrame(draw);
      this.#draw();
    };
    draw();
  }

  /** Stops drawing. */
  close(): void {
    cancelAnimationFrame(this.#frame);
  }

  /** The angle from the player's own entity to a place on the screen. */
  angleTo(clientX: number, clientY: number): number | undefined {
    if (!this.#own) return undefined;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const { x, y } = this.#at(this.#own);
    return Math.atan2(y - (clientY - top), clientX - left - x);
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const pen = this.#canvas.getContext("2d");
    if (!pen || width === 0 || height === 0) return;
    const ratio = devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const dots = this.#dots();
    this.#fit(dots);
    this.#drawGround(pen);
    // Those of players are over the others, and the player's own over all.
    const rank = ({ entity }: Dot): number => (this.#isOwn(entity) ? 2 : entity.Seat === undefined ? 0 : 1);
    for (const dot of dots.sort((a, b) => rank(a) - rank(b))) this.#drawDot(pen, dot, dots.length);
  }

  #dots(): Dot[] {
    const { component, read } = this.#place;
    const samples = this.#room.view(component);
    const dots = samples.flatMap((sample) => {
      const point = read(sample[component]);
      const entity = this.#room.get(sample.id);
      return point && entity ? [{ ...point, id: sample.id, entity }] : [];
    });
    this.#own = dots.find(({ entity }) => this.#isOwn(entity));
    return dots;
  }

  #isOwn({ Seat }: EntityOf<any>): boolean {
    return this.#room.seat > 0 && Seat === this.#room.seat;
  }

  /** Makes the picture as wide as everything that was there so far. */
  #fit(dots: readonly Point[]): void {
    for (const { x, y } of dots) {
      const { least, most } = this.#seen ?? { least: { x, y }, most: { x, y } };
      this.#seen = {
        least: { x: Math.min(least.x, x), y: Math.min(least.y, y) },
        most: { x: Math.max(most.x, x), y: Math.max(most.y, y) },
      };
    }
    const { least, most } = this.#shown();
    const { clientWidth, clientHeight } = this.#canvas;
    const scales = [
      (clientWidth - 2 * MARGIN) / Math.max(most.x - least.x, 1e-6),
      (clientHeight - 2 * MARGIN) / Math.max(most.y - least.y, 1e-6),
    ];
    this.#scale = Math.max(1e-6, Math.min(...scales));
  }

  /** The corners of what is shown: the range of the schema, or what was there so far. */
  #shown(): { readonly least: Point; readonly most: Point } {
    const seen = this.#seen ?? { least: { x: 0, y: 0 }, most: { x: 0, y: 0 } };
    const extent = Math.max(seen.most.x - seen.least.x, seen.most.y - seen.least.y);
    const [min = 0, max = 0] = this.#place.range ?? [];
    if (max > min && max - min <= Math.max(SMALL, WIDE * extent))
      return { least: { x: min, y: min }, most: { x: max, y: max } };
    const pad = Math.max(0, (LEAST - extent) / 2);
    return {
      least: { x: seen.least.x - pad, y: seen.least.y - pad },
      most: { x: seen.most.x + pad, y: seen.most.y + pad },
    };
  }

  /** Where a point is on the canvas, in pixels. +y is up. */
  #at({ x, y }: Point): Point {
    const { least, most } = this.#shown();
    const { clientWidth, clientHeight } = this.#canvas;
    return {
      x: clientWidth / 2 + (x - (least.x + most.x) / 2) * this.#scale,
      y: clientHeight / 2 - (y - (least.y + most.y) / 2) * this.#scale,
    };
  }

  /** A grid with lines at round numbers. */
  #drawGround(pen: CanvasRenderingContext2D): void {
    const { least, most } = this.#shown();
    const step = roundStep(70 / this.#scale);
    pen.lineWidth = 1;
    pen.strokeStyle = "rgb(140 180 255 / 0.12)";
    pen.fillStyle = "#93a5c0";
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.beginPath();
    for (let x = Math.ceil(least.x / step) * step; x <= most.x + 1e-6; x += step) {
      const [top, bottom] = [this.#at({ x, y: most.y }), this.#at({ x, y: least.y })];
      pen.moveTo(Math.round(top.x) + 0.5, top.y);
      pen.lineTo(Math.round(bottom.x) + 0.5, bottom.y);
      pen.fillText(textOf(x), bottom.x + 3, bottom.y + 14);
    }
    for (let y = Math.ceil(least.y / step) * step; y <= most.y + 1e-6; y += step) {
      const [left, right] = [this.#at({ x: least.x, y }), this.#at({ x: most.x, y })];
      pen.moveTo(left.x, Math.round(left.y) + 0.5);
      pen.lineTo(right.x, Math.round(right.y) + 0.5);
      pen.fillText(textOf(y), Math.max(2, left.x - 30), left.y - 3);
    }
    pen.stroke();
  }

  #drawDot(pen: CanvasRenderingContext2D, dot: Dot, count: number): void {
    const { x, y } = this.#at(dot);
    const isOwn = this.#isOwn(dot.entity);
    const size = (dot.entity.Seat === undefined ? 5 : 8) * (count > CROWD ? 0.6 : 1);
    pen.fillStyle = colourOf(this.#room.schema, dot.entity, this.#room.seat);
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen.fill();
    if (isOwn) {
      pen.strokeStyle = "#e8effa";
      pen.lineWidth = 2;
      pen.stroke();
    }
    if (count > MOST_LABELS && !isOwn) return;
    pen.font = `${isOwn ? "600 " : ""}12px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.lineWidth = 3;
    pen.strokeStyle = "#080b11";
    pen.fillStyle = "#e8effa";
    const text = this.#labelOf(dot);
    pen.strokeText(text, x, y - size - 5);
    pen.fillText(text, x, y - size - 5);
  }

  #labelOf({ id, entity }: Dot): string {
    if (this.label && entity[this.label] !== undefined) return textOf(entity[this.label]);
    const seat = entity.Seat as number | undefined;
    if (seat === undefined) return `#${id}`;
    return this.#room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`;
  }
}

/** The least of 1, 2, 5, 10, 20 ... that is not below a number. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10) * power;
}
