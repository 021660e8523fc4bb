// Chat: every listener gets each message once and in order, also after a reconnection.

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

/** A message, or the number of one by a person whom the player blocks. */
type Numbered = Pick<ChatMessage, "channel" | "id" | "seq"> & Partial<ChatMessage>;

const RETRY_MS = 1_000;

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
  readonly #channel: Channel;
  readonly #timeout: number;
  readonly #streams = new Map<ChatChannel, Stream>();
  readonly #typing = new Listeners<[Typing]>();

  constructor(channel: Channel, timeout: number) {
    this.#channel = channel;
    this.#timeout = timeout;
    channel.on("chat", this.#received);
    channel.on("chat_hidden", this.#received);
    channel.on("typing", this.#typingReceived);
    channel.on("connect", this.#reconnected);
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
    this.#channel.off("chat", this.#received);
    this.#channel.off("chat_hidden", this.#received);
    this.#channel.off("typing", this.#typingReceived);
    this.#channel.off("connect", this.#reconnected);
    for (const stream of this.#streams.values()) stream.close();
  }

  readonly #received = (message: Numbered): void => this.#streams.get(message.channel)?.take(message);
  readonly #typingReceived = (typing: Typing): void => this.#typing.notify(typing);
  readonly #reconnected = (): void => {
    for (const stream of this.#streams.values()) stream.reload();
  };

  #ask<T>(event: string, argument: object): Promise<T> {
    return request<T>(this.#channel, this.#timeout, event, argument);
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

  take(message: Numbered): void {
    if (this.#early) this.#early.push(message);
    else if (message.id !== this.#id || message.seq > this.#seq + 1) this.reload();
    else this.#deliver(message);
  }

  /** Requests the missing messages after a lost connection, a gap, or a change of party or room. */
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
    let early: Numbered[] = [];
    try {
      while (await this.#loadPage());
      early = this.#early;
    } catch (error) {
      // The player is in no party or room yet. Its first message will have an unknown history id, which starts a reload.
      if (!(error instanceof TickcastError) || error.code !== "unknown_channel") throw error;
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
