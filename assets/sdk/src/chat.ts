// Chat: what is said reaches each listener once, in order, over reconnections.

import type { Channel } from "./channel.js";
import { request } from "./channel.js";
import { TickcastError } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { ChatChannel, ChatMessage, Typing } from "./types.js";

interface Replay {
  id: string;
  seq: number;
  messages: ChatMessage[];
  complete: boolean;
}

const RETRY_MS = 1_000;

export class Chat {
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #streams = new Map<ChatChannel, Stream>();
  readonly #typing = new Listeners<[Typing]>();

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
    channel.on("chat", this.#said);
    channel.on("typing", this.#types);
    channel.on("connect", this.#anew);
  }

  /** Says something to all in a channel. */
  async say(channel: "lobby" | "party" | "room", text: string): Promise<void> {
    await this.#ask("chat", { channel, text });
  }

  /** Says something to one person. Who has just gone finds it when back within a minute. */
  async tell(user: string, text: string): Promise<void> {
    await this.#ask("chat", { to: user, text });
  }

  /** Lets the others in a channel know that the player is writing. */
  async typing(channel: "lobby" | "party" | "room"): Promise<void> {
    await this.#ask("typing", { channel });
  }

  /** Lets one person know that the player is writing to them. */
  async typingTo(user: string): Promise<void> {
    await this.#ask("typing", { to: user });
  }

  onTyping(callback: (typing: Typing) => void): Unsubscribe {
    return this.#typing.add(callback);
  }

  /**
   * Calls back with what the channel remembers, then with each message, until the returned function is called. `party` and
   * `room` follow the player from one to the next. What was said while the connection was lost is told afterwards, as far
   * as the server remembers it.
   */
  async listen(channel: ChatChannel, callback: (message: ChatMessage) => void): Promise<Unsubscribe> {
    let stream = this.#streams.get(channel);
    if (!stream) {
      stream = new Stream(channel, (known) => this.#ask<Replay>("listen", { channel, ...known }));
      this.#streams.set(channel, stream);
    }
    return stream.add(callback);
  }

  close(): void {
    this.#channel.off("chat", this.#said);
    this.#channel.off("typing", this.#types);
    this.#channel.off("connect", this.#anew);
    for (const stream of this.#streams.values()) stream.close();
  }

  readonly #said = (message: ChatMessage): void => this.#streams.get(message.channel)?.take(message);
  readonly #types = (typing: Typing): void => this.#typing.notify(typing);
  readonly #anew = (): void => {
    for (const stream of this.#streams.values()) stream.reload();
  };

  #ask<T>(event: string, argument: object): Promise<T> {
    return request<T>(this.#channel, this.#timeout, event, argument);
  }
}

/** One channel's messages, in order and without gaps as far as the server remembers. */
class Stream {
  readonly #channel: ChatChannel;
  readonly #replay: (known: { id?: string; after?: number }) => Promise<Replay>;
  readonly #listeners = new Listeners<[ChatMessage]>();
  #id: string | undefined;
  #seq = 0;
  /** What was said while an answer is on its way; `undefined` when none is. */
  #early: ChatMessage[] | undefined;
  #loaded: Promise<void> | undefined;
  #heard: ChatMessage[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: ChatChannel, replay: (known: { id?: string; after?: number }) => Promise<Replay>) {
    this.#channel = channel;
    this.#replay = replay;
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

  take(message: ChatMessage): void {
    if (this.#early) this.#early.push(message);
    else if (message.id !== this.#id || message.seq > this.#seq + 1) this.reload();
    else this.#tell(message);
  }

  /** Asks for what is missing: the connection was lost, something was, or the player is in another party or room. */
  reload(): void {
    if (!this.#loaded || this.#early) return;
    clearTimeout(this.#retry);
    this.#load().catch(() => (this.#retry = setTimeout(() => this.reload(), RETRY_MS)));
  }

  close(): void {
    clearTimeout(this.#retry);
  }

  async #load(): Promise<void> {
    this.#early = [];
    let early: ChatMessage[] = [];
    try {
      const known = this.#id === undefined ? {} : { id: this.#id, after: this.#seq };
      const { id, messages } = await this.#replay(known);
      early = this.#early;
      if (id !== this.#id) this.#begin(id);
      for (const message of messages) {
        // What lies between is forgotten by the server, too.
        if (message.seq > this.#seq + 1) this.#seq = message.seq - 1;
        this.#tell(message);
      }
    } catch (error) {
      // The player is in no party or room as yet. Its first message is of a history not known, and brings the rest.
      if (!(error instanceof TickcastError) || error.code !== "unknown_channel") throw error;
      this.#begin(undefined);
    } finally {
      this.#early = undefined;
    }
    for (const message of early) this.take(message);
  }

  #begin(id: string | undefined): void {
    this.#id = id;
    this.#seq = 0;
    this.#heard = [];
  }

  #tell(message: ChatMessage): void {
    if (message.seq <= this.#seq || message.channel !== this.#channel) return;
    this.#seq = message.seq;
    this.#heard = [...this.#heard.slice(1 - REMEMBERED), message];
    this.#listeners.notify(message);
  }
}

/** Messages that a listener who comes later is told, as many as the server remembers. */
const REMEMBERED = 100;
