// The panel: figures, graphs and switches, made from the schema of whatever game the room plays.

import type { Room } from "../room.js";
import type { AnyGame } from "../types.js";
import { Controls } from "./controls.js";
import { button, Figures, h, short, tell } from "./elements.js";
import type { Trace } from "./graph.js";
import { Graph } from "./graph.js";
import type { Report } from "./recording.js";
import { sheet } from "./style.js";
import { Tree } from "./tree.js";
import type { Watch } from "./watch.js";
import { MOST_CORRECTIONS } from "./watch.js";

/** The most parts of the traffic that are listed each way, and the most events. */
const MOST_PARTS = 8;
const MOST_NOTES = 60;

/** Keys that a control of the panel uses, and that must not play the game at the same time. */
const OWN_KEYS = /^(Arrow|Page|Home$|End$|Space$|Enter$|Tab$|NumpadEnter$)/;

/** A part of the panel that can be folded. Only open ones are brought up to date. */
interface Part {
  node: HTMLDetailsElement;
  graphs: Graph[];
  update(): void;
}

/** The elements of the inspector, which show what a `Watch` measures. */
export class Panel {
  readonly node = h("aside", { class: "tickcast-inspector", "aria-label": "Inspector" });
  readonly #room: Room<AnyGame>;
  readonly #watch: Watch;
  readonly #parts: Part[];
  readonly #status = h("p", { class: "status", role: "status" });
  readonly #record: HTMLButtonElement;

