// The lobby: games, open rooms, private rooms by code, and the player's name.

import { busy, message } from "../state/play.ts";
import { status } from "../state/session.ts";
import { Games } from "./games.tsx";
import { NameForm } from "./name.tsx";
import { PrivateRooms } from "./private.tsx";
import { Rooms } from "./rooms.tsx";

export function Lobby() {
  return (
    <div class={busy.value ? "lobby busy" : "lobby"} inert={busy.value}>
      <header class="top">
        <div class="brand">
          <Logo />
          <span>Tickcast</span>
        </div>
        <NameForm />
      </header>
      <main>
        <p class="say" role="alert">
          {status.value === "reconnecting" && "Connection lost. Reconnecting…"}
        </p>
        <p class="say" role="status">
          {message.value}
        </p>
        <Games />
        <div class="columns">
          <Rooms />
          <PrivateRooms />
        </div>
      </main>
      <footer>Authoritative matches, simulated on the server and streamed to your browser.</footer>
    </div>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 20h7l3.5-13 4.5 18 3.5-11H28" />
    </svg>
  );
}
