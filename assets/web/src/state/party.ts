// The player's party, and invitations to others.

import { computed, effect, signal } from "@preact/signals";
import type { PartyInfo, PartyInvite } from "@tickcast/client";

import { sentence } from "../words.ts";
import { connected, server } from "./session.ts";

export const party = signal<PartyInfo | undefined>(undefined);
export const invites = signal<readonly PartyInvite[]>([]);
/** Why the last wish about the party was refused; empty if it was not. */
export const refusal = signal("");
/** The user who leads the party; `undefined` without a party. */
export const leader = computed(() => party.value?.leader);

/** Follows the player's party over every connection. */
export function followParty(): void {
  effect(() => {
    const from = server.value;
    if (!from) return;
    const { party: channel } = from.lobby;
    const stops = [
      channel.onChange((info) => void (party.value = info)),
      channel.onInvite((invite) => {
        invites.value = [...invites.peek().filter(({ party }) => party !== invite.party), invite];
      }),
    ];
    // A page that was loaded anew is still in the party.
    channel.load().then(
      (info) => void (from === server.peek() && (party.value = info)),
      () => undefined,
    );
    return () => {
      for (const stop of stops) stop();
    };
  });
}

/** Whether a user leads the party. */
export function leads(user: string | undefined): boolean {
  return user !== undefined && leader.value === user;
}

export const create = (): Promise<boolean> => wish((channel) => channel.create());
export const leave = (): Promise<boolean> => wish((channel) => channel.leave());
export const invite = (user: string): Promise<boolean> => wish((channel) => channel.invite(user));
export const promote = (user: string): Promise<boolean> => wish((channel) => channel.promote(user));
export const kick = (user: string): Promise<boolean> => wish((channel) => channel.kick(user));
export const ready = (isReady: boolean): Promise<boolean> => wish((channel) => channel.ready(isReady));

/** Joins a party by its code, and leaves another one for it. */
export async function join(code: string): Promise<boolean> {
  invites.value = invites.value.filter((invite) => invite.code !== code);
  return wish(async (channel) => {
    // A page that was loaded anew may not know of its party yet.
    const current = await channel.load();
    if (current?.code === code.toUpperCase()) return;
    if (current) await channel.leave();
    await channel.join(code);
  });
}

/** Declines an invitation. Nobody is told. */
export function decline({ party }: PartyInvite): void {
  invites.value = invites.value.filter((invite) => invite.party !== party);
}

async function wish(
  act: (channel: NonNullable<typeof server.value>["lobby"]["party"]) => Promise<unknown>,
): Promise<boolean> {
  const from = await connected();
  if (!from) return false;
  refusal.value = "";
  try {
    await act(from.lobby.party);
    return true;
  } catch (error) {
    refusal.value = sentence(error);
    return false;
  }
}
