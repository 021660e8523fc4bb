// A seat on Tickcast, for `page.mjs`.

import { connect } from "@tickcast/client";

import { walk } from "./walk.mjs";

/** Errors of prediction beyond this are respawns, in units. */
const SNAP = 3;

export async function enter(address, { name, fight, code, predict }) {
  const server = await connect(address, { name, storage: null });
  const room = code
    ? await server.lobby.joinCode(code)
    : await server.lobby.create("feel", { config: { fight }, private: true });
  const faults = [];
  room.onFault((fault) => faults.push(String(fault)));
  room.onDesync((desync) => faults.push(`desync at ${desync.tick}`));
  if (predict)
    room.predict(["Pos", "Hp"], (me, { dir }, { dt }) => me.Hp > 0 && walk(me.Pos.at, dir, dt), { snap: SNAP });
  const seats = (entities) => new Map(entities.map(({ Seat, Pos }) => [Seat, Pos.at]));
  return {
    code: room.code,
    key: room.seat,
    input: (dir) => room.input({ dir }),
    draw: () => seats(room.view("Seat", "Pos")),
    onTold: (tell) => room.onFrame(() => tell(seats([...room.entities].filter(({ Pos }) => Pos)))),
    prediction() {
      const { prediction, delay, lead, rtt, resyncs } = room.stats;
      const { error, corrections } = prediction ?? {};
      return { error, corrections, delay, lead, rtt, faults: [...faults, ...(resyncs ? [`${resyncs} resyncs`] : [])] };
    },
    async leave() {
      await room.leave();
      server.close();
    },
  };
}
