// Tables of the entities that have no place, or of all.

import type { ReadonlySignal } from "@preact/signals";
import type { EntityOf, Room, Schema } from "@tickcast/client";

import { componentsOf, kindOf } from "./kinds.ts";
import type { Looks } from "./looks.ts";
import { textOf } from "./words.ts";

type Entity = EntityOf<any>;

interface Props {
  readonly room: Room;
  readonly looks: Looks;
  /** Changes whenever the tables are to be drawn anew. */
  readonly beat: ReadonlySignal<number>;
}

/** The most rows of a table. */
const MOST_ROWS = 40;

/** One table for each set of components. */
export function Tables({ room, looks, beat }: Props) {
  void beat.value;
  const { schema } = room;
  const all: readonly Entity[] = [...room.entities];
  const entities = looks.all.value ? all : all.filter((entity) => !looks.isPlaced(entity));
  const kinds = new Map<string, Entity[]>();
  for (const entity of entities) {
    const kind = kindOf(schema, entity);
    const others = kinds.get(kind);
    if (others) others.push(entity);
    else kinds.set(kind, [entity]);
  }
  return (
    <>
      {all.length === 0 && <p class="pg-hint">There is no entity yet.</p>}
      {[...kinds].map(([kind, rows]) => (
        <Kind key={kind} kind={kind} rows={rows} schema={schema} />
      ))}
    </>
  );
}

function Kind({ kind, rows, schema }: { kind: string; rows: readonly Entity[]; schema: Schema }) {
  const columns = rows[0] ? componentsOf(schema, rows[0]) : [];
  return (
    <div class="pg-table">
      <table>
        <caption>
          {kind} <small>{rows.length}</small>
        </caption>
        <thead>
          <tr>
            <th scope="col">#</th>
            {columns.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((entity) => (
            <tr key={entity.id}>
              <th scope="row">{entity.id}</th>
              {columns.map((name) => (
                <td key={name}>{textOf(entity[name])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && <p class="pg-hint">and {rows.length - MOST_ROWS} more</p>}
    </div>
  );
}
