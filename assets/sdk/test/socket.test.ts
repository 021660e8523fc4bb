// Real sockets: the official Socket.IO server with the msgpack parser replaces Tickcast's. The tests show that binaries,
// authentication, refusals and reconnection pass through Socket.IO as the SDK expects.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { decode } from "@msgpack/msgpack";
import { Server as IoServer, type Socket } from "socket.io";
import * as parser from "socket.io-msgpack-parser";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { open } from "../src/channel.js";
import { Connections } from "../src/connections.js";
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
let shown: object[] = [];
/** The condition on which `/gameplay` takes a client in. */
let held: Promise<void> | undefined;
let left = 0;

beforeEach(async () => {
  passes = [];
  inputs = [];
  seats = [];
  shown = [];
  held = undefined;
  left = 0;
  const http = createServer();
  io = new IoServer(http, { path: "/socket.io-msgpack/", parser, serveClient: false });
  for (const namespace of ["/lobby", "/matchmaking"])
    io.of(namespace)
      .use(admit)
      .on("connection", (socket) => greet(socket));
  io.of("/lobby").on("connection", (socket) => {
    socket.on("quick", (_: object, ack: Ack) => ack({ ok: true, ticket: `t${passes.length}`, url: "", room: "r" }));
    socket.on("games", (ack: Ack) => ack({ ok: true, games: [{ name: "yard" }] }));
    socket.on("join", (_: object, ack: Ack) => ack({ ok: true, ticket: "forged", url: "", room: "r" }));
  });
  io.of("/gameplay").use((socket, next) => {
    passes.push(socket.handshake.auth);
    const answer = () =>
      next(socket.handshake.auth.ticket === "forged" ? new Error("bad_ticket: it is forged") : undefined);
    if (held) void held.then(answer);
    else answer();
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

function admit(socket: Socket, next: (error?: Error) => void): void {
  shown.push(socket.handshake.auth);
  const { name, token } = socket.handshake.auth as { name?: string; token?: string };
  if (name === "") next(new Error("bad_name: it is empty"));
  else if (token === "stale") next(new Error("bad_token: this is no token of this server's"));
  else next();
}

function greet(socket: Socket): void {
  const { name = "Guest", token } = socket.handshake.auth as { name?: string; token?: string };
  const host = token?.startsWith("jwt") ?? false;
  const user = token ?? `guest-${shown.length}`;
  socket.emit("session", { user, name, guest: !host, token: host ? null : user });
}

function play(socket: Socket): void {
  seats.push(socket);
  const { resume } = socket.handshake.auth as { resume?: string };
  const common = { room: "r", game: "yard", protocol: 1, hz: 30, schema, grace: 20, config: {}, seats: [] };
  socket.emit("welcome", {
    ...common,
    seat: seats.length,
    tick: 10,
    resume: `back${passes.length}`,
    state: resume ? "diff" : "snapshot",
  });
  const bytes = resume ? frame(2, 20, 10, 0, 0, [2, 1, [0], [9]]) : frame(0, 10, 0, 0, 0, [-1, 0b101, [0], 1, 50]);
  socket.emit("s", Buffer.from(bytes));
  // A MessagePack binary is a Buffer here. Anything else is an extension that only this parser can read.
  socket.on("i", (bytes: unknown) => inputs.push(Buffer.isBuffer(bytes) ? decode(bytes) : bytes));
  socket.on("t", (ack: Ack) => ack({ ok: true, tick: 12.5 }));
  socket.on("leave", (ack: Ack) => {
    left += 1;
    ack({ ok: true });
  });
}

for (const transports of [["websocket"], ["polling"]] as const) {
  test(`a seat works over ${transports[0]} and survives a lost connection`, async () => {
    client = await connect(url, { name: "Ada", transports: [...transports] });
    expect(await client.lobby.games()).toEqual([{ name: "yard" }]);
    const room = await client.lobby.quick<AnyGame>("yard");
    await vi.waitFor(() => expect(room.get(0)?.Hp).toBe(50));
    room.input({ dir: "E", aim: 0, speed: 0, fire: true });
    await vi.waitFor(() => expect(inputs).toContainEqual([10, 1, expect.any(Number), 1, 0, 0, 1]));

    seats[0]?.conn.close();
    await vi.waitFor(() => expect(room.status).toBe("reconnecting"));
    await vi.waitFor(() => expect(room.get(0)?.Hp).toBe(9), 5_000);
    expect(room.status).toBe("playing");
    expect(passes).toEqual([{ ticket: "t0" }, { resume: "back1", tick: 10 }]);

    await room.leave();
    expect(room.status).toBe("over");
    const again = await client.lobby.quick<AnyGame>("yard");
    expect(passes[2]).toEqual({ ticket: "t2" });
    expect(again.seat).toBe(3);
  });
}

test("a program can have two seats at the same time", async () => {
  client = await connect(url);
  const rooms = [await client.lobby.quick("yard"), await client.lobby.quick("yard")];
  expect(rooms.map(({ seat }) => seat)).toEqual([1, 2]);
  expect(seats.map(({ connected }) => connected)).toEqual([true, true]);
  for (const room of rooms) await vi.waitFor(() => expect(room.tick).toBe(10));
});

test("a refused name, a refused ticket and no server give an error", async () => {
  await expect(connect(url, { name: "" })).rejects.toMatchObject({ code: "bad_name", message: "it is empty" });
  client = await connect(url);
  await expect(client.lobby.join("r")).rejects.toBeInstanceOf(TickcastError);
  await expect(client.lobby.join("r")).rejects.toMatchObject({ code: "bad_ticket" });
  await expect(connect("http://127.0.0.1:1", { timeout: 300 })).rejects.toMatchObject({ code: "unreachable" });
});

test("an address without a scheme is a mistake that says what is right", async () => {
  for (const url of ["localhost:3000", "127.0.0.1:3000", "play.example.org", "play.example.org:80/game"]) {
    const wrong = connect(url);
    await expect(wrong).rejects.toBeInstanceOf(TypeError);
    await expect(wrong).rejects.toThrow(`such as http://${url}`);
  }
  for (const url of ["", "/game", "ftp://localhost", "::"]) await expect(connect(url)).rejects.toThrow(TypeError);
});

/** Storage in memory with the methods of `localStorage`. */
function memory(token?: string) {
  const kept = new Map(token === undefined ? [] : [[`tickcast:guest:${url}`, token]]);
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  return { kept, storage };
}

test("a guest keeps their id on the next visit and in the queue", async () => {
  const { kept, storage } = memory();
  client = await connect(url, { name: "Ada", storage });
  expect(client.session).toEqual({ user: "guest-1", name: "Ada", guest: true, token: "guest-1" });
  expect([...kept]).toEqual([[`tickcast:guest:${url}`, "guest-1"]]);
  client.matchmaking.enqueue("yard").catch(() => undefined);
  await vi.waitFor(() => expect(shown[1]).toEqual({ name: "Ada", token: "guest-1" }));
  client.close();
  client = await connect(url, { storage });
  expect(client.session.user).toBe("guest-1");
});

test("a namespace of the host shares the connection and the player", async () => {
  io.of("/shop")
    .use(admit)
    .on("connection", (socket) => {
      socket.emit("session", "none of the SDK's");
      socket.on("order", (count: number, ack: Ack) => ack({ price: 3 * count }));
    });
  client = await connect(url, { name: "Ada" });
  const shop = await client.namespace("/shop");
  expect(shown.at(-1)).toEqual({ name: "Ada", token: "guest-1" });
  expect(await shop.timeout(1_000).emitWithAck("order", 2)).toEqual({ price: 6 });
  expect(await client.namespace("/shop")).toBe(shop);
  expect(client.session.user).toBe("guest-1");
  expect(io.engine.clientsCount).toBe(1);
  await expect(client.namespace("/nowhere")).rejects.toMatchObject({
    code: "unreachable",
    message: "cannot connect: Invalid namespace",
  });
  client.close();
  await vi.waitFor(() => expect(io.of("/shop").sockets.size).toBe(0));
});

test("a guest unknown to the server becomes a new one", async () => {
  const { kept, storage } = memory("stale");
  client = await connect(url, { storage });
  expect(shown).toEqual([{ token: "stale" }, {}]);
  expect([client.session.user, ...kept.values()]).toEqual(["guest-2", "guest-2"]);
  expect(await client.lobby.games()).toEqual([{ name: "yard" }]);
});

test("a host's token is fetched for each connection and never stored", async () => {
  const { kept, storage } = memory("guest-7");
  let count = 0;
  client = await connect(url, { token: async () => `jwt${++count}`, storage });
  expect(client.session).toMatchObject({ user: "jwt1", guest: false, token: null });
  client.matchmaking.enqueue("yard").catch(() => undefined);
  await vi.waitFor(() => expect(shown[1]).toEqual({ token: "jwt2" }));
  expect([...kept.values()]).toEqual(["guest-7"]);
  await expect(connect(url, { token: "stale", storage })).rejects.toMatchObject({ code: "bad_token" });
  const failing = connect(url, { token: () => Promise.reject(new Error("no account")), storage, timeout: 300 });
  await expect(failing).rejects.toMatchObject({
    code: "unreachable",
    message: "the token could not be fetched: no account",
  });
});

test("storage that throws is ignored", async () => {
  const broken = (): never => {
    throw new Error("forbidden");
  };
  client = await connect(url, { storage: { getItem: broken, setItem: broken, removeItem: broken } });
  expect(client.session.guest).toBe(true);
});

test("a silent transport is closed and replaced", async () => {
  client = await connect(url, { transports: ["websocket"] });
  const room = await client.lobby.quick("yard");
  await vi.waitFor(() => expect(passes).toHaveLength(2), 8_000);
  await vi.waitFor(() => expect(room.status).toBe("playing"));
}, 10_000);

test("a player who is blocked sees the status closed, with the reason", async () => {
  client = await connect(url);
  const ended: (TickcastError | undefined)[] = [];
  client.onStatus((status, reason) => void (status === "closed" && ended.push(reason)));
  for (const [, socket] of io.of("/lobby").sockets) {
    socket.emit("ended", { code: "blocked", message: "you are blocked on this server" });
    socket.disconnect();
  }
  await vi.waitFor(() => expect(ended).toHaveLength(1));
  expect(ended[0]).toMatchObject({ code: "blocked", message: "you are blocked on this server" });
  expect(client.status).toBe("closed");
  client.close();
  expect(ended).toHaveLength(1);
});

/** A listener that notes every status, with the code of its reason. */
function recorder() {
  const seen: string[] = [];
  const onStatus = (status: string, reason?: TickcastError): void =>
    void seen.push(reason ? `${status} ${reason.code}` : status);
  return { seen, onStatus };
}

test("the status follows a connection from connecting to closed", async () => {
  const { seen, onStatus } = recorder();
  client = await connect(url, { onStatus });
  expect(client.status).toBe("connected");
  for (const [, socket] of io.of("/lobby").sockets) socket.conn.close();
  await vi.waitFor(() => expect(client?.status).toBe("reconnecting"));
  await vi.waitFor(() => expect(client?.status).toBe("connected"), 5_000);
  client.close();
  expect(seen).toEqual(["connecting", "connected", "reconnecting", "connected", "closed closed"]);
});

test("a namespace that the server has closed is connected again", async () => {
  client = await connect(url);
  const { seen, onStatus } = recorder();
  client.onStatus(onStatus);
  for (const [, socket] of io.of("/lobby").sockets) socket.disconnect();
  await vi.waitFor(() => expect(seen).toEqual(["reconnecting", "connected"]), 5_000);
  expect(await client.lobby.games()).toEqual([{ name: "yard" }]);
});

test("a token that is refused on reconnection closes the connection", async () => {
  const tokens = ["jwt1", "stale"];
  client = await connect(url, { token: () => tokens.shift() ?? "" });
  const { seen, onStatus } = recorder();
  client.onStatus(onStatus);
  for (const [, socket] of io.of("/lobby").sockets) socket.disconnect();
  await vi.waitFor(() => expect(seen).toEqual(["reconnecting", "closed bad_token"]), 5_000);
});

test("a token that cannot be fetched once after a lost connection is fetched again", async () => {
  let calls = 0;
  client = await connect(url, {
    token: () => {
      if (++calls === 2) throw new Error("offline");
      return `jwt${calls}`;
    },
  });
  const { seen, onStatus } = recorder();
  client.onStatus(onStatus);
  for (const [, socket] of io.of("/lobby").sockets) socket.conn.close();
  await vi.waitFor(() => expect(seen).toEqual(["reconnecting", "connected"]), 5_000);
  expect(shown).toEqual([{ token: "jwt1" }, { token: "jwt3" }]);
});

test("two requests at the same time enter a namespace once", async () => {
  client = await connect(url, { token: () => "jwt" });
  const shops = io.of("/shop");
  let entries = 0;
  shops.use((_, next) => {
    entries += 1;
    next();
  });
  await Promise.all([client.namespace("/shop"), client.namespace("/shop")]);
  expect([entries, shops.sockets.size]).toEqual([1, 1]);
});

test("a failed first connection has the status closed", async () => {
  const { seen, onStatus } = recorder();
  await expect(connect(url, { name: "", onStatus })).rejects.toMatchObject({ code: "bad_name" });
  expect(seen).toEqual(["connecting", "closed bad_name"]);
});

test("closing while a seat is being taken rejects, and leaves the seat", async () => {
  let go: () => void = () => undefined;
  held = new Promise((resolve) => (go = resolve));
  client = await connect(url);
  const joining = client.lobby.quick("yard");
  await vi.waitFor(() => expect(passes).toHaveLength(1));
  client.close();
  await expect(joining).rejects.toMatchObject({ code: "closed" });
  go();
  await vi.waitFor(() => expect(left).toBe(1));
  await vi.waitFor(() => expect(io.engine.clientsCount).toBe(0));
});

test("closing while a request is on its way rejects it", async () => {
  client = await connect(url);
  const joining = client.lobby.quick("yard");
  const queueing = client.matchmaking.enqueue("yard");
  client.close();
  await expect(queueing).rejects.toMatchObject({ code: "closed" });
  await expect(joining).rejects.toMatchObject({ code: "closed" });
  await expect(client.matchmaking.enqueue("yard")).rejects.toMatchObject({ code: "closed" });
  expect(passes).toEqual([]);
});

test("listeners that come with a namespace hear what is sent right behind the connection", async () => {
  io.of("/shop").on("connection", (socket) => socket.emit("sale", "hat"));
  client = await connect(url, { transports: ["polling"] });
  const sales: string[] = [];
  await client.namespace("/shop", { sale: (item: string) => sales.push(item) });
  await vi.waitFor(() => expect(sales).toEqual(["hat"]));
});

test("a server that refuses WebSockets is reached by polling", async () => {
  io.engine.opts.transports = ["polling"];
  client = await connect(url);
  expect(await client.lobby.games()).toEqual([{ name: "yard" }]);
  expect([...io.of("/lobby").sockets.values()].map(({ conn }) => conn.transport.name)).toEqual(["polling"]);
});

test("the files of a server are below its address", () => {
  for (const [server, expected] of [
    ["http://yard.test", "http://yard.test/rules/yard.wasm"],
    ["wss://yard.test/below/it/", "https://yard.test/below/it/rules/yard.wasm"],
  ] as const)
    expect(new Connections(server, {}).gameplay().address("rules/yard.wasm")).toBe(expected);
});

test("a connection says when it takes no more", async () => {
  const { channel, isSaturated, release } = new Connections(url, {}).gameplay();
  await open(channel, 1_000);
  expect(isSaturated()).toBe(false);
  // More than the buffers of the system take.
  channel.emit("chatter", "a".repeat(5_000_000));
  expect(isSaturated()).toBe(true);
  await vi.waitFor(() => expect(isSaturated()).toBe(false));
  release();
});

/** A seat on a connection of its own, and what its listeners heard. */
async function seated(options: ConstructorParameters<typeof Connections>[1] = {}) {
  const seat = new Connections(url, options).gameplay();
  const heard: string[] = [];
  for (const event of ["welcome", "disconnect"]) seat.channel.on(event, () => heard.push(event));
  seat.channel.auth = { ticket: "t" };
  await open(seat.channel, 1_000);
  await vi.waitFor(() => expect(heard).toEqual(["welcome"]));
  return { ...seat, heard };
}

test("a channel moves to a connection that was opened beside its own, and its listeners hear of no loss", async () => {
  const { channel, heard, release, tryAnother } = await seated();
  channel.auth = (give: (auth: object) => void) => give({ resume: "r" });
  const giveUp = tryAnother();
  await vi.waitFor(() => expect(heard).toEqual(["welcome", "welcome"]));
  giveUp();
  expect(passes).toEqual([{ ticket: "t" }, { resume: "r" }]);
  await vi.waitFor(() => expect(seats.map(({ connected }) => connected)).toEqual([false, true]));
  channel.emit("i", new Uint8Array([7]));
  await vi.waitFor(() => expect(inputs).toHaveLength(1));
  expect([channel.connected, heard.length]).toEqual([true, 2]);
  release();
  await vi.waitFor(() => expect(io.of("/gameplay").sockets.size).toBe(0));
});

test("an attempt that is given up leaves nothing behind", async () => {
  const { channel, heard, release, tryAnother } = await seated();
  for (let k = 0; k < 5; k++) tryAnother()();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([channel.connected, heard, seats.length]).toEqual([true, ["welcome"], 1]);
  await vi.waitFor(() => expect(io.engine.clientsCount).toBe(1));
  release();
});

test("no other connection is tried where WebSockets do not pass", async () => {
  const { heard, release, tryAnother } = await seated({ transports: ["polling"] });
  tryAnother();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([heard, seats.length]).toEqual([["welcome"], 1]);
  release();
});
