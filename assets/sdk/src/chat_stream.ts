// One channel of the chat. Loaded when a program first listens.

import type { Retry } from "./channel.js";
import type { Listeners, Unsubscribe } from "./listeners.js";
import type { Tools } from "./tools.js";
import type { ChatChannel, ChatMessage } from "./types.js";

export interface Replay {
  id: string;
  seq: number;
  messages: ChatMessage[];
  complete: boolean;
}

/** A message, or the number of one by a person whom the player blocks. */
export type Numbered = Pick<ChatMessage, "channel" | "id" | "seq"> & Partial<ChatMessage>;

/** The messages of one channel, in order and without gaps, as far as the server still has them. */
export class ChatStream {
  readonly #channel: ChatChannel;
  readonly #replay: (known: { id?: string; after?: number }) => Promise<Replay>;
  readonly #tools: Tools;
  readonly #listeners: Listeners<[ChatMessage]>;
  #id: string | undefined;
  #seq = 0;
  /** Messages that arrive while a request for history is pending; `undefined` if none is pending. */
  #early: Numbered[] | undefined;
  #loaded: Promise<void> | undefined;
  #heard: ChatMessage[] = [];
  readonly #retry: Retry;

  constructor(channel: ChatChannel, replay: (known: { id?: string; after?: number }) => Promise<Replay>, tools: Tools) {
    this.#channel = channel;
    this.#replay = replay;
    this.#tools = tools;
    this.#listeners = new tools.Listeners();
    this.#retry = new tools.Retry(() => this.#load());
  }

  async add(callback: (message: ChatMessage) => void): Promise<Unsubscribe> {
    try {
      await (this.#loaded ??= this.#load());
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
    const stop = this.#listeners.add(callback);
    for (const message of this.#heard) callback(message);
    return stop;
  }

  take(message: Numbered): void {
    if (this.#early) this.#early.push(message);
    else if (message.id !== this.#id || message.seq > this.#seq + 1) this.reload();
    else this.#deliver(message);
  }

  /** Requests the missing messages after a lost connection, a gap, or a change of party or room. */
  reload(): void {
    if (this.#loaded && !this.#early) this.#retry.start();
  }

  close(): void {
    this.#retry.stop();
  }

  async #load(): Promise<void> {
    this.#early = [];
    let early: Numbered[] = [];
    try {
      while (await this.#loadPage());
      early = this.#early;
    } catch (error) {
      // The player is in no party or room yet. Its first message will have an unknown history id, which starts a reload.
      if (this.#tools.codeOf(error) !== "unknown_channel") throw error;
      this.#begin(undefined);
    } finally {
      this.#early = undefined;
    }
    for (const message of early) this.take(message);
  }

  /** Requests the next messages of the history. Returns whether there are more. */
  async #loadPage(): Promise<boolean> {
    const known = this.#id === undefined ? {} : { id: this.#id, after: this.#seq };
    const { id, seq, messages } = await this.#replay(known);
    if (id !== this.#id) this.#begin(id);
    const before = this.#seq;
    for (const message of messages) {
      // The server no longer has the messages in between.
      if (message.seq > this.#seq + 1) this.#seq = message.seq - 1;
      this.#deliver(message);
    }
    // Nothing is left but messages of people whom the player blocks.
    if (messages.length === 0) this.#seq = Math.max(this.#seq, seq);
    return this.#seq > before && this.#seq < seq;
  }

  #begin(id: string | undefined): void {
    this.#id = id;
    this.#seq = 0;
    this.#heard = [];
  }

  #deliver(message: Numbered): void {
    if (message.seq <= this.#seq || message.channel !== this.#channel) return;
    this.#seq = message.seq;
    if (!isMessage(message)) return;
    this.#heard = [...this.#heard.slice(1 - REMEMBERED), message];
    this.#listeners.notify(message);
  }
}

function isMessage(message: Numbered): message is ChatMessage {
  return message.text !== undefined;
}

/** How many messages a later listener gets: as many as the server keeps. */
const REMEMBERED = 100;
