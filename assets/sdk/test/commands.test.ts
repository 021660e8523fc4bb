// Commands go out in order, and each acts once, whatever the line does.

import { decode } from "@msgpack/msgpack";
import { expect, test, vi } from "vitest";
import { CommandSender } from "../src/commands.js";
import type { Schema, Type } from "../src/schema.js";
import { TOOLS } from "../src/tools.js";
import { channel, room, seatChannel, sit, welcome } from "./seat.js";
import { FakeChannel, schema } from "./support.js";

const commands: Type[] = [
  { id: 1, name: "Guess", shape: "struct", fields: [{ name: "word", type: "text", max: 8 }] },
  {
    id: 2,
    name: "Stroke",
    shape: "struct",
    fields: [
      { name: "from", type: "vec2", step: 0.5, min: 0, max: 100 },
      { name: "points", type: "bytes", max: 4 },
      { name: "pen", type: "choice", values: ["Thin", "Thick"] },
    ],
  },
  { id: 3, name: "Undo", shape: "unit", fields: [] },
  { id: 4, name: "Shout", shape: "value", fields: [{ name: "0", type: "text", max: 20 }] },
];
const withCommands: Schema = { ...schema, commands };

/** Answers to commands by their numbers: given at once, or when somebody releases them. */
function sender(answer: (number: number) => unknown, newest = 0): { sender: CommandSender; line: FakeChannel } {
  const line = new FakeChannel((_event, bytes) => answer((decode(bytes as Uint8Array) as number[])[0] ?? 0));
  line.connected = true;
  return {
    sender: new CommandSender({
      room: { game: "yard", schema: { commands }, onOver: () => undefined },
      seatChannel: { ...seatChannel, channel: line },
      newest,
      tools: TOOLS,
    }),
    line,
  };
}

const numbers = (line: FakeChannel): unknown[] =>
  line.sentAs("c").map((bytes) => (decode(bytes as Uint8Array) as unknown[])[0]);

test("a room sends a command as the schema says, and resolves with the answer", async () => {
  await sit({ schema: withCommands, commands: 5 });
  await room.command("Guess", { word: "cät" });
  await room.command("Stroke", { from: { x: 3.2, y: 500 }, points: new Uint8Array([1, 2]), pen: "Thick" });
  await room.command("Undo", {});
  await room.command("Shout", "hey");
  expect(channel.sentAs("c").map((bytes) => decode(bytes as Uint8Array))).toEqual([
    [6, 1, "cät"],
    [7, 2, 6, 200, new Uint8Array([1, 2]), 1],
    [8, 3],
    [9, 4, "hey"],
  ]);
});

test("what does not fit is named, and takes no number", async () => {
  const { sender: own, line } = sender(() => ({ ok: true }));
  const stroke = { from: { x: 0, y: 0 }, points: new Uint8Array(), pen: "Thin" };
  for (const [name, value, said] of [
    ["Gues", {}, "the game yard has no command Gues"],
    ["Guess", {}, "Guess.word: undefined is not a text"],
    ["Guess", { word: "ääääa" }, "Guess.word has 9 bytes, and 8 are allowed"],
    ["Stroke", { ...stroke, points: [1] }, "Stroke.points: 1 is not a Uint8Array"],
    ["Stroke", { ...stroke, points: new Uint8Array(5) }, "Stroke.points has 5 bytes, and 4 are allowed"],
    ["Stroke", { ...stroke, pen: "Fat" }, "Stroke.pen: Fat is not one of Thin, Thick"],
    ["Stroke", { ...stroke, from: undefined }, "Stroke.from is missing"],
    ["Shout", 5, "Shout: 5 is not a text"],
  ] as const) {
    expect(() => own.send(name, value), said).toThrow(new TypeError(said));
  }
  await own.send("Undo", {});
  expect(numbers(line)).toEqual([1]);
});

test("a refusal is told, and the commands behind it go on", async () => {
  const { sender: own } = sender((number) =>
    number === 1 ? { ok: false, error: { code: "rate_limited", message: "slower" } } : { ok: true },
  );
  const [first, second] = [own.send("Undo", {}), own.send("Undo", {})];
  await expect(first).rejects.toMatchObject({ code: "rate_limited" });
  await expect(second).resolves.toBeUndefined();
});

test("commands without an answer go out again on the next connection, in order, but for those that were taken", async () => {
  let isLost = true;
  const { sender: own, line } = sender(() => (isLost ? Promise.reject(new Error("disconnected")) : { ok: true }));
  const first = own.send("Undo", {});
  const second = own.send("Undo", {});
  await vi.advanceTimersByTimeAsync(10);
  line.connected = false;
  const third = own.send("Undo", {});
  expect(numbers(line)).toEqual([1, 2]);
  isLost = false;
  line.connected = true;
  line.receive("welcome", welcome({ commands: 1 }));
  await Promise.all([first, second, third]);
  expect(numbers(line)).toEqual([1, 2, 2, 3]);
  line.receive("welcome", welcome({ commands: 3 }));
  expect(numbers(line)).toEqual([1, 2, 2, 3]);
});

test("what waits is given up when the match is over", async () => {
  await sit({ schema: withCommands });
  await room.command("Undo", {});
  channel.connected = false;
  const waits = expect(room.command("Undo", {})).rejects.toMatchObject({ code: "closed" });
  await vi.advanceTimersByTimeAsync(1);
  channel.receive("over", { reason: "finished", message: "", winners: [] });
  await waits;
});
