// Binary data in both directions: as attachments over both transports, and inside MessagePack.

import assert from "node:assert/strict";

import { writeInput } from "./decoder.mjs";
import { client } from "./flow.mjs";
import { Seat } from "./seat.mjs";
import { answer, ask, main, packages, say, until } from "./support.mjs";

const CLIENTS = {
  "default parser, long-polling": { transports: ["polling"] },
  "default parser, WebSocket": { transports: ["websocket"] },
  "MessagePack, WebSocket": {
    path: "/socket.io-msgpack/",
    parser: packages.sdk("socket.io-msgpack-parser"),
    transports: ["websocket"],
  },
};

main(async () => {
  for (const [name, options] of Object.entries(CLIENTS)) {
    const open = client({ ...options, forceNew: true });
    const lobby = open("/lobby");
    const { ticket } = await answer(lobby, "quick", { game: "arena" });
    const seat = new Seat(open("/gameplay", { ticket }));
    const kinds = new Set();
    seat.socket.on("s", (binary) => kinds.add(binary.constructor.name));
    await seat.seated();
    await until("frames arrive", () => seat.frames.length > 5);
    assert.equal(kinds.size, 1);
    assert.ok(["Buffer", "Uint8Array", "ArrayBuffer"].includes([...kinds][0]), `a frame is a ${[...kinds][0]}`);

    // A number that the seat does not reach by itself.
    const input = writeInput(seat.welcome.schema, { ack: seat.mirror.tick, seq: 1000, dir: "E" });
    assert.ok(Buffer.isBuffer(input) || input instanceof Uint8Array);
    assert.equal((await ask(seat.socket, "i", input)).ok, true);
    await until("the input is taken", () => seat.frame.ack === 1000);
    const refused = await ask(seat.socket, "i", "text");
    assert.equal(refused.ok, false, "text is not binary");
    await answer(seat.socket, "leave");
    for (const socket of [seat.socket, lobby]) socket.disconnect();
    say(`${name}: ${[...kinds][0]} down, bytes up`);
  }
});
