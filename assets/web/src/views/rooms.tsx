// The open rooms.

import type { RoomInfo } from "@tickcast/client";
import { useRef } from "preact/hooks";

import { anyView } from "../game_views.ts";
import { isListed, rooms } from "../state/listing.ts";
import { play } from "../state/play.ts";
import { count } from "../words.ts";

export function Rooms() {
  const list = useRef<HTMLUListElement>(null);
  const shown = useRef<readonly string[]>([]);
  // A row must not move away from under the pointer or the focus.
  const isInUse = list.current?.matches(":hover, :focus-within") === true;
  const ordered = inOrder(rooms.value, isInUse ? shown.current : []);
  shown.current = ordered.map(({ room }) => room);
  return (
    <section aria-labelledby="rooms-title">
      <h2 id="rooms-title">Open rooms</h2>
      <ul class="rooms" ref={list}>
        {ordered.map((room) => (
          <Row key={room.room} room={room} />
        ))}
      </ul>
      {isListed.value && ordered.length === 0 && <p class="empty">No room is open. Press Play to open one.</p>}
    </section>
  );
}

/** The rooms with the most players first. Those that are shown already stay where they are. */
function inOrder(rooms: readonly RoomInfo[], shown: readonly string[]): RoomInfo[] {
  const place = ({ room }: RoomInfo): number => (shown.includes(room) ? shown.indexOf(room) : shown.length);
  return [...rooms].sort((a, b) => place(a) - place(b) || b.players - a.players || a.room.localeCompare(b.room));
}

function Row({ room: { room, game, players, bots, seats } }: { room: RoomInfo }) {
  const { title } = anyView(game);
  const label = `${count(players, "player")}, ${count(bots, "bot")}`;
  const isFull = players >= seats;
  return (
    <li>
      <span class="room-game">{title}</span>
      <span class="seats" aria-hidden="true">
        {Array.from({ length: seats }, (_, seat) => (
          <i key={seat} class={seat < players ? "human" : seat < players + bots ? "bot" : ""} />
        ))}
      </span>
      <span class="room-count">{label}</span>
      <button
        type="button"
        disabled={isFull}
        aria-label={`${isFull ? "Full" : "Join"} ${title}, ${label}`}
        onClick={() => void play({ room })}
      >
        {isFull ? "Full" : "Join"}
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={`Watch ${title}, ${label}`}
        onClick={() => void play({ watch: room })}
      >
        Watch
      </button>
    </li>
  );
}
