// The chat: what was said in the lobby, the party, the room, and to and from single people, and what of it is unread.

import { computed, effect, signal } from "@preact/signals";
import type { ChatChannel, ChatMessage, Server } from "@tickcast/client";

import { load, save } from "../stored.ts";
import { sentence } from "../words.ts";
import { connected, server } from "./session.ts";

/** A conversation: `lobby`, `party`, `room`, or `@` and the id of the one whom the player talks with. */
export type Talk = "lobby" | "party" | "room" | `@${string}`;

const CHANNELS: readonly ChatChannel[] = ["lobby", "party", "room", "private"];
/** As many messages of a channel as the server keeps. */
const KEPT = 100;

/** The messages of each channel, by the people who are not muted. */
const heard = signal<Readonly<Partial<Record<ChatChannel, readonly ChatMessage[]>>>>({});
/** The time of the newest message that was read, by conversation. */
const read = signal<Readonly<Record<string, number>>>({});
/** The time of the newest message that was there before the page, by channel. */
export const before = signal<Readonly<Partial<Record<ChatChannel, number>>>>({});
/** The people whom the player has muted, with their names. */
export const muted = signal<Readonly<Record<string, string>>>(storedMuted());
/** The conversation that the player looks at. Its messages are read as they come. */
export const open = signal<Talk | undefined>(undefined);
/** Why the last message was refused; empty if it was not. */
export const refusal = signal("");

/** The messages of all conversations. */
export const talks = computed(() => {
  const found = new Map<Talk, ChatMessage[]>();
  for (const message of Object.values(heard.value).flat()) {
    if (message.user in muted.value) continue;
    const talk = talkOf(message);
    found.set(talk, [...(found.get(talk) ?? []), message]);
  }
  return found;
});

/** How many messages are unread, by conversation. */
export const unread = computed(() => {
  const me = server.value?.session.user;
  const counts = new Map<Talk, number>();
  for (const [talk, messages] of talks.value) {
    const since = read.value[talk] ?? 0;
    const fresh = messages.filter(({ at, user }) => at > since && user !== me).length;
    if (fresh > 0 && talk !== open.value) counts.set(talk, fresh);
  }
  return counts;
});

/** Listens to all channels over every connection, and keeps those quiet whom the player has muted. */
export function followChat(): void {
  effect(() => {
    const from = server.value;
    if (!from) return;
    // The history comes anew.
    heard.value = {};
    const isWanted = (): boolean => from === server.peek();
    for (const user of Object.keys(muted.peek())) void from.lobby.block(user).catch(() => undefined);
    for (const channel of CHANNELS) void listen(from, channel, isWanted);
  });
  effect(() => {
    const messages = open.value && talks.value.get(open.value);
    if (open.value && messages) mark(open.value, messages);
  });
}

async function listen({ lobby }: Server, channel: ChatChannel, isWanted: () => boolean): Promise<void> {
  const take = (message: ChatMessage): void => {
    if (!isWanted()) return;
    const known = heard.peek()[channel] ?? [];
    // Another party or room has a history of its own.
    const same = known.filter(({ id, seq }) => id === message.id && seq !== message.seq);
    heard.value = { ...heard.peek(), [channel]: [...same, message].slice(-KEPT) };
  };
  // A refusal leaves the channel quiet until the next connection.
  await lobby.chat.listen(channel, take).catch(() => undefined);
  if (!isWanted() || before.peek()[channel] !== undefined) return;
  const newest = heard.peek()[channel]?.at(-1)?.at ?? 0;
  before.value = { ...before.peek(), [channel]: newest };
  // Messages from before the player came are no news, except those to the player alone.
  if (channel !== "private") read.value = { ...read.peek(), [channel]: newest };
}

/** Says something. Returns whether it was taken. */
export async function say(talk: Talk, text: string): Promise<boolean> {
  const chat = (await connected())?.lobby.chat;
  if (!chat) return false;
  refusal.value = "";
  try {
    if (isPrivate(talk)) await chat.tell(userOf(talk), text);
    else await chat.say(talk, text);
    return true;
  } catch (error) {
    refusal.value = sentence(error);
    return false;
  }
}

/** Hides what a person says, and their invitations, here and on the next visits. */
export async function mute(user: string, name: string): Promise<void> {
  keepMuted({ ...muted.value, [user]: name });
  const from = await connected();
  await from?.lobby.block(user).catch((error: unknown) => void (refusal.value = sentence(error)));
}

/** Hears a person again. */
export async function unmute(user: string): Promise<void> {
  const { [user]: _, ...others } = muted.value;
  keepMuted(others);
  const from = await connected();
  await from?.lobby.unblock(user).catch((error: unknown) => void (refusal.value = sentence(error)));
}

export function isPrivate(talk: Talk): talk is `@${string}` {
  return talk.startsWith("@");
}

/** The person of a private conversation. */
export function userOf(talk: `@${string}`): string {
  return talk.slice(1);
}

function talkOf({ channel, user, to }: ChatMessage): Talk {
  if (channel !== "private") return channel;
  return `@${user === server.value?.session.user ? (to ?? "") : user}`;
}

function mark(talk: Talk, messages: readonly ChatMessage[]): void {
  const newest = messages.at(-1)?.at ?? 0;
  if ((read.peek()[talk] ?? -1) < newest) read.value = { ...read.peek(), [talk]: newest };
}

function storedMuted(): Record<string, string> {
  try {
    const found: unknown = JSON.parse(load("muted") ?? "{}");
    return typeof found === "object" && found !== null ? (found as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function keepMuted(people: Record<string, string>): void {
  muted.value = people;
  save("muted", JSON.stringify(people));
}
