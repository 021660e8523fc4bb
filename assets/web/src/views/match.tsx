// A match that fills the window: the game's view, and around it the controls of every match.

import "./match.css";

import { useSignal } from "@preact/signals";
import type { Over as Ended, Room, RoomStatus } from "@tickcast/client";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { choicesOf } from "../state/choices.ts";
import { asks, back, menu, mounted, type Stay } from "../state/play.ts";
import { check } from "../state/queue.ts";
import { Dialog } from "./dialog.tsx";
import { useInspector } from "./inspecting.ts";
import { isFree, isPlain } from "./keys.ts";
import { Banner, Bar, Watching } from "./match_bar.tsx";
import { Menu, toggleFullscreen } from "./menu.tsx";
import { Over } from "./over.tsx";
import { RoomChat, talksOf } from "./room_chat.tsx";
import { Scoreboard, useHeldTab } from "./scoreboard.tsx";
import { VoteBar } from "./votes.tsx";

export function Match({ stay }: { stay: Stay }) {
  const { room } = stay;
  const stage = useRef<HTMLCanvasElement>(null);
  const hud = useRef<HTMLDivElement>(null);
  const tools = useRef<HTMLSpanElement>(null);
  const status = useSignal<RoomStatus>(room.status);
  const over = useSignal<Ended | undefined>(undefined);
  const [chats, setChats] = useState(false);
  const isAsked = (): boolean =>
    asks.value || menu.value !== "closed" || over.value !== undefined || check.value !== undefined;
  const focus = (): void => {
    if (!document.querySelector("dialog")) stage.current?.focus();
  };
  const inspector = useInspector(room, focus, stay.isPlayground && matchMedia(ROOMY).matches);
  useMounted(stay, { stage, hud, tools });
  useLayoutEffect(() => {
    const stops = [
      room.onOver((ended) => void (over.value = ended)),
      room.onStatus((now) => void (status.value = now)),
    ];
    stage.current?.focus();
    return () => {
      for (const stop of stops) stop();
    };
  }, [room]);
  useKeys({ room, isAsked, inspect: inspector.toggle, chat: () => setChats(true) });
  const shows = useHeldTab(() => !isAsked(), focus);
  const close = (): void => {
    setChats(false);
    stage.current?.focus();
  };
  return (
    <main class={`match${room.spectating ? " watching" : ""}${inspector.isOpen ? " inspecting" : ""}`}>
      <h1 class="hidden">{stay.view.title}</h1>
      <canvas class="stage" ref={stage} tabIndex={0} role="img" aria-label="The match" />
      <div class="hud" ref={hud} />
      <Bar room={room} tools={tools} inspector={inspector} chat={() => setChats(!chats)} />
      <Banner room={room} status={status.value} />
      <VoteBar room={room} />
      <RoomChat isOpen={chats} talks={talksOf(room.spectating)} close={close} />
      {room.spectating && <Watching room={room} />}
      {shows && !isAsked() && <Scoreboard />}
      <div ref={inspector.place} />
      <Question stay={stay} over={over.value} />
    </main>
  );
}

/** Where the playground and the inspector have room beside each other. */
const ROOMY = "(min-width: 1100px) and (min-height: 560px)";

type Places = Record<"stage" | "hud" | "tools", { readonly current: HTMLElement | null }>;

/** Shows the game's view, and tells it what the player chooses. */
function useMounted({ room, view }: Stay, { stage, hud, tools }: Places): void {
  const choices = choicesOf(room.game);
  const key = JSON.stringify(choices);
  useLayoutEffect(() => {
    if (!(stage.current instanceof HTMLCanvasElement) || !hud.current || !tools.current) return;
    const predict = new URLSearchParams(location.search).get("predict") !== "off";
    const places = { canvas: stage.current, hud: hud.current, tools: tools.current };
    const shown = view.mount({ room, ...places, choices, predict });
    mounted.value = shown;
    return () => {
      mounted.value = undefined;
      shown.unmount();
    };
  }, [room]);
  useLayoutEffect(() => mounted.peek()?.choose(choices), [key]);
}

/** The dialog over the match, if there is one. */
function Question({ stay, over }: { stay: Stay; over: Ended | undefined }) {
  if (over) return <Over room={stay.room} over={over} />;
  if (asks.value) return <Leaving />;
  return menu.value === "closed" ? null : <Menu stay={stay} />;
}

/** Asks whether to leave. The match goes on meanwhile. */
function Leaving() {
  const stay = (): void => void (asks.value = false);
  return (
    <Dialog
      title="Leave the match?"
      onCancel={stay}
      buttons={[
        { label: "Keep playing", isMain: true, act: stay },
        { label: "Leave", act: back },
      ]}
    >
      {null}
    </Dialog>
  );
}

interface Keys {
  readonly room: Room;
  isAsked(): boolean;
  inspect(): void;
  chat(): void;
}

/** The keys of every match, while nothing is asked. */
function useKeys({ room, isAsked, inspect, chat }: Keys): void {
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isAsked()) return;
      if (event.code === "KeyI" && isPlain(event)) inspect();
      if (event.code === "KeyF" && isPlain(event)) toggleFullscreen();
      if (event.code === "Enter" && isFree(event)) {
        event.preventDefault();
        chat();
      }
      if (event.code !== "Escape") return;
      // The browser would close the dialog that this key opens.
      event.preventDefault();
      asks.value = true;
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [room]);
}
