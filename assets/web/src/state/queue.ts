// The queue in which the player waits, alone or with a party, and the ready check of the match that is found.

import { batch, effect, signal } from "@preact/signals";
import type { QueueStatus, ReadyCheck, Room, Server } from "@tickcast/client";
import { TickcastError } from "@tickcast/client";

import { sentence } from "../words.ts";
import { enter, message, stay } from "./play.ts";
import { connected, server } from "./session.ts";

/** A queue. */
export interface Wait {
  readonly game: string;
  readonly mode: string;
  /** Whether the leader of the party queues, and this player waits with them. */
  readonly follows: boolean;
  /** The place in the queue; `undefined` until the server tells it. */
  readonly status?: QueueStatus;
  /** When `status` was told, in milliseconds of `performance.now`. */
  readonly told: number;
}

/** A ready check that is open. */
export interface Check {
  readonly asked: ReadyCheck;
  /** When it ends, in milliseconds of `performance.now`. */
  readonly ends: number;
  readonly accepted: number;
  readonly answer: "none" | "yes" | "no";
}

export const queue = signal<Wait | undefined>(undefined);
export const check = signal<Check | undefined>(undefined);
/** Why the player waits again, or no longer; empty if there is nothing to say. */
export const notice = signal("");

/** The least time between two waits for the leader, in milliseconds. */
const PAUSE = 1_000;

let leaving: AbortController | undefined;
let reply: ((accepts: boolean) => void) | undefined;
/** The last answer, because the server asks again over a new connection. */
let answered: { check: number; accepts: boolean } | undefined;

/** Waits for a match of a mode, with the player's party if they lead one. */
export async function enqueue(game: string, mode: string): Promise<void> {
  const from = await connected();
  if (!from || queue.value) return;
  await wait({ game, mode, follows: false, told: performance.now() }, (signal) =>
    from.matchmaking.enqueue(game, { ...callbacks(), mode, signal }),
  );
}

/** Leaves the queue. */
export function leave(): void {
  leaving?.abort();
}

/** Leaves the queue when the player enters another match. */
export function leaveForMatches(): void {
  effect(() => {
    if (stay.value && !queue.peek()?.follows) leave();
  });
}

/** Answers the ready check. */
export function answer(accepts: boolean): void {
  if (check.value) check.value = { ...check.value, answer: accepts ? "yes" : "no" };
  reply?.(accepts);
}

/** Waits for the matches for which the leader of a party queues, as long as `leads` says that somebody else does. */
export function followLeader(leader: () => string | undefined): void {
  effect(() => {
    const [from, other] = [server.value, leader()];
    if (!from || other === undefined || other === from.session.user) return;
    const ends = new AbortController();
    void followOn(from, ends.signal);
    return () => ends.abort();
  });
}

/** Follows one match after another, until the signal is aborted or the connection is closed. */
async function followOn(from: Server, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && from.status !== "closed") {
    const begun = performance.now();
    leaving = new AbortController();
    const ends = AbortSignal.any([signal, leaving.signal]);
    try {
      enter(await from.matchmaking.follow({ ...callbacks(), signal: ends }));
    } catch (error) {
      if (queue.value?.follows && !ends.aborted) notice.value = told(error);
    }
    if (queue.value?.follows) ended();
    // A refusal that comes at once would come again.
    if (performance.now() - begun < PAUSE) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

async function wait(as: Wait, start: (signal: AbortSignal) => Promise<Room>): Promise<void> {
  leaving = new AbortController();
  const { signal } = leaving;
  batch(() => {
    queue.value = as;
    notice.value = "";
    message.value = "";
  });
  try {
    enter(await start(signal));
  } catch (error) {
    if (!signal.aborted) notice.value = told(error);
  } finally {
    leaving = undefined;
    ended();
  }
}

function ended(): void {
  reply = undefined;
  batch(() => {
    queue.value = undefined;
    check.value = undefined;
  });
}

function callbacks() {
  return {
    onStatus: (status: QueueStatus) => {
      const { game, mode } = status;
      const known = queue.peek() ?? { game, mode, follows: true };
      queue.value = { ...known, status, told: performance.now() };
    },
    onReadyCheck: (asked: ReadyCheck) => ask(asked),
    onReady: ({ accepted }: { accepted: number }) => {
      if (check.value) check.value = { ...check.value, accepted };
    },
    onUnready: () =>
      batch(() => {
        check.value = undefined;
        notice.value = "Somebody was not ready. You are back in the queue, and keep your place.";
      }),
  };
}

function ask(asked: ReadyCheck): boolean | Promise<boolean> {
  if (answered?.check === asked.check) return answered.accepts;
  const { game, mode } = asked;
  batch(() => {
    queue.value ??= { game, mode, follows: true, told: performance.now() };
    check.value = { asked, ends: performance.now() + asked.seconds * 1_000, accepted: 0, answer: "none" };
    notice.value = "";
  });
  // A phone in a pocket tells of it where the browser allows that.
  navigator.vibrate?.(200);
  return new Promise((resolve) => {
    reply = (accepts) => {
      answered = { check: asked.check, accepts };
      resolve(accepts);
    };
  });
}

/** The text for the player about the end of a wait. */
function told(error: unknown): string {
  const code = error instanceof TickcastError ? error.code : undefined;
  if (code === "unready") return "You were not ready, and have left the queue.";
  if (code === "party_left") return "Your party has left the queue.";
  if (code === "party_absent") return "A member of your party is not here. All must have the page open.";
  if (code === "closed") return "The connection was closed, and you have left the queue.";
  if (code === "queue_paused" && error instanceof TickcastError && error.retryAfter !== undefined)
    return `You missed a ready check. You can queue again in ${Math.ceil(error.retryAfter)} s.`;
  return sentence(error);
}
