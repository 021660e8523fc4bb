// Over real sockets: the official Socket.IO server with the msgpack parser, playing a small part of Tickcast's. It shows
// that binaries, authentication, refusals and reconnection pass through Socket.IO as the SDK expects.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { decode } from "@msgpack/msgpack";
import { Server as IoServer, type Socket } from "socket.io";
import * as parser from "socket.io-msgpack-parser";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Server } from "../src/index.js";
import { connect, TickcastError } from "../src/index.js";
import type { AnyGame } from "../src/types.js";
import { frame, schema } from "./support.js";

type Ack = (answer: object) => void;

let io: IoServer;
let url: string;
let client: Server | undefined;
let passes: object[] = [];
let inputs: unknown[] = [];
let seats: Socket[] = [];

beforeEach(async () => {
  passes = [];
  inputs = [];
  seats = [];
  const http = createServer();
  io = new IoServer(http, { path: "/socket.io-msgpack/", parser, serveClient: false });
  io.of("/lobby").use((socket, next) => next(socket.handshake.auth["name"] === "" ? new Error("bad_name: it is empty") : undefined));
  io.of("/lobby").on("connection", (socket) => {
    socket.on("quick", (_: object, ack: Ack) => ack({ ok: true, ticket: `t${passes.length}`, url: "", room: "r" }));
    socket.on("games", (ack: Ack) => ack({ ok: true, games: [{ name: "yard" }] }));
    socket.on("join", (_: object, ack: Ack) => ack({ ok: true, ticket: "forged", url: "", room: "r" }));
  });
  io.of("/gameplay").use((socket, next) => {
    passes.push(socket.handshake.auth);
    next(socket.handshake.auth["ticket"] === "forged" ? new Error("bad_ticket: it is forged") : undefined);
  });
  io.of("/gameplay").on("connection", play);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  client?.close();
  client = undefined;
  await io.close();
});

function play(socket: Socket): void {
  seats.push(socket);
  const { resume } = socket.handshake.auth as { resume?: string };
  const common = { room: "r", game: "yard", protocol: 1, hz: 30, schema, grace: 20, config: {}, seats: [] };
  socket.emit("welcome", { ...common, seat: seats.length, tick: 10, resume: `back${passes.length}`, state: resume ? "diff" : "snapshot" });
  const bytes = resume ? frame(2, 20, 10, 0, 0, [2, 1, [0], [9]]) : frame(0, 10, 0, 0, 0, [-1, 0b101, [0], 1, 50]);
  socket.emit("s", Buffer.from(bytes));
  // A MessagePack binary is a Buffer here; anything else is some extension that only this parser reads.
  socket.on("i", (bytes: unknown) => inputs.push(Buffer.isBuffer(bytes) ? decode(bytes) : bytes));
  socket.on("t", (ack: Ack) => ack({ ok: true, tick: 12.5 }));
  socket.on("leave", (ack: Ack) => ack({ ok: true }));
}

for (const transports of [["websocket"], ["polling"]] as const) {
  test(`a seat over ${transports[0]}: state, inputs, drop, resume, leave`, async () => {
    client = await connect(url, { name: "Ada", transports: [...transports] });
    expect(await client.lobby.games()).toEqual([{ name: "yard" }]);
    const room = await client.lobby.quick<AnyGame>("yard");
    await vi.waitFor(() => expect(room.get(0)?.["Hp"]).toBe(50));
    room.input({ dir: "E", aim: 0, speed: 0, fire: true });
    await vi.waitFor(() => expect(inputs).toContainEqual([10, 1, expect.any(Number), 1, 0, 0, 1]));

    seats[0]?.conn.close();
    await vi.waitFor(() => expect(room.status).toBe("reconnecting"));
    await vi.waitFor(() => expect(room.get(0)?.["Hp"]).toBe(9), 5_000);
    expect(room.status).toBe("playing");
    expect(passes).toEqual([{ ticket: "t0" }, { resume: "back1", tick: 10 }]);

    await room.leave();
    expect(room.status).toBe("over");
    const again = await client.lobby.quick<AnyGame>("yard");
    expect(passes[2]).toEqual({ ticket: "t2" });
    expect(again.seat).toBe(3);
  });
}

test("two seats at a time", async () => {
  client = await connect(url);
  const rooms = [await client.lobby.quick("yard"), await client.lobby.quick("yard")];
  expect(rooms.map(({ seat }) => seat)).toEqual([1, 2]);
  expect(seats.map(({ connected }) => connected)).toEqual([true, true]);
  for (const room of rooms) await vi.waitFor(() => expect(room.tick).toBe(10));
});

test("a refused name, a refused ticket, no server", async () => {
  await expect(connect(url, { name: "" })).rejects.toMatchObject({ code: "bad_name", message: "it is empty" });
  client = await connect(url);
  await expect(client.lobby.join("r")).rejects.toBeInstanceOf(TickcastError);
  await expect(client.lobby.join("r")).rejects.toMatchObject({ code: "bad_ticket" });
  await expect(connect("http://127.0.0.1:1", { timeout: 300 })).rejects.toMatchObject({ code: "unreachable" });
});

test("a silent transport is cut and made anew", async () => {
  client = await connect(url, { transports: ["websocket"] });
  const room = await client.lobby.quick("yard");
  await vi.waitFor(() => expect(passes).toHaveLength(2), 8_000);
  await vi.waitFor(() => expect(room.status).toBe("playing"));
}, 10_000);
