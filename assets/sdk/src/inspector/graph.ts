// A graph of the last minute, drawn by uPlot.

import uPlot from "uplot";

import { h } from "./elements.js";
import type { Sample } from "./meter.js";

/** A line of a graph. */
export interface Trace {
  name: string;
  colour: "one" | "two" | "three";
  /** Its value in a sample; `null` leaves a gap. */
  of(sample: Sample): number | null;
  /** Draws bars from zero instead of a line. */
  bars?: true;
}

const COLOURS = { one: "#56e0c8", two: "#ffb86b", three: "#ff5d6c" } as const;
const HEIGHT = 92;
const SPAN_S = 60;

/** A graph with its legend. */
export class Graph {
  readonly node: HTMLElement;
  readonly #traces: readonly Trace[];
  readonly #plot: uPlot;
  readonly #place = h("div", { class: "plot", "aria-hidden": "true" });

  /** `least` is the smallest top of the scale. */
  constructor(title: string, traces: readonly Trace[], least: number) {
    const legend = traces.map(({ name, colour }) => h("li", { class: colour }, name));
    const caption = h("figcaption", {}, title, h("ul", {}, ...legend));
    this.node = h("figure", {}, caption, this.#place);
    this.#traces = traces;
    this.#plot = new uPlot(options(traces, least), [[], ...traces.map(() => [])], this.#place);
  }

  draw(samples: readonly Sample[], now: number): void {
    const width = this.#place.clientWidth;
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
    const times = samples.map(({ at }) => (at - now) / 1000);
    this.#plot.setData([times, ...this.#traces.map(({ of }) => samples.map(of))]);
  }

  close(): void {
    this.#plot.destroy();
  }
}

function options(traces: readonly Trace[], least: number): uPlot.Options {
  const line = "rgb(140 180 255 / 0.14)";
  return {
    width: 320,
    height: HEIGHT,
    padding: [6, 4, 4, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [-SPAN_S, 0] },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(least, (high ?? 0) * 1.1)] },
    },
    axes: [
      { show: false },
      {
        size: 46,
        space: 24,
        gap: 3,
        stroke: "#93a5c0",
        font: "10px system-ui, sans-serif",
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
      },
    ],
    series: [
      {},
      ...traces.map(({ colour, bars }): uPlot.Series => {
        const stroke = COLOURS[colour];
        const common = { stroke, width: 1.5, points: { show: false } };
        const paths = bars && uPlot.paths.bars?.({ size: [0.8, 8] });
        return paths ? { ...common, width: 0, fill: stroke, paths } : common;
      }),
    ],
  };
}
