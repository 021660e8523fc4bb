// The playground: a match of any game, drawn and played by its schema alone. Loaded when a match has no view of its own.

import { signal } from "@preact/signals";
import type { EntityOf, Room, Schema } from "@tickcast/client";
import { render } from "preact";

import { el } from "../dom.ts";
import type { Mounted, Stage } from "../view.ts";
import { controlsOf } from "./inputs.ts";
import { componentsOf } from "./kinds.ts";
import { Log } from "./log.ts";
import { Playground } from "./playground.tsx";
import { Steering } from "./steering.ts";
import { sheet } from "./style.ts";

/** How often tables and lists are drawn anew, in milliseconds. */
const BEAT = 250;

/** Shows the playground of a match. */
export function mount({ room, hud, predict }: Stage): Mounted {
  const styles = sheet();
  document.adoptedStyleSheets.push(styles);
  const place = el("div", { className: "playground" });
  hud.append(place);
  const beat = signal(0);
  const redraw = (): void => void (beat.value += 1);
  const timer = window.setInterval(redraw, BEAT);
  const steering = steer(room, redraw);
  const stopKeys = followKeys(steering);
  const log = new Log(room);
  // A game without a module is drawn as the server tells it.
  if (predict && !room.spectating) room.predictWith().catch(() => undefined);
  render(<Playground room={room} steering={steering} log={log} beat={beat} />, place);
  return {
    state: () => stateOf(room, log),
    result: () => seatsOf(room),
    choose: () => undefined,
    unmount: () => {
      window.clearInterval(timer);
      stopKeys();
      log.close();
      render(null, place);
      place.remove();
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== styles);
    },
  };
}

/** The steering of a match. An input of one plain value has no names of fields. */
function steer(room: Room, changed: () => void): Steering {
  const { input } = room.schema;
  return new Steering(controlsOf(input), (values) => {
    room.input(input.shape === "value" ? Object.values(values)[0] : values);
    changed();
  });
}

/** Steers by the keyboard, while nobody types and nothing is asked. */
function followKeys(steering: Steering): () => void {
  const down = (event: KeyboardEvent): void => {
    const { code, ctrlKey, metaKey, altKey, repeat, target } = event;
    if (ctrlKey || metaKey || altKey || !steering.knows(code) || document.querySelector("dialog")) return;
    const taken = code === "Space" ? "input, textarea, select, button, a, summary" : "input, textarea, select";
    if (target instanceof HTMLElement && target.matches(taken)) return;
    // An arrow would scroll.
    event.preventDefault();
    if (!repeat) steering.key(code, true);
  };
  const up = ({ code }: KeyboardEvent): void => steering.key(code, false);
  const release = (): void => steering.release();
  window.addEventListener("keydown", down);
  window.addEventListener("keyup", up);
  window.addEventListener("blur", release);
  return () => {
    window.removeEventListener("keydown", down);
    window.removeEventListener("keyup", up);
    window.removeEventListener("blur", release);
  };
}

/** The match, for tests and for the browser's console. */
function stateOf(room: Room, log: Log): Record<string, unknown> {
  const entities = [...room.entities];
  const me = entities.find(({ Seat }) => room.seat > 0 && Seat === room.seat);
  const { seat, tick, status } = room;
  return { seat, tick, status, me: me && plain(room.schema, me), entities: entities.length, events: log.notes.length };
}

/** The values of an entity's components. */
function plain(schema: Schema, entity: EntityOf<any>): Record<string, unknown> {
  return Object.fromEntries(componentsOf(schema, entity).map((name) => [name, entity[name]]));
}

/** The people in the match: its scores are components like any other, of which nobody knows the meaning. */
function seatsOf(room: Room): HTMLElement {
  const rows = room.seats.map(({ seat, name, status }) =>
    el("tr", {}, el("td", {}, String(seat)), el("td", {}, name), el("td", {}, status)),
  );
  const head = el("tr", {}, ...["Seat", "Player", "Status"].map((title) => el("th", { scope: "col" }, title)));
  return el("table", { className: "playground-seats" }, el("thead", {}, head), el("tbody", {}, ...rows));
}