  constructor(room: Room<AnyGame>, watch: Watch, close: () => void) {
    this.#room = room;
    this.#watch = watch;
    this.#record = button("Record 10 s", () => void this.#save());
    const bar = h(
      "header",
      {},
      h("h2", {}, "Inspector"),
      h("span", { class: "soft" }, room.game),
      this.#record,
      button("Close", close, { class: "close" }),
    );
    this.#parts = [
      this.#line(),
      this.#network(),
      this.#prediction(),
      this.#picture(),
      this.#entities(),
      this.#events(),
    ];
    const shadow = this.node.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet()];
    const body = h("div", { class: "body" }, ...this.#parts.map(({ node }) => node));
    const all = h("div", { class: "panel" }, bar, this.#status, body);
    all.addEventListener("keydown", (event) => {
      if (event.code === "Escape") close();
      if (event.code === "Escape" || OWN_KEYS.test(event.code)) event.stopPropagation();
    });
    shadow.append(all);
  }

  update(): void {
    const now = performance.now();
    for (const { node, graphs, update } of this.#parts) {
      if (!node.open) continue;
      update();
      for (const graph of graphs) graph.draw(this.#watch.meter.samples, now);
    }
    const over = this.#room.stats.prediction && this.#watch.correctionRate > MOST_CORRECTIONS;
    this.node.classList.toggle("corrections", Boolean(over));
    const warning = `More than ${MOST_CORRECTIONS} corrections a minute. Does this client step by other rules than the server?`;
    if (over) tell(this.#status, warning);
    else if (this.#status.textContent === warning) tell(this.#status, "");
  }

  close(): void {
    for (const { graphs } of this.#parts) for (const graph of graphs) graph.close();
    this.node.remove();
  }

  async #save(): Promise<void> {
    const recorded = this.#watch.record();
    if (!recorded) return;
    this.#record.disabled = true;
    tell(this.#record, "Recording…");
    tell(this.#status, "Recording for 10 seconds.");
    const report = await recorded;
    this.#record.disabled = false;
    tell(this.#record, "Record 10 s");
    // Also if the room has ended meanwhile, and the panel with it.
    const name = download(report);
    tell(this.#status, `Saved ${name}.`);
  }

  #line(): Part {
    const controls = new Controls(this.#watch.conditions, (conditions) => this.#watch.simulate(conditions));
    return part("Line", true, [], [controls.node], () => undefined);
  }

  #network(): Part {
    const figures = new Figures();
    const parts = h("tbody");
    const table = h("table", { class: "traffic" }, h("caption", {}, "Bytes a second by component"), parts);
    const traffic = new Graph(
      "Traffic, B/s",
      [
        { name: "down", colour: "one", of: ({ down }) => down },
        { name: "up", colour: "two", of: ({ up }) => up },
      ],
      200,
    );
    const times = new Graph(
      "Times, ms",
      [
        { name: "round trip", colour: "one", of: ({ rtt }) => rtt },
        { name: "longest gap between frames", colour: "two", of: ({ gap }) => gap },
      ],
      60,
    );
    const ticks = new Graph(
      "Inputs, ticks",
      [
        { name: "lead", colour: "one", of: ({ lead }) => lead },
        { name: "margin", colour: "two", of: ({ margin }) => margin },
      ],
      4,
    );
    const graphs = [traffic, times, ticks];
    return part("Network", true, graphs, [figures.node, ...graphs.map(({ node }) => node), table], () => {
      const sample = this.#watch.meter.samples.at(-1);
      if (!sample) return;
      figures.show("Round trip", sample.rtt === null ? "–" : `${sample.rtt.toFixed(0)} ms`);
      figures.show("Jitter", `${sample.jitter.toFixed(1)} ms`);
      figures.show("Longest gap", `${sample.gap.toFixed(0)} ms`);
      figures.show("Ticks a frame", sample.ticks > 0 ? `≤ ${sample.ticks}` : "–");
      figures.show("Down", `${short(sum(this.#watch.meter.rates("down")))} B/s`);
      figures.show("Up", `${short(sum(this.#watch.meter.rates("up")))} B/s`);
      figures.show("Lead", `${sample.lead.toFixed(1)} ticks`);
      figures.show("Margin", `${sample.margin} ticks`, sample.margin < 0 ? "late" : undefined);
      this.#traffic(parts);
    });
  }

  #traffic(body: HTMLTableSectionElement): void {
    const ways = (["down", "up"] as const).flatMap((way) => {
      const rates = this.#watch.meter.rates(way).slice(0, MOST_PARTS);
      return rates.map(([name, rate]) => ({ name: `${way === "down" ? "↓" : "↑"} ${name}`, rate }));
    });
    const most = Math.max(1, ...ways.map(({ rate }) => rate));
    while (body.rows.length > ways.length) body.deleteRow(-1);
    ways.forEach(({ name, rate }, n) => {
      const row = body.rows[n] ?? body.appendChild(trafficRow());
      const [label, value, bar] = [...row.cells];
      if (label) tell(label, name);
      if (value) tell(value, rate.toFixed(0));
      const meter = bar?.firstElementChild;
      if (meter instanceof HTMLProgressElement) meter.value = rate / most;
    });
  }

  #prediction(): Part {
    const box = h("input", { type: "checkbox", role: "switch" });
    box.checked = this.#watch.draws;
    box.addEventListener("change", () => {
      this.#watch.draws = box.checked;
    });
    const toggle = h("label", { class: "check" }, box, "Draw what is predicted");
    const none = h("p", { class: "soft" }, "This room does not predict.");
    const figures = new Figures();
    const error = new Graph("Error, in the game's units", [{ name: "error", colour: "one", of: (s) => s.error }], 0.1);
    const corrections: Trace = { name: "corrections", colour: "three", bars: true, of: (s) => s.corrections };
    const graphs = [error, new Graph("Corrections a quarter of a second", [corrections], 4)];
    const shown = [none, toggle, figures.node, ...graphs.map(({ node }) => node)];
    return part("Prediction", true, graphs, shown, () => {
      const { prediction } = this.#room.stats;
      none.hidden = prediction !== undefined;
      for (const node of shown.slice(1)) node.hidden = !prediction;
      if (!prediction) return;
      const rate = this.#watch.correctionRate;
      const alarm = rate > MOST_CORRECTIONS ? `beyond ${MOST_CORRECTIONS}` : undefined;
      figures.show("Corrections a minute", rate.toFixed(0), alarm);
      figures.show("Error, median", short(prediction.error.p50));
      figures.show("Error, 95%", short(prediction.error.p95));
      figures.show("Ticks stepped again", String(prediction.replayed));
    });
  }

  #picture(): Part {
    const figures = new Figures();
    const late: Trace = { name: "underruns", colour: "three", bars: true, of: (s) => s.underruns };
    const delay = new Graph(
      "Delay, ticks",
      [{ name: "behind the server", colour: "one", of: (s) => s.delay }, late],
      4,
    );
    return part("Picture", false, [delay], [figures.node, delay.node], () => {
      const { delay: ticks, underruns, resyncs } = this.#room.stats;
      figures.show("Delay", `${ticks.toFixed(1)} ticks, ${((ticks * 1000) / this.#room.hz).toFixed(0)} ms`);
      figures.show("Underruns", String(underruns));
      figures.show("Snapshots requested", String(resyncs));
    });
  }

  #entities(): Part {
    const tree = new Tree(this.#room);
    return part("Entities", false, [], [tree.count, tree.node], () => tree.update());
  }

  #events(): Part {
    const list = h("ol", { class: "notes", tabindex: "0", "aria-label": "Newest first" });
    let newest: unknown;
    return part("Events and faults", false, [], [list], () => {
      const { notes } = this.#watch;
      if (notes.at(-1) === newest) return;
      newest = notes.at(-1);
      const shown = notes.slice(-MOST_NOTES).reverse();
      list.replaceChildren(
        ...shown.map(({ tick, text, isBad }) =>
          h("li", { class: isBad ? "bad" : undefined }, h("span", { class: "soft" }, `${tick}`), ` ${text}`),
        ),
      );
    });
  }
}

function part(title: string, open: boolean, graphs: Graph[], children: Node[], update: () => void): Part {
  const node = h("details", { class: "part" }, h("summary", {}, title), ...children);
  node.open = open;
  return { node, graphs, update };
}

function trafficRow(): HTMLTableRowElement {
  const bar = h("progress", { max: "1", "aria-hidden": "true" });
  return h("tr", {}, h("th", { scope: "row" }), h("td", { class: "number" }), h("td", {}, bar));
}

function sum(rates: readonly [string, number][]): number {
  return rates.reduce((all, [, rate]) => all + rate, 0);
}

/** Saves a report as a file, and returns its name. */
function download(report: Report): string {
  const time = new Date(report.recorded).toISOString().replace(/[:.]/g, "-").slice(0, 19);
  const name = `tickcast-${report.game}-${time}.json`;
  const address = URL.createObjectURL(new Blob([JSON.stringify(report)], { type: "application/json" }));
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return name;
}
