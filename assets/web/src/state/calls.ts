// A private room for a party: the leader opens it, and its link goes to the party's chat, where the pages of the others find it.

import { computed, effect, signal } from "@preact/signals";

import { before, say, talks } from "./chat.ts";
import { leads, party } from "./party.ts";
import { stay } from "./play.ts";
import { server } from "./session.ts";

/** A room that the leader of the party has opened. */
export interface Call {
  readonly name: string;
  readonly code: string;
  readonly at: number;
}

const dismissed = signal(0);

/** The newest room to which the leader calls, while the leader plays, until the player joins it or wants to hear no more of it. */
export const call = computed((): Call | undefined => {
  const { leader, members = [] } = party.value ?? {};
  const isThere = members.some(({ user, status }) => user === leader && status === "match");
  if (!isThere || leads(server.value?.session.user)) return undefined;
  const said = talks.value.get("party")?.findLast(({ user, text }) => user === leader && codeIn(text) !== undefined);
  const code = said && codeIn(said.text);
  if (!said || !code || said.at <= Math.max(dismissed.value, before.value.party ?? 0)) return undefined;
  return { name: said.name, code, at: said.at };
});

/** Hides a call. */
export function dismiss({ at }: Call): void {
  dismissed.value = at;
}

/** The link to a private room. */
export function linkTo(code: string): string {
  return `${new URL(".", location.href).href}#${code}`;
}

/** Tells the party of each private room that the player opens as its leader. */
export function callParty(): void {
  effect(() => {
    const { room, isOwner } = stay.value ?? {};
    const { members = [] } = party.peek() ?? {};
    if (!room?.code || !isOwner || members.length < 2 || !leads(server.peek()?.session.user)) return;
    void say("party", linkTo(room.code));
  });
}

/** The code of the room to which a message links. */
function codeIn(text: string): string | undefined {
  const base = linkTo("");
  const link = text.split(/\s+/).find((word) => word.startsWith(base) && !word.startsWith(`${base}/`));
  return link?.slice(base.length) || undefined;
}
