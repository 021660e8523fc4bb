// The parts of the playground: the world, what has no place in it, the controls, the commands, and the events.

import type { ReadonlySignal } from "@preact/signals";
import type { Room } from "@tickcast/client";
import { useMemo } from "preact/hooks";

import { Commands } from "./commands.tsx";
import { Controls } from "./controls.tsx";
import type { Log } from "./log.ts";
import { Looks } from "./looks.ts";
import type { Steering } from "./steering.ts";
import { Tables } from "./tables.tsx";
import { WorldView } from "./world_view.tsx";

interface Props {
  readonly room: Room;
  readonly steering: Steering;
  readonly log: Log;
  /** Changes whenever tables and lists are to be drawn anew. */
  readonly beat: ReadonlySignal<number>;
}

export function Playground({ room, steering, log, beat }: Props) {
  const looks = useMemo(() => new Looks(room.schema), [room]);
  return (
    <>
      <div class="pg-world">
        <WorldView room={room} steering={steering} looks={looks} beat={beat} />
      </div>
      <div class="pg-side">
        {room.spectating ? (
          <p class="pg-hint">You are watching: take a seat to play.</p>
        ) : (
          <>
            <Controls steering={steering} beat={beat} />
            <Commands room={room} />
          </>
        )}
      </div>
      <div class="pg-more">
        <Events log={log} beat={beat} />
        <Tables room={room} looks={looks} beat={beat} />
      </div>
    </>
  );
}

function Events({ log, beat }: Pick<Props, "log" | "beat">) {
  void beat.value;
  return (
    <section class="pg-part" aria-labelledby="pg-events">
      <h2 id="pg-events">Events</h2>
      {log.notes.length === 0 && <p class="pg-hint">Nothing has happened yet.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reached by the keyboard */}
      <ol class="pg-events" aria-label="Events, the newest first" tabIndex={0}>
        {log.notes.map(({ id, tick, name, text }) => (
          <li key={id}>
            <small>{tick}</small> <b>{name}</b> {text}
          </li>
        ))}
      </ol>
    </section>
  );
}
