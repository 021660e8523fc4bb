// Chat: every listener gets each message once and in order, also after a reconnection.

import type { Ask, Channel } from "./channel.js";
import { listen } from "./channel.js";
import type { ChatStream, Numbered, Replay } from "./chat_stream.js";
import type { Unsubscribe } from "./listeners.js";
import { Listeners } from "./listeners.js";
import { loadLobby } from "./lobby_later.js";
import { TOOLS } from "./tools.js";
import type { ChatChannel, ChatMessage, Typing } from "./types.js";

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
  readonly #streams = new Map<ChatChannel, ChatStream>();
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
    const { ChatStream } = await loadLobby();
    let stream = this.#streams.get(channel);
    if (!stream) {
      stream = new ChatStream(channel, (known) => this.#ask<Replay>("listen", { channel, ...known }), TOOLS);
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
