// A vote to remove a player: how it stands, and the button to join it.

import { useSignal } from "@preact/signals";
import type { Room, Vote } from "@tickcast/client";
import { useEffect } from "preact/hooks";

import { sentence } from "../words.ts";
import { isPlain } from "./keys.ts";

/** How long the end of a vote is shown, in milliseconds. */
const TOLD = 5_000;

export function VoteBar({ room }: { room: Room }) {
  const vote = useSignal<Vote | undefined>(undefined);
  /** The seat about which the player has voted. */
  const voted = useSignal(0);
  const refusal = useSignal("");
  const join = (): void => {
    const { seat, passed } = vote.peek() ?? {};
    if (seat === undefined || passed !== null || seat === room.seat || voted.peek() === seat || room.spectating) return;
    voted.value = seat;
    room.voteKick(seat).catch((error: unknown) => void (refusal.value = sentence(error)));
  };
  useEffect(() => {
    let timer = 0;
    const stop = room.onVote((now) => {
      window.clearTimeout(timer);
      vote.value = now;
      refusal.value = "";
      if (now.passed === null) return;
      voted.value = 0;
      timer = window.setTimeout(() => void (vote.value = undefined), TOLD);
    });
    const press = (event: KeyboardEvent): void => {
      if (event.code === "KeyV" && isPlain(event)) join();
    };
    window.addEventListener("keydown", press);
    return () => {
      stop();
      window.clearTimeout(timer);
      window.removeEventListener("keydown", press);
    };
  }, [room]);
  const now = vote.value;
  const canVote = now?.passed === null && now.seat !== room.seat && voted.value !== now.seat && !room.spectating;
  return (
    <div class="vote" role="status">
      {now && (
        <>
          <span>{refusal.value || told(room, now)}</span>
          {canVote && (
            <button type="button" onClick={join}>
              Vote for it (V)
            </button>
          )}
        </>
      )}
    </div>
  );
}

function told(room: Room, { seat, votes, needed, passed }: Vote): string {
  const name = room.seats.find((info) => info.seat === seat)?.name ?? `Seat ${seat}`;
  const who = seat === room.seat ? "you" : name;
  if (passed === true) return `The vote has removed ${who}.`;
  if (passed === false) return `The vote to remove ${who} has failed.`;
  return `Vote to remove ${who}: ${votes} of ${needed}.`;
}
