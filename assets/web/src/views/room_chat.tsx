// The chat over a match: the newest lines for a while, and all of them with a line to write while it is open.

import "./room_chat.css";

import { useEffect, useRef, useState } from "preact/hooks";

import { mute, type Talk, talks, unread } from "../state/chat.ts";
import { party } from "../state/party.ts";
import { server } from "../state/session.ts";
import { Lines, Say, titleOf, Unread, useOpen } from "./chat.tsx";

/** How long new lines are shown, in milliseconds, and how many. */
const SHOWN = 9_000;
const MOST = 4;

interface Props {
  readonly isOpen: boolean;
  readonly talks: readonly Talk[];
  close(): void;
}

/** The conversations that a player can follow in a match. Spectators are in no room. */
export function talksOf(isSpectating: boolean): Talk[] {
  return [...(isSpectating ? [] : ["room" as const]), ...(party.value ? ["party" as const] : [])];
}

export function RoomChat({ isOpen, talks: all, close }: Props) {
  const [talk, setTalk] = useState<Talk>();
  const shown = talk && all.includes(talk) ? talk : all[0];
  if (!shown) return null;
  return isOpen ? (
    <Open talk={shown} all={all} choose={setTalk} close={close} />
  ) : (
    <div class="room-chat">
      {all.map((one) => (
        <Recent key={one} talk={one} />
      ))}
    </div>
  );
}

interface OpenProps {
  readonly talk: Talk;
  readonly all: readonly Talk[];
  choose(talk: Talk): void;
  close(): void;
}

function Open({ talk, all, choose, close }: OpenProps) {
  const box = useRef<HTMLElement>(null);
  useOpen(talk);
  useEffect(() => box.current?.querySelector("input")?.focus(), [talk]);
  return (
    <section
      ref={box}
      class="room-chat open"
      aria-label="Chat"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.code === "Escape") close();
      }}
    >
      <div class="row">
        {all.map((one) => (
          <button key={one} type="button" aria-pressed={one === talk} onClick={() => choose(one)}>
            {titleOf(one)}
            <Unread number={unread.value.get(one) ?? 0} />
          </button>
        ))}
        <Muting talk={talk} />
        <button type="button" class="close" aria-label="Close the chat" onClick={close}>
          ×
        </button>
      </div>
      <Lines talk={talk} />
      <Say talk={talk} done={close} />
    </section>
  );
}

/** Mutes the one who spoke last. */
function Muting({ talk }: { talk: Talk }) {
  const me = server.value?.session.user;
  const last = talks.value.get(talk)?.findLast(({ user }) => user !== me);
  if (!last) return null;
  return (
    <button type="button" onClick={() => void mute(last.user, last.name)}>
      Mute {last.name}
    </button>
  );
}

/** The newest lines, for a while after each. */
function Recent({ talk }: { talk: Talk }) {
  const messages = talks.value.get(talk) ?? [];
  const newest = messages.at(-1);
  const key = newest && `${newest.id}/${newest.seq}`;
  const first = useRef(key);
  const [expired, setExpired] = useState(key);
  useEffect(() => {
    if (key === first.current) return;
    const timer = window.setTimeout(() => setExpired(key), SHOWN);
    return () => window.clearTimeout(timer);
  }, [key]);
  const isShown = key !== undefined && key !== expired;
  return (
    <ol class="recent" aria-live="polite" aria-label={`${titleOf(talk)} chat`}>
      {isShown &&
        messages.slice(-MOST).map(({ id, seq, name, text }) => (
          <li key={`${id}/${seq}`}>
            <b>{name}</b> {text}
          </li>
        ))}
    </ol>
  );
}
