// Commands of a player in a room, such as a guess.

import type { CommandLine } from "./commands.js";
import { later } from "./later.js";
import { RoomSpawns } from "./room_spawns.js";
import type { CommandName, CommandOf, GameTypes } from "./types.js";

const loadCommands = later(() => import("./commands.js"));

/** A room to which a player can send commands. */
export abstract class RoomCommands<G extends GameTypes> extends RoomSpawns<G> {
  /**
   * Sends a command of the game: something to say once, of a size that inputs are not. Commands arrive in the order of the calls, and
   * each acts exactly once, also over a lost connection. Resolves once the server has taken it. Throws a `TickcastError` if the server
   * refuses it, such as `rate_limited`, or if the match ends before; and a `TypeError` if the game has no such command or a field does
   * not fit.
   *
   * @example
   * ```ts
   * form.onsubmit = async () => {
   *   await room.command("Guess", { word: input.value });
   *   input.value = "";
   * };
   * ```
   */
  async command<C extends CommandName<G>>(name: C, value: CommandOf<G, C>): Promise<void> {
    return (await loadCommands()).sendCommand(this.commandLine(), name, value);
  }

  /** The way of commands to the server. */
  protected abstract commandLine(): CommandLine;
}
