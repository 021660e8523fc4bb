// The entities of a room as a tree, with the newest values, and beside those of own entities what the room draws of them.

import type { Room } from "../room.js";
import type { AnyGame } from "../types.js";
import { h, tell, text } from "./elements.js";

/** The most entities that are listed, and the most rows whose values are shown. */
const MOST = 200;
const MOST_OPEN = 20;

type Shown = { readonly id: number } & Readonly<Record<string, unknown>>;
type Row = { node: HTMLDetailsElement; name: HTMLElement; values: HTMLTableSectionElement };

/** Shows entities. Only those that are open have their values written. */
export class Tree {
  readonly node = h("ul", { class: "tree" });
  readonly count = h("p", { class: "soft" });
  readonly #room: Room<AnyGame>;
  readonly #rows = new Map<number, Row>();
  readonly #components: readonly string[];

  constructor(room: Room<AnyGame>) {
    this.#room = room;
    this.#components = room.schema.components.map(({ name }) => name);
  }

  update(): void {
    const entities: Shown[] = [...this.#room.entities];
    const isOwn = (entity: Shown): boolean => !this.#room.spectating && entity.Seat === this.#room.seat;
    entities.sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)) || a.id - b.id);
    const shown = entities.slice(0, MOST);
    const more = entities.length > MOST ? `, of which the first ${MOST} are listed` : "";
    tell(this.count, `${entities.length} entities${more}`);
    const ids = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.node.parentElement?.remove();
      this.#rows.delete(id);
    }
    let opened = 0;
    shown.forEach((entity, place) => {
      const row = this.#rows.get(entity.id) ?? this.#add(entity.id);
      const item = row.node.parentElement;
      if (item && this.node.children[place] !== item) this.node.insertBefore(item, this.node.children[place] ?? null);
      const has = this.#components.filter((name) => entity[name] !== undefined);
      tell(row.name, `${entity.id}${isOwn(entity) ? " (own)" : ""} · ${has.join(", ")}`);
      if (row.node.open && ++opened <= MOST_OPEN) this.#write(row, entity, isOwn(entity), has);
    });
  }

  #add(id: number): Row {
    const name = h("summary");
    const values = h("tbody");
    const head = h("tr", {}, ...["component", "server", "drawn"].map((text) => h("th", { scope: "col" }, text)));
    const row = { node: h("details", {}, name, h("table", {}, h("thead", {}, head), values)), name, values };
    this.#rows.set(id, row);
    this.node.append(h("li", {}, row.node));
    return row;
  }

  /** Others are drawn in the past, own entities where they are predicted. */
  #write({ values }: Row, entity: Shown, own: boolean, has: readonly string[]): void {
    const lines = has.map((name) => {
      const drawn = this.#room.view(name).find(({ id }) => id === entity.id)?.[name];
      return [name, text(entity[name]), drawn === undefined ? "" : text(drawn)] as const;
    });
    while (values.rows.length > lines.length) values.deleteRow(-1);
    lines.forEach(([name, server, drawn], n) => {
      const line = values.rows[n] ?? values.insertRow();
      while (line.cells.length < 3) line.insertCell();
      for (const [k, value] of [name, server, drawn].entries()) tell(line.cells[k] as Node, value);
      line.classList.toggle("differs", own && drawn !== "" && drawn !== server);
    });
  }
}
