// The end of a match: who has won, the scores, and what to do next.

import type { Over as Ended, Room } from "@tickcast/client";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";

import { again, back, mounted } from "../state/play.ts";
import { listed } from "../words.ts";
import { type Choice, Dialog } from "./dialog.tsx";

/** Titles and explanations for reasons whose own message is meant for programmers. */
const TITLES: Record<string, string> = {
  replaced: "You are playing in another window",
  kicked: "You were removed from the match",
};
const EXPLAINED: Record<string, string> = {
  expired: "You were away for too long, or the server has restarted. Your seat is gone.",
  replaced: "The match goes on there. You can also play it here.",
};
/** How long the buttons do nothing, in milliseconds. */
const CALM = 700;

export function Over({ room, over }: { room: Room; over: Ended }) {
  const { reason, message } = over;
  const isFinished = reason === "finished";
  const result = useMemo(() => (isFinished ? mounted.peek()?.result() : undefined), [over]);
  const why = isFinished ? "" : (EXPLAINED[reason] ?? message);
  return (
    <Dialog title={verdict(room, over)} onCancel={back} calm={CALM} buttons={choices(room, reason)}>
      {why && <p>{why}</p>}
      {result && <Embedded node={result} />}
    </Dialog>
  );
}

function choices(room: Room, reason: string): Choice[] {
  const lobby = { label: "Back to the lobby", act: back };
  const { code, game, id } = room;
  if (reason === "kicked") return [lobby];
  if (reason === "replaced") {
    return [{ label: "Play here", isMain: true, act: () => void again(code ? { code } : { room: id }) }, lobby];
  }
  return [{ label: "Play again", isMain: true, act: () => void again(code ? { code } : { game }) }, lobby];
}

function verdict(room: Room, { reason, winners }: Ended): string {
  if (reason !== "finished") return TITLES[reason] ?? "The match has ended";
  if (winners.includes(room.seat)) {
    if (room.team !== undefined) return "Your team wins!";
    return winners.length > 1 ? "You share the win" : "You win!";
  }
  const names = winners.map((seat) => room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`);
  if (names.length === 0) return "A draw";
  return `${listed(names)} ${names.length > 1 ? "win" : "wins"}`;
}

/** An element that the game's view has made. */
export function Embedded({ node }: { node: HTMLElement }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place.current?.replaceChildren(node), [node]);
  return <div class="embedded" ref={place} />;
}
