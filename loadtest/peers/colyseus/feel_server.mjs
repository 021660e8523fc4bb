// The game `feel` on Colyseus, by the rules of `loadtest/src/feel/game.rs`: avatars that walk, and in a fight go down and respawn. It
// is written as Colyseus documents prediction: one input a step, and the state is sent after each step.

import { Room, Server } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

import { SIZE, WAYS, walk } from "../feel/walk.mjs";

const HZ = 30;
const FULL_HP = 100;
const DAMAGE = 20;
const BETWEEN_HITS = 60;
const APART = 13;
const RESPAWN = 75;
const AWAY = 6;
const CORNERS = [
  [1, 1],
  [-1, -1],
  [1, -1],
  [-1, 1],
];
const DIRECTIONS = Object.keys(WAYS);

const Avatar = schema({ x: t.float32(), y: t.float32(), hp: t.uint8() }, "Avatar");
const State = schema({ avatars: t.map(Avatar) }, "State");
const Pad = schema({ dir: t.uint8() }, "Pad");

class Feel extends Room {
  state = new State();
  inputs = this.defineInput(Pad);
  seats = new Map();

  onCreate({ fight }) {
    let tick = 0;
    this.setFixedTimestep(({ dt }) => {
      tick += 1;
      for (const [id, avatar] of this.state.avatars) {
        for (const { dir } of this.inputs.get(id)) if (avatar.hp > 0) walk(avatar, DIRECTIONS[dir], dt);
        this.strike(avatar, this.seats.get(id), fight, tick);
      }
      this.broadcastPatch();
    }, HZ);
    // The step sends; as a class field this would starve it.
    this.patchRate = null;
  }

  strike(avatar, seat, fight, tick) {
    if (avatar.hp === 0) {
      if (tick >= seat.until) {
        place(avatar, Math.floor(tick / HZ));
        avatar.hp = FULL_HP;
      }
    } else if (fight && (tick + APART * seat.number) % BETWEEN_HITS === 0) {
      avatar.hp -= DAMAGE;
      seat.until = tick + RESPAWN;
    }
  }

  onJoin({ sessionId }) {
    const number = this.seats.size + 1;
    this.seats.set(sessionId, { number, until: 0 });
    const avatar = new Avatar();
    place(avatar, number);
    avatar.hp = FULL_HP;
    this.state.avatars.set(sessionId, avatar);
  }

  onLeave({ sessionId }) {
    this.state.avatars.delete(sessionId);
    this.seats.delete(sessionId);
  }
}

/** Puts an avatar at one of four places around the middle. */
function place(avatar, number) {
  const [x, y] = CORNERS[number % CORNERS.length];
  avatar.x = SIZE / 2 + x * AWAY;
  avatar.y = SIZE / 2 + y * AWAY;
}

const transport = new WebSocketTransport();
const server = new Server({ transport, greet: false });
server.define("feel", Feel);
await server.listen(0, process.argv[2] ?? "127.0.0.1");
console.log(`Listening on http://127.0.0.1:${transport.server.address().port}`);
