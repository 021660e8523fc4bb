// The chat of the lobby: its conversations, what was said in one of them, and the line to say something.

import "./chat.css";

import type { ChatMessage } from "@tickcast/client";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { isPrivate, mute, open, refusal, say, type Talk, talks, unread, userOf } from "../state/chat.ts";
import { party } from "../state/party.ts";
import { nameOf } from "../state/people.ts";
import { route, to } from "../state/route.ts";
import { server } from "../state/session.ts";
import { count } from "../words.ts";

/** The longest message that the server takes. */
const LONGEST = 500;

export function Chat() {
  const talk = shown(route.value.value);
  const kept = [...talks.value.keys()].filter(isPrivate);
  const all: Talk[] = ["lobby", ...(party.value ? ["party" as const] : []), ...kept];
  if (!all.includes(talk)) all.push(talk);
  useOpen(talk);
  return (
    <section class="chat" aria-labelledby="chat-title">
      <h2 id="chat-title">Chat</h2>
      <nav class="talks" aria-label="Conversations">
        {all.map((one) => (
          <a key={one} href={to("chat", one)} aria-current={one === talk ? "true" : undefined}>
            {titleOf(one)}
            <Unread number={unread.value.get(one) ?? 0} />
          </a>
        ))}
      </nav>
      <div class="talk">
        {isPrivate(talk) && (
          <p class="with">
            Only you and {titleOf(talk)} see this.
            <button type="button" onClick={() => void mute(userOf(talk), titleOf(talk))}>
              Mute {titleOf(talk)}
            </button>
          </p>
        )}
        <Lines talk={talk} />
        <Say talk={talk} />
      </div>
    </section>
  );
}

/** Marks a conversation as read while it is shown. */
export function useOpen(talk: Talk): void {
  useEffect(() => {
    open.value = talk;
    return () => {
      open.value = undefined;
    };
  }, [talk]);
}

/** A number of unread messages, if there are any. */
export function Unread({ number }: { number: number }) {
  if (number === 0) return null;
  return (
    <>
      {" "}
      <span class="unread">
        {number}
        <span class="hidden"> unread {number === 1 ? "message" : "messages"}</span>
      </span>
    </>
  );
}

/** The messages, the newest at the bottom. */
export function Lines({ talk }: { talk: Talk }) {
  const list = useRef<HTMLDivElement>(null);
  const messages = talks.value.get(talk) ?? [];
  // A reader of older messages is not carried away from them.
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    if (list.current && isAtEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [messages.at(-1)?.at, talk]);
  return (
    <div
      ref={list}
      class="lines"
      role="log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll what is longer than its box
      tabIndex={0}
      aria-label={`${titleOf(talk)}: ${count(messages.length, "message")}`}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollTop + clientHeight > scrollHeight - 40;
      }}
    >
      <ol>
        {messages.map((message) => (
          <Line key={`${message.id}/${message.seq}`} message={message} talk={talk} />
        ))}
      </ol>
    </div>
  );
}

function Line({ message: { user, name, text, at }, talk }: { message: ChatMessage; talk: Talk }) {
  const isMine = user === server.value?.session.user;
  const links = !isMine && !isPrivate(talk);
  return (
    <li class={isMine ? "mine" : ""}>
      {links ? <a href={to("chat", `@${user}`)}>{name}</a> : <b>{name}</b>}
      <time dateTime={new Date(at).toISOString()}>
        {new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}
      </time>
      <span>{withLinks(text)}</span>
    </li>
  );
}

/** A text in which the addresses of this page can be clicked: rooms and parties. Others stay text. */
function withLinks(text: string) {
  const base = new URL(".", location.href).href;
  return text.split(/(\s+|[,.;:!?)]+(?=\s|$))/).map((word) => {
    if (!word.startsWith(`${base}#`)) return word;
    return (
      <a key={word} href={word.slice(base.length)}>
        {word}
      </a>
    );
  });
}

/** The line to say something. `done` is called when it is left with nothing to say, or when it was said. */
export function Say({ talk, done }: { talk: Talk; done?: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const send = async (): Promise<void> => {
    const { current } = input;
    const text = current?.value.trim() ?? "";
    if (!current || text === "") return done?.();
    if (!(await say(talk, text))) return;
    // The player may write the next one already.
    if (current.value.trim() === text) current.value = "";
    done?.();
  };
  return (
    <form
      class="say-line"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label for="say" class="hidden">
        Message to {titleOf(talk)}
      </label>
      <input
        ref={input}
        id="say"
        maxLength={LONGEST}
        placeholder={`Message to ${titleOf(talk)}`}
        autocomplete="off"
        aria-describedby="say-refusal"
      />
      <button type="submit">Send</button>
      <p id="say-refusal" class="say" role="status">
        {refusal.value}
      </p>
    </form>
  );
}

function shown(value: string): Talk {
  return value === "party" || value.startsWith("@") ? (value as Talk) : "lobby";
}

export function titleOf(talk: Talk): string {
  if (isPrivate(talk)) return nameOf(userOf(talk));
  return { lobby: "Lobby", party: "Party", room: "Room" }[talk];
}
