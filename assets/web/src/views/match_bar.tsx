// The buttons of every match, and what is told over it.

import { useSignal } from "@preact/signals";
import type { Room, RoomStatus } from "@tickcast/client";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

import { unread } from "../state/chat.ts";
import { again, asks, menu, mounted } from "../state/play.ts";
import { isOffline } from "../state/session.ts";
import { Unread } from "./chat.tsx";
import type { Inspecting } from "./inspecting.ts";
import { talksOf } from "./room_chat.tsx";

interface Props {
  readonly room: Room;
  readonly tools: RefObject<HTMLSpanElement | null>;
  readonly inspector: Inspecting;
  chat(): void;
}

export function Bar({ room, tools, inspector, chat }: Props) {
  const talks = talksOf(room.spectating);
  const news = talks.reduce((sum, talk) => sum + (unread.value.get(talk) ?? 0), 0);
  return (
    <div class="bar">
      <button type="button" class="leave" title="Leave (Escape)" onClick={() => void (asks.value = true)}>
        ← Leave
      </button>
      {room.code && (
        <button type="button" class="share" title="Invite friends" onClick={() => void (menu.value = "invite")}>
          Code {room.code}
        </button>
      )}
      {talks.length > 0 && (
        <button type="button" title="Chat (Enter)" onClick={chat}>
          Chat
          <Unread number={news} />
        </button>
      )}
      <button type="button" title="Players and settings" onClick={() => void (menu.value = "open")}>
        Menu
      </button>
      <span class="tools" ref={tools} />
      <Ping room={room} inspector={inspector} />
    </div>
  );
}

/** The button that opens the inspector. It shows the round trip and the pictures a second. */
function Ping({ room, inspector }: { room: Room; inspector: Inspecting }) {
  const text = useSignal("");
  useEffect(() => {
    const measure = (): void => {
      const fps = mounted.peek()?.state().fps;
      const { rtt } = room.stats;
      const ping = Number.isFinite(rtt) ? `${Math.round(rtt)} ms` : "– ms";
      text.value = typeof fps === "number" ? `${ping} · ${fps} fps` : ping;
    };
    const timer = window.setInterval(measure, 500);
    return () => window.clearInterval(timer);
  }, [room]);
  return (
    <button
      type="button"
      class="ping"
      title="Inspector (I)"
      aria-label={`${text.value} · Inspector`}
      aria-expanded={inspector.isOpen}
      onClick={inspector.toggle}
    >
      {text}
    </button>
  );
}

/** Tells the player what a lost connection means in the match. */
export function Banner({ room, status }: { room: Room; status: RoomStatus }) {
  const isLost = status === "reconnecting";
  return (
    <div class={isLost ? "banner on" : "banner"} role="alert">
      {isLost && (isOffline.value ? "Connection lost: your device is offline." : "Connection lost. Reconnecting…")}
      {isLost && !room.spectating && ` Your seat is kept for ${Math.round(room.grace)} s.`}
    </div>
  );
}

/** The bar for spectators. */
export function Watching({ room }: { room: Room }) {
  const behind = useSignal(0);
  useEffect(() => {
    const timer = window.setInterval(() => {
      const { delay } = room.stats;
      behind.value = Number.isFinite(delay) ? Math.round(delay / room.hz) : 0;
    }, 1_000);
    return () => window.clearInterval(timer);
  }, [room]);
  const { code, id } = room;
  return (
    <section class="watching-bar" aria-label="Watching">
      <span>You are watching{behind.value > 0 && `, ${behind.value} s behind`}</span>
      <button type="button" onClick={() => void again(code ? { code } : { room: id })}>
        Take a seat
      </button>
    </section>
  );
}
