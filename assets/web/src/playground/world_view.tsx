// The entities that have a place, as dots in their world.

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { EntityOf, Room, Schema } from "@tickcast/client";
import { useEffect, useRef } from "preact/hooks";

import type { Dial } from "./inputs.ts";
import { colourOf, kindOf } from "./kinds.ts";
import { type Looks, NO_PLACE } from "./looks.ts";
import type { Place } from "./places.ts";
import type { Steering } from "./steering.ts";
import { World } from "./world.ts";

type Entity = EntityOf<any>;

interface Props {
  readonly room: Room;
  readonly steering: Steering;
  readonly looks: Looks;
  /** Changes whenever lists are to be drawn anew. */
  readonly beat: ReadonlySignal<number>;
}

/** The most rows of the legend. */
const MOST_KINDS = 12;

export function WorldView({ room, steering, looks, beat }: Props) {
  void beat.value;
  const place = looks.place.value;
  const placed: Entity[] = [...room.entities].filter((entity) => looks.isPlaced(entity));
  if (looks.places.length === 0) return <p class="pg-hint">No component tells a position: see the tables.</p>;
  return (
    <>
      <div class="pg-choices">
        <Select label="Positions" value={looks.chosen} options={[...looks.places.map(({ name }) => name), NO_PLACE]} />
        {place && <Select label="Labels" value={looks.label} options={["", ...labelsOf(room.schema)]} />}
        {place && (
          <label class="pg-check">
            <input type="checkbox" checked={looks.all} onChange={() => void (looks.all.value = !looks.all.value)} />
            Tables of all
          </label>
        )}
      </div>
      {place && <Dots room={room} steering={steering} place={place} label={looks.label.value} count={placed.length} />}
      {place && <Legend entities={placed} room={room} />}
    </>
  );
}

function Select({ label, value, options }: { label: string; value: Signal<string>; options: readonly string[] }) {
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => void (value.value = currentTarget.value)}>
        {options.map((option) => (
          <option key={option} value={option}>
            {option || "name or number"}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The components that a dot can be labelled with. */
function labelsOf({ components }: Schema): string[] {
  return components.filter(({ shape, name }) => shape !== "unit" && name !== "Seat").map(({ name }) => name);
}

interface DotsProps {
  readonly room: Room;
  readonly steering: Steering;
  readonly place: Place;
  readonly label: string;
  /** The number of dots. */
  readonly count: number;
}

/** The world from above. The pointer turns an angle of the input, if there is one. */
function Dots({ room, steering, place, label, count }: DotsProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const world = useRef<World | undefined>(undefined);
  useEffect(() => {
    if (!canvas.current) return;
    const shown = new World(canvas.current, room, place);
    world.current = shown;
    return () => shown.close();
  }, [room, place]);
  if (world.current) world.current.label = label;
  const dial = steering.controls.find((control): control is Dial => control.kind === "dial");
  const aim = ({ clientX, clientY }: PointerEvent): void => {
    const angle = world.current?.angleTo(clientX, clientY);
    if (dial && angle !== undefined) steering.set(dial.field, angle);
  };
  const said = `${count} ${count === 1 ? "entity" : "entities"} by ${place.name}`;
  return <canvas ref={canvas} class="pg-map" role="img" aria-label={said} onPointerMove={aim} onPointerDown={aim} />;
}

/** The kinds of entities that have a place, with their colours. */
function Legend({ entities, room }: { entities: readonly Entity[]; room: Room }) {
  const kinds = new Map<string, { colour: string; count: number }>();
  for (const entity of entities) {
    const seat = entity.Seat as number | undefined;
    const name = seat === undefined ? kindOf(room.schema, entity) : (nameOf(room, seat) ?? `Seat ${seat}`);
    const kind = kinds.get(name) ?? { colour: colourOf(room.schema, entity, room.seat), count: 0 };
    kinds.set(name, { ...kind, count: kind.count + 1 });
  }
  return (
    <ul class="pg-legend" aria-label="Colours">
      {[...kinds].slice(0, MOST_KINDS).map(([name, { colour, count }]) => (
        <li key={name}>
          <i style={{ background: colour }} />
          {name}
          {count > 1 && ` × ${count}`}
        </li>
      ))}
    </ul>
  );
}

function nameOf(room: Room, seat: number): string | undefined {
  return room.seats.find((info) => info.seat === seat)?.name;
}
