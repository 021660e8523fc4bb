// The queue: its modes, the player's place in it, and the ready check.

import "./queue.css";

import { useEffect, useState } from "preact/hooks";

import { gameView } from "../game_views.ts";
import { leads, party } from "../state/party.ts";
import { answer, type Check, check, enqueue, leave, notice, queue, type Wait } from "../state/queue.ts";
import { rated, ratings } from "../state/ratings.ts";
import { server } from "../state/session.ts";
import { clock, count } from "../words.ts";
import { Dialog } from "./dialog.tsx";

/** The buttons that queue for a game, one a mode. */
export function Modes({ game }: { game: string }) {
  const modes = gameView(game)?.modes ?? [];
  const isLed = party.value !== undefined && !leads(server.value?.session.user);
  const others = (party.value?.members.length ?? 1) - 1;
  if (modes.length === 0) return null;
  return (
    <fieldset class="modes" disabled={isLed || queue.value !== undefined}>
      <legend>{others > 0 && !isLed ? `Find a match for ${count(others + 1, "player")}` : "Find a match"}</legend>
      {modes.map(({ name, label }) => {
        const rating = ratings.value[rated(game, name)];
        return (
          <button key={name} type="button" onClick={() => void enqueue(game, name)}>
            {label}
            {rating && <small> · your rating {Math.round(rating.rating)}</small>}
          </button>
        );
      })}
      {isLed && <p class="hint">The leader of your party queues for all.</p>}
    </fieldset>
  );
}

/** The player's place in the queue, or why they are no longer in it. */
export function QueueBar() {
  const wait = queue.value;
  if (!wait) {
    return (
      <p class="say" role="status">
        {notice.value}
      </p>
    );
  }
  return (
    <section class="queue" aria-label="Queue">
      <strong>
        {titleOf(wait)}
        {wait.follows && " with your party"}
      </strong>
      <span role="status">{place(wait)}</span>
      <Waited wait={wait} />
      <button type="button" onClick={leave}>
        Leave the queue
      </button>
      {notice.value && (
        <p class="hint" role="status">
          {notice}
        </p>
      )}
    </section>
  );
}

/** How long the player waits already, and about how long others did. */
function Waited({ wait: { status, told } }: { wait: Wait }) {
  const seconds = (useNow() - told) / 1_000 + (status?.waited ?? 0);
  const estimate = status?.estimate;
  return (
    <span class="waited">
      {clock(seconds)}
      {typeof estimate === "number" && ` of about ${clock(estimate)}`}
    </span>
  );
}

function place({ status }: Wait): string {
  if (!status) return "Looking for your place…";
  const { position, waiting, needed } = status;
  return `Place ${position} · ${count(waiting, "player")} of ${needed} ${waiting === 1 ? "waits" : "wait"}`;
}

function titleOf({ game, mode }: { game: string; mode: string }): string {
  const view = gameView(game);
  const label = view?.modes.find(({ name }) => name === mode)?.label ?? mode;
  return `${view?.title ?? game} · ${label}`;
}

/** The question whether the player is ready for the match that was found. */
export function ReadyQuestion() {
  const open = check.value;
  return open ? <Question key={open.asked.check} open={open} /> : null;
}

function Question({ open: { asked, ends, accepted, answer: said } }: { open: Check }) {
  const left = Math.max(0, (ends - useNow()) / 1_000);
  const yes = { label: "Ready", isMain: true, act: () => answer(true) };
  const no = { label: "Not now", act: () => answer(false) };
  return (
    <Dialog title="Match found" onCancel={() => undefined} buttons={said === "none" ? [yes, no] : []}>
      <p>{titleOf(asked)}</p>
      <progress aria-label="Time left" max={asked.seconds} value={left} />
      <p class="left" role="timer">
        {clock(Math.ceil(left))}
      </p>
      <p role="status">
        {said === "yes" && "You are ready. "}
        {accepted} of {count(asked.players, "player")} {accepted === 1 ? "is" : "are"} ready.
      </p>
    </Dialog>
  );
}

/** The time, in milliseconds of `performance.now`, anew each quarter of a second. */
function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), 250);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
