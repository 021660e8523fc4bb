// Sends a seat's commands: in order, each exactly once, over as many connections as that takes. Loaded with the first command.

import type { SeatChannel } from "./channel.js";
import type { Field, Schema, Type } from "./schema.js";
import type { Tools } from "./tools.js";

/** The surroundings of `CommandSender`. */
export interface CommandLine {
  readonly room: { game: string; schema: Pick<Schema, "commands">; onOver(callback: () => void): unknown };
  readonly seatChannel: SeatChannel;
  /** The newest command that the server has taken, by its number. */
  readonly newest: number;
  readonly tools: Tools;
}

interface Waiting {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly settle: (error?: unknown) => void;
}

const TEXT = new TextEncoder();

/** The senders of the seats, by their channels. */
const SENDERS = new WeakMap<SeatChannel, CommandSender>();

/** Sends a command of a seat, as `CommandSender` does. */
export function sendCommand(line: CommandLine, name: string, value: unknown): Promise<void> {
  let sender = SENDERS.get(line.seatChannel);
  if (!sender) {
    sender = new CommandSender(line);
    SENDERS.set(line.seatChannel, sender);
  }
  return sender.send(name, value);
}

export class CommandSender {
  readonly #line: CommandLine;
  readonly #stopListening: () => void;
  #number: number;
  /** Commands without an answer, oldest first. */
  #waiting: Waiting[] = [];

  constructor(line: CommandLine) {
    this.#line = line;
    this.#number = line.newest;
    const welcome = ({ commands = 0 }: { commands?: number }): void => this.#resume(commands);
    this.#stopListening = line.tools.listen(line.seatChannel.channel, { welcome });
    line.room.onOver(() => this.stop());
  }

  /** Sends a command. Throws a `TypeError` if the game has no such command, or a field does not fit. */
  send(name: string, value: unknown): Promise<void> {
    const { room, tools } = this.#line;
    const type = room.schema.commands?.find((type) => type.name === name);
    if (!type) throw new TypeError(`the game ${room.game} has no command ${name}`);
    const values = type.fields.flatMap((field) => valuesOf(tools, type, field, value));
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
      const waiting = { number, bytes: tools.encode([number, type.id, ...values]), settle };
      this.#waiting.push(waiting);
      if (this.#line.seatChannel.channel.connected) void this.#ask(waiting);
    });
  }

  /** Gives up what waits. */
  stop(): void {
    this.#stopListening();
    const error = new this.#line.tools.TickcastError("closed", "the match ended before the server took the command");
    for (const { settle } of this.#waiting.splice(0)) settle(error);
  }

  /** Sends again what has no answer, on a new connection whose server has taken the commands up to `newest`. */
  #resume(newest: number): void {
    for (const waiting of [...this.#waiting]) {
      if (waiting.number <= newest) this.#settle(waiting);
      else void this.#ask(waiting);
    }
  }

  async #ask(waiting: Waiting): Promise<void> {
    const { seatChannel, tools } = this.#line;
    const { channel, timeout } = seatChannel;
    try {
      await tools.request(channel, timeout, "c", waiting.bytes);
      this.#settle(waiting);
    } catch (error) {
      // Without an answer it waits for the next connection. If this one is alive, it is slow, and the answer does not matter any more.
      const isUnanswered = ["closed", "timeout"].includes(tools.codeOf(error) ?? "");
      if (!isUnanswered) this.#settle(waiting, error);
    }
  }

  #settle(waiting: Waiting, error?: unknown): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    waiting.settle(error);
  }
}

/** The values of a field on the wire. */
function valuesOf({ Codec }: Tools, type: Type, field: Field, value: unknown): unknown[] {
  const isStruct = type.shape === "struct";
  const given = isStruct ? (value as Record<string, unknown> | null | undefined)?.[field.name] : value;
  const label = isStruct ? `${type.name}.${field.name}` : type.name;
  if (field.type === "text") {
    if (typeof given !== "string") throw new TypeError(`${label}: ${String(given)} is not a text`);
    return [within(given, TEXT.encode(given).length, field, label)];
  }
  if (field.type === "bytes") {
    if (!(given instanceof Uint8Array)) throw new TypeError(`${label}: ${String(given)} is not a Uint8Array`);
    return [within(given, given.length, field, label)];
  }
  const codec = new Codec({ name: type.name, shape: type.shape, fields: [field] });
  if (given === undefined) throw new TypeError(`${label} is missing`);
  return codec.write(value, codec.blank());
}

function within<T>(value: T, bytes: number, { max = 0 }: Field, label: string): T {
  if (bytes > max) throw new TypeError(`${label} has ${bytes} bytes, and ${max} are allowed`);
  return value;
}
