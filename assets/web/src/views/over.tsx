// The end of a match: who has won, the scores, and what to do next.

import type { Over as Ended, Room } from "@tickcast/client";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { leads, party } from "../state/party.ts";
import { again, back, mounted } from "../state/play.ts";
import { enqueue } from "../state/queue.ts";
import { fetchRating, rated, ratings } from "../state/ratings.ts";
import { server } from "../state/session.ts";
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
/** How long the server may take to rate a match, in milliseconds. */
const RATED = 1_500;

export function Over({ room, over }: { room: Room; over: Ended }) {
  const { reason, message } = over;
  const isFinished = reason === "finished";
  const result = useMemo(() => (isFinished ? mounted.peek()?.result() : undefined), [over]);
  const why = isFinished ? "" : (EXPLAINED[reason] ?? message);
  return (
    <Dialog title={verdict(room, over)} onCancel={back} calm={CALM} buttons={choices(room, reason)}>
      {why && <p>{why}</p>}
      {result && <Embedded node={result} />}
      {isFinished && room.mode !== undefined && !room.spectating && <OwnRating game={room.game} mode={room.mode} />}
    </Dialog>
  );
}

/** How the match has changed the player's rating, in a mode that has ratings. */
function OwnRating({ game, mode }: { game: string; mode: string }) {
  const key = rated(game, mode);
  const before = useMemo(() => ratings.peek()[key]?.rating, [key]);
  useEffect(() => {
    if (before === undefined) return;
    // The server rates the match when it has told everybody of its end.
    const timer = window.setTimeout(() => void fetchRating(game, mode), RATED);
    return () => window.clearTimeout(timer);
  }, [key]);
  const now = ratings.value[key]?.rating;
  if (before === undefined || now === undefined) return null;
  const change = Math.round(now) - Math.round(before);
  return (
    <p role="status">
      Your rating: {Math.round(now)}
      {change !== 0 && ` (${change > 0 ? "+" : "−"}${Math.abs(change)})`}
    </p>
  );
}

function choices(room: Room, reason: string): Choice[] {
  const lobby = { label: "Back to the lobby", act: back };
  const { code, game, id, mode } = room;
  if (reason === "kicked") return [lobby];
  if (room.spectating) return [{ label: "Play", isMain: true, act: () => void again({ game }) }, lobby];
  if (reason === "replaced") {
    return [{ label: "Play here", isMain: true, act: () => void again(code ? { code } : { room: id }) }, lobby];
  }
  if (mode !== undefined && !code) return [...next(game, mode), lobby];
  return [{ label: "Play again", isMain: true, act: () => void again(code ? { code } : { game }) }, lobby];
}

/** The way to the next match of a queue. A party has it from its leader. */
function next(game: string, mode: string): Choice[] {
  if (party.value && !leads(server.value?.session.user)) return [];
  const act = (): void => {
    back();
    void enqueue(game, mode);
  };
  return [{ label: "Next match", isMain: true, act }];
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
