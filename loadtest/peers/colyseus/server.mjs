// The bench scenario on Colyseus: an avatar at x, y per client that moves by its input each tick; a room sees all of itself.
// Colyseus sends what changed in the schema, once a tick and room.

import { Room, Server } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const HZ = Number(process.argv[2]);
const LIMIT = 32767;

const Avatar = schema({ x: t.int16(), y: t.int16() }, "Avatar");
const State = schema({ avatars: t.map(Avatar) }, "State");

const bounded = (value) => Math.max(-LIMIT, Math.min(LIMIT, value));

class Arena extends Room {
  state = new State();
  intents = new Map();

  onCreate() {
    this.onMessage(0, (client, input) => this.intents.set(client.sessionId, input));
    this.setFixedTimestep(() => this.step(), HZ);
    // The step sends; as a class field this would starve it.
    this.patchRate = null;
  }

  step() {
    for (const [id, avatar] of this.state.avatars) {
      const [dx, dy] = this.intents.get(id);
      avatar.x = bounded(avatar.x + dx);
      avatar.y = bounded(avatar.y + dy);
    }
    this.broadcastPatch();
  }

  onJoin(client) {
    this.intents.set(client.sessionId, [0, 0]);
    const avatar = new Avatar();
    avatar.x = 0;
    avatar.y = 0;
    this.state.avatars.set(client.sessionId, avatar);
  }

  onLeave(client) {
    this.state.avatars.delete(client.sessionId);
    this.intents.delete(client.sessionId);
  }
}

const transport = new WebSocketTransport();
const server = new Server({ transport, greet: false });
server.define("arena", Arena).filterBy(["slot"]);
await server.listen(0, "127.0.0.1");
console.log(`Listening on http://127.0.0.1:${transport.server.address().port}`);
