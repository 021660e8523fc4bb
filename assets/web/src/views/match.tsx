// A match that fills the window: the game's view, and around it the controls of every match.

import "./match.css";

import { useSignal } from "@preact/signals";
import type { Over as Ended, Room, RoomStatus } from "@tickcast/client";
import type { Inspector } from "@tickcast/client/inspector";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { copy } from "../clipboard.ts";
import { asks, back, mounted, type Stay } from "../state/play.ts";
import { Dialog } from "./dialog.tsx";
import { Over } from "./over.tsx";

/** How long a note is shown, in milliseconds. */
const NOTE = 2_500;

export function Match({ stay: { room, view } }: { stay: Stay }) {
  const stage = useRef<HTMLCanvasElement>(null);
  const hud = useRef<HTMLDivElement>(null);
  const tools = useRef<HTMLSpanElement>(null);
  const status = useSignal<RoomStatus>(room.status);
  const over = useSignal<Ended | undefined>(undefined);
  const isAsked = asks.value || over.value !== undefined;
  const inspector = useInspector(room, stage);
  useLayoutEffect(() => {
    if (!stage.current || !hud.current || !tools.current) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const predict = new URLSearchParams(location.search).get("predict") !== "off";
    const parts = { canvas: stage.current, hud: hud.current, tools: tools.current };
    const shown = view.mount({ room, ...parts, calm, predict });
    mounted.value = shown;
    const stops = [
      room.onOver((ended) => void (over.value = ended)),
      room.onStatus((now) => void (status.value = now)),
    ];
    return () => {
      for (const stop of stops) stop();
      mounted.value = undefined;
      shown.unmount();
    };
  }, [room]);
  useKeys(room, () => asks.peek() || over.peek() !== undefined, inspector.toggle);
  useLayoutEffect(() => {
    if (!isAsked) stage.current?.focus();
  }, [isAsked]);
  return (
    <div class="match">
      <canvas class="stage" ref={stage} tabIndex={0} role="img" aria-label="The match" />
      <div class="hud" ref={hud} />
      <Controls room={room} status={status.value} stage={stage} inspector={inspector} tools={tools} />
      <div ref={inspector.place} />
      {over.value ? <Over room={room} over={over.value} /> : asks.value && <Leaving />}
    </div>
  );
}

interface ControlsProps {
  readonly room: Room;
  readonly status: RoomStatus;
  readonly stage: RefObject<HTMLCanvasElement | null>;
  readonly tools: RefObject<HTMLSpanElement | null>;
  readonly inspector: Inspecting;
}

/** The buttons of every match, and the banner. */
function Controls({ room, status, stage, tools, inspector }: ControlsProps) {
  const [link, setLink] = useState<{ text: string; copied: boolean }>();
  useEffect(() => {
    // A link that the player has to copy stays longer.
    const timer = link && window.setTimeout(() => setLink(undefined), link.copied ? NOTE : NOTE * 8);
    return () => window.clearTimeout(timer);
  }, [link]);
  const share = async (): Promise<void> => {
    const text = `${new URL(".", location.href).href}#${room.code}`;
    setLink({ text, copied: await copy(text) });
    stage.current?.focus();
  };
  const isLost = status === "reconnecting";
  return (
    <>
      <div class="bar">
        <button type="button" class="leave" title="Leave (Escape)" onClick={() => void (asks.value = true)}>
          ← Leave
        </button>
        {room.code && (
          <button type="button" class="share" title="Copy a link to this room" onClick={() => void share()}>
            Code {room.code}
          </button>
        )}
        <span class="tools" ref={tools} />
        <Ping room={room} inspector={inspector} />
      </div>
      <div class={isLost || link ? "banner on" : "banner"} role="alert">
        {isLost && "Connection lost. Reconnecting…"}
        {!isLost && link && (
          <>
            {link.copied ? "Link copied: " : "Copy this link for your friends: "}
            <span class="link">{link.text}</span>
          </>
        )}
      </div>
    </>
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
      aria-label="Inspector"
      aria-expanded={inspector.isOpen}
      onClick={inspector.toggle}
    >
      {text}
    </button>
  );
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

/** The keys of every match, while nothing is asked. */
function useKeys(room: Room, isAsked: () => boolean, inspect: () => void): void {
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isAsked()) return;
      if (event.code === "KeyI" && isPlain(event)) inspect();
      if (event.code !== "Escape") return;
      // The browser would close the dialog that this key opens.
      event.preventDefault();
      asks.value = true;
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [room]);
}

interface Inspecting {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly isOpen: boolean;
  toggle(): void;
}

/** The inspector, which a match does not need, and which is loaded when it is opened. */
function useInspector(room: Room, stage: RefObject<HTMLCanvasElement | null>): Inspecting {
  const place = useRef<HTMLDivElement>(null);
  const open = useRef<Inspector | "loading" | undefined>(undefined);
  const [isOpen, setOpen] = useState(false);
  const closed = (): void => {
    open.current = undefined;
    setOpen(false);
    if (!document.querySelector("dialog")) stage.current?.focus();
  };
  const load = async (): Promise<void> => {
    open.current = "loading";
    try {
      const { inspect } = await import("@tickcast/client/inspector");
      if (!place.current) return;
      open.current = inspect(room, { parent: place.current, onClose: closed });
      setOpen(true);
    } catch (error) {
      open.current = undefined;
      console.error("the inspector could not be loaded", error);
    }
  };
  const close = (): void => {
    if (typeof open.current === "object") open.current.close();
  };
  useEffect(() => close, [room]);
  const toggle = (): void => {
    if (open.current) close();
    else void load();
  };
  return { place, isOpen, toggle };
}

/** Whether a key was pressed alone, and not to type. */
function isPlain({ ctrlKey, metaKey, altKey, repeat, target }: KeyboardEvent): boolean {
  const types = target instanceof HTMLElement && target.matches("input, textarea, select");
  return !ctrlKey && !metaKey && !altKey && !repeat && !types;
}
