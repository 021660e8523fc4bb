// The lobby: the way to its views, and what is told in all of them.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { call, dismiss } from "../state/calls.ts";
import { unread } from "../state/chat.ts";
import { decline, invites, join } from "../state/party.ts";
import { busy, message, play } from "../state/play.ts";
import { go, replace, route, to } from "../state/route.ts";
import { isOffline, status } from "../state/session.ts";
import { Chat, Unread } from "./chat.tsx";
import { Friends } from "./friends.tsx";
import { Games } from "./games.tsx";
import { NameForm } from "./name.tsx";
import { PrivateRooms } from "./private.tsx";
import { QueueBar } from "./queue.tsx";
import { Ranks } from "./ranks.tsx";
import { Rooms } from "./rooms.tsx";
import { SettingsView } from "./settings.tsx";

export function Lobby() {
  return (
    <div class={busy.value ? "lobby busy" : "lobby"} inert={busy.value}>
      <header class="top">
        <div class="brand">
          <Logo />
          <span>Tickcast</span>
        </div>
        <Views />
        <NameForm />
      </header>
      <main>
        <Told />
        <View />
      </main>
      <footer>Authoritative matches, simulated on the server and streamed to your browser.</footer>
    </div>
  );
}

/** The news that all views show. */
function Told() {
  return (
    <>
      <p class="say" role="alert">
        {lost()}
      </p>
      <p class="say" role="status">
        {message.value}
      </p>
      <QueueBar />
      <Called />
      {invites.value.map((invite) => (
        <div key={invite.party} class="invite" role="alert">
          <p>{invite.from.name ?? "Somebody"} invites you to a party.</p>
          <button
            type="button"
            onClick={() => {
              go("friends");
              void join(invite.code);
            }}
          >
            Join the party
          </button>
          <button type="button" class="quiet" onClick={() => decline(invite)}>
            Not now
          </button>
        </div>
      ))}
    </>
  );
}

/** The leader of the party has opened a private room. */
function Called() {
  const now = call.value;
  if (!now) return null;
  return (
    <div class="invite" role="alert">
      <p>{now.name} has opened a private room for the party.</p>
      <button
        type="button"
        onClick={() => {
          dismiss(now);
          void play({ code: now.code });
        }}
      >
        Join the room
      </button>
      <button type="button" class="quiet" onClick={() => dismiss(now)}>
        Not now
      </button>
    </div>
  );
}

/** Tells the player what a lost connection means. */
function lost(): string {
  if (status.value !== "reconnecting") return isOffline.value ? "Your device seems to be offline." : "";
  if (isOffline.value) return "Connection lost: your device is offline. The page goes on when it is back.";
  return "Connection lost. Reconnecting… Your party and your place in a queue are kept for a minute.";
}

function View() {
  const { view, value } = route.value;
  const Other = OTHERS[view];
  if (view === "party") return <Joining code={value} />;
  if (Other) {
    return (
      <>
        <h1 class="hidden">{VIEWS.find(([name]) => name === view)?.[1]}</h1>
        <Other />
      </>
    );
  }
  return (
    <>
      <Games />
      <div class="columns">
        <Rooms />
        <PrivateRooms />
      </div>
    </>
  );
}

/** The views of the lobby beside that with the games. */
const OTHERS: Readonly<Record<string, () => ComponentChildren>> = {
  friends: Friends,
  chat: Chat,
  ranks: Ranks,
  settings: SettingsView,
};

/** The link to a party joins it. */
function Joining({ code }: { code: string }) {
  useEffect(() => void join(code).then(() => replace("friends")), [code]);
  return <h1>Joining the party…</h1>;
}

const VIEWS = [
  ["", "Play"],
  ["friends", "Friends"],
  ["chat", "Chat"],
  ["ranks", "Ranks"],
  ["settings", "Settings"],
] as const;

function Views() {
  const { view } = route.value;
  const news = [...unread.value].reduce((sum, [talk, number]) => sum + (talk === "room" ? 0 : number), 0);
  return (
    <nav class="views" aria-label="Views">
      {VIEWS.map(([name, title]) => (
        <a key={name} href={to(name)} aria-current={name === view ? "page" : undefined}>
          {title}
          {name === "chat" && <Unread number={news} />}
        </a>
      ))}
    </nav>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 20h7l3.5-13 4.5 18 3.5-11H28" />
    </svg>
  );
}
