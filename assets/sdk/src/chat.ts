// Chat: every listener gets each message once and in order, also after a reconnection.

import type { Ask, Channel } from "./channel.js";
import { listen, Retry } from "./channel.js";
import { codeOf } from "./errors.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import type { ChatChannel, ChatMessage, Typing } from "./types.js";

interface Replay {
  id: string;
  seq: number;
  messages: ChatMessage[];
  complete: boolean;
}

/** A message, or the number of one by a person whom the player blocks. */
type Numbered = Pick<ChatMessage, "channel" | "id" | "seq"> & Partial<ChatMessage>;

/**
 * Chat in the lobby, the party and the room, and between two players.
 *
 * @example
 * ```ts
 * const { chat } = server.lobby;
 * const stop = await chat.listen("lobby", ({ name, text }) => addLine(`${name}: ${text}`));
 * await chat.say("lobby", "Hello!");
 * await chat.tell(friend, "Another round?"); // to one player
 * chat.onTyping(({ name }) => showTyping(name));
 * ```
 */
export class Chat {
  readonly #ask: Ask;
  readonly #stop: () => void;
  readonly #streams = new Map<ChatChannel, Stream>();
  readonly #typing = new Listeners<[Typing]>();

  constructor(channel: Channel, ask: Ask) {
    this.#ask = ask;
    const received = (message: Numbered): void => this.#streams.get(message.channel)?.take(message);
    this.#stop = listen(channel, {
      chat: received,
      chat_hidden: received,
      typing: (typing: Typing) => this.#typing.notify(typing),
      connect: () => {
        for (const stream of this.#streams.values()) stream.reload();
      },
    });
  }

  /** Sends a message to everyone in a channel. */
  async say(channel: "lobby" | "party" | "room", text: string): Promise<void> {
    await this.#ask("chat", { channel, text });
  }

  /** Sends a private message. A player who has just disconnected still gets it if they return within a minute. */
  async tell(user: string, text: string): Promise<void> {
    await this.#ask("chat", { to: user, text });
  }

  /** Shows the others in a channel that the player is typing. */
  async typing(channel: "lobby" | "party" | "room"): Promise<void> {
    await this.#ask("typing", { channel });
  }

  /** Shows one player that this one is typing to them. */
  async typingTo(user: string): Promise<void> {
    await this.#ask("typing", { to: user });
  }

  /** Calls back when another player is typing. */
  onTyping(callback: (typing: Typing) => void): Unsubscribe {
    return this.#typing.add(callback);
  }

  /**
   * Calls back with the recent messages of a channel and then with each new one, until the returned function is called.
   * `party` and `room` follow the player from one party or room to the next. Messages that were missed while the
   * connection was lost are delivered afterwards, as far as the server still has them.
   */
  async listen(channel: ChatChannel, callback: (message: ChatMessage) => void): Promise<Unsubscribe> {
    let stream = this.#streams.get(channel);
    if (!stream) {
      stream = new Stream(channel, (known) => this.#ask<Replay>("listen", { channel, ...known }));
      this.#streams.set(channel, stream);
    }
    return stream.add(callback);
  }

  /** Stops listening for good. */
  close(): void {
    this.#stop();
    for (const stream of this.#streams.values()) stream.close();
  }
}

/** The messages of one channel, in order and without gaps, as far as the server still has them. */
class Stream {
  readonly #channel: ChatChannel;
  readonly #replay: (known: { id?: string; after?: number }) => Promise<Replay>;
  readonly #listeners = new Listeners<[ChatMessage]>();
  #id: string | undefined;
  #seq = 0;
  /** Messages that arrive while a request for history is pending; `undefined` if none is pending. */
  #early: Numbered[] | undefined;
  #loaded: Promise<void> | undefined;
  #heard: ChatMessage[] = [];
  readonly #retry = new Retry(() => this.#load());

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
      if (codeOf(error) !== "unknown_channel") throw error;
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
