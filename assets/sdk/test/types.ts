// A program as its author would write it. It never runs: `npm run check` and the test beside this file show that it
// compiles, and that its mistakes do not.

import type { GameTypes, Room, Vec2 } from "../src/index.js";
import { connect, TickcastError } from "../src/index.js";

type Dir8 = "None" | "N" | "NE" | "E" | "SE" | "S" | "SW" | "W" | "NW";

/** As a server serves it at `/schema/arena.d.ts`. */
export interface Arena {
  components: {
    Seat: number;
    Pos: { at: Vec2 };
    Hp: number;
    Burning: true;
  };
  events: {
    Hit: { at: Vec2; damage: number };
  };
  input: { dir: Dir8; aim: number; fire: boolean };
  config: { fragLimit: number; map: "yard" | "maze" };
}

declare function sprite(id: number, at: Vec2, hp: number): void;

export async function play(abort: AbortSignal): Promise<void> {
  const server = await connect("http://localhost:3000", { name: "Ada" });
  for (const game of await server.lobby.games()) game.name satisfies string;
  const stop = await server.lobby.rooms((rooms) => rooms.map((room) => room.players + room.bots), { game: "arena" });
  stop();

  const room = await server.lobby.quick<Arena>("arena");
  room.on("Hit", (hit, tick) => sprite(tick, hit.at, hit.damage));
  room.onSpawn((entity) => entity.Pos?.at.x);
  room.onChange("Hp", (entity, hp) => sprite(entity.id, entity.Pos?.at ?? { x: 0, y: 0 }, hp));
  room.onOver(({ reason, winners }) => reason === "finished" && winners.includes(room.seat));
  room.input({ dir: "NE", aim: 1, fire: true });
  room.input({ fire: true });
  for (const e of room.view("Pos", "Hp")) sprite(e.id, e.Pos.at, e.Hp);
  room.me("Pos")?.Pos.at.x satisfies number | undefined;
  room.get(1)?.Burning satisfies true | undefined;
  room.config.map satisfies "yard" | "maze";
  const step = room.predict(
    ["Pos"],
    (me, { dir }, { dt, config }) => {
      if (dir === "E" && config.map === "yard") me.Pos.at.x += dt;
    },
    { snap: 3 },
  );
  step();
  room.stats.prediction?.error.p95 satisfies number | undefined;
  await room.leave();

  const own: Room<Arena> = await server.lobby.create<Arena>("arena", { config: { fragLimit: 3 }, private: true });
  own.code satisfies string | undefined;
  await server.matchmaking.enqueue<Arena>("arena", { signal: abort, onStatus: ({ position }) => position });
  server.close();
}

export async function mistakes(room: Room<Arena>): Promise<void> {
  // @ts-expect-error there is no such event
  room.on("Miss", () => undefined);
  // @ts-expect-error there is no such component
  room.view("Posi");
  // @ts-expect-error only what was asked for is there
  room.view("Pos")[0]?.Hp;
  // @ts-expect-error an entity may lack the component
  room.get(1)?.Pos.at;
  // @ts-expect-error not a direction
  room.input({ dir: "up" });
  // @ts-expect-error the step names only the position
  room.predict(["Pos"], (me) => me.Hp);
  // @ts-expect-error not a field of the configuration
  room.config.frags;
}

export async function untyped(): Promise<void> {
  const server = await connect("http://localhost:3000");
  const room = await server.lobby.joinCode("ABCD");
  for (const e of room.view("Pos")) sprite(e.id, e.Pos.at, 0);
  room.input({ anything: 1 });
  room.on("Whatever", (value) => value.at);
}

/** The generated types, which do not include the configuration. */
export async function served(): Promise<void> {
  const server = await connect("http://localhost:3000");
  const room = await server.lobby.create<Omit<Arena, "config">>("arena", { config: { fragLimit: 3 } });
  room.config.fragLimit satisfies unknown;
}

/** Works with any game. */
export function count<G extends GameTypes>(room: Room<G>): number {
  return [...room.entities].length;
}

export function codeOf(error: unknown): string {
  return error instanceof TickcastError ? error.code : "?";
}
