// The people whom the player has met, in the chat or in a party, and what they do now.

import { computed, effect, signal } from "@preact/signals";
import type { Server, UserPresence } from "@tickcast/client";

import { muted, talks } from "./chat.ts";
import { party } from "./party.ts";
import { server } from "./session.ts";

/** The server tells of no more people at once. */
const MOST = 100;

/** The presence of people, by their ids. */
const presence = signal<ReadonlyMap<string, UserPresence>>(new Map());

/** The names of the people whom the player has met, by their ids: those who spoke last come last. */
const met = computed(() => {
  const names = new Map<string, string>();
  const me = server.value?.session.user;
  const spoken = [...talks.value.values()].flat().sort((a, b) => a.at - b.at);
  for (const { user, name } of [...spoken, ...(party.value?.members ?? [])]) {
    if (user === me) continue;
    names.delete(user);
    names.set(user, name ?? "");
  }
  return names;
});

/** The people whom the player has met: those who are here first, and then by name. */
export const people = computed((): UserPresence[] => {
  const found = [...met.value].map(([user, name]): UserPresence => {
    const known = presence.value.get(user);
    return { user, name: known?.name ?? name, status: known?.status ?? "offline" };
  });
  return found.sort((a, b) => rank(a) - rank(b) || named(a).localeCompare(named(b)));
});

/** The name of a person, as far as it is known. */
export function nameOf(user: string): string {
  return muted.value[user] || presence.value.get(user)?.name || met.value.get(user) || "Somebody";
}

/** Follows what the people do whom the player has met. */
export function followPeople(): void {
  const users = computed(() => [...met.value.keys()].slice(-MOST).sort().join("\n"));
  effect(() => {
    const [from, list] = [server.value, users.value];
    if (!from || list === "") return;
    const ends = new AbortController();
    // Several are met at once when a history comes.
    const timer = setTimeout(() => void subscribe(from, list.split("\n"), ends.signal), 200);
    return () => {
      clearTimeout(timer);
      ends.abort();
    };
  });
}

async function subscribe({ lobby }: Server, users: readonly string[], signal: AbortSignal): Promise<void> {
  const take = (person: UserPresence): void => {
    presence.value = new Map(presence.peek()).set(person.user, person);
  };
  // A refusal leaves what is known.
  const stop = await lobby.presence.subscribe(users, take).catch(() => () => undefined);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop);
}

function rank({ status }: UserPresence): number {
  return ["online", "queue", "match", "away", "offline"].indexOf(status);
}

function named({ name }: UserPresence): string {
  return name ?? "";
}
