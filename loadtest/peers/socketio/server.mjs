// The bench scenario on Socket.IO: an avatar at x, y per client that moves by its input each tick; a room sees all of itself.
// A state message is one binary: for each avatar its id, x and y as 16-bit integers, encoded once a room and tick.

import { createServer } from "node:http";
import { Server } from "socket.io";
import parser from "socket.io-msgpack-parser";

const PERIOD_MS = 1000 / Number(process.argv[2]);
const LIMIT = 32767;

const http = createServer();
const io = new Server(http, {
  parser,
  transports: ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});

/** Slot -> the avatars in it, by id. */
const rooms = new Map();
let nextId = 0;

io.on("connection", (socket) => {
  const { slot } = socket.handshake.auth;
  const avatar = { id: nextId++ & 0xffff, x: 0, y: 0, dx: 0, dy: 0 };
  if (!rooms.has(slot)) rooms.set(slot, new Set());
  const room = rooms.get(slot);
  room.add(avatar);
  socket.join(slot);
  socket.on("i", ([dx, dy]) => {
    avatar.dx = dx;
    avatar.dy = dy;
  });
  socket.on("disconnect", () => {
    room.delete(avatar);
    if (room.size === 0) rooms.delete(slot);
  });
});

const bounded = (value) => Math.max(-LIMIT, Math.min(LIMIT, value));

function step(slot, room) {
  const state = Buffer.allocUnsafe(room.size * 6);
  let at = 0;
  for (const avatar of room) {
    avatar.x = bounded(avatar.x + avatar.dx);
    avatar.y = bounded(avatar.y + avatar.dy);
    state.writeUInt16LE(avatar.id, at);
    state.writeInt16LE(avatar.x, at + 2);
    state.writeInt16LE(avatar.y, at + 4);
    at += 6;
  }
  io.to(slot).emit("s", state);
}

// A timer that makes up for its own lateness, up to five ticks of it; setInterval would drift.
let next = performance.now();
function tick() {
  for (const [slot, room] of rooms) step(slot, room);
  next = Math.max(next + PERIOD_MS, performance.now() - 5 * PERIOD_MS);
  setTimeout(tick, Math.max(0, next - performance.now()));
}
tick();

http.listen(0, "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${http.address().port}`));
