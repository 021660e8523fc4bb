// A seat on Colyseus, for `../feel/page.mjs`. The options are those of the page "Client Prediction" of its documentation.

import { Client, Predict } from "@colyseus/sdk";

import { WAYS, walk } from "../feel/walk.mjs";

const DIRECTIONS = Object.keys(WAYS);
const DELAY = 100;
const SMOOTH = 65;
/** Errors beyond this are respawns, in units. */
const SNAP = 3;
/** A correction of less than this is none, as on Tickcast. */
const STEP = 1 / 32;

export async function enter(address, { fight, code, predict: draws }) {
  const client = new Client(address);
  const room = await (code ? client.joinById(code) : client.create("feel", { fight }));
  const self = await own(room);
  const predict = Predict.get(room, { mode: "lerp", delay: DELAY });
  predict.attachAll("avatars", { mode: "lerp", fields: ["x", "y"], snap: SNAP });
  const input = room.input({ mode: "reliable" });
  const errors = [];
  const me = predict.reconciler(self, {
    input,
    step: ({ dt }, avatar, { dir }) => avatar.hp > 0 && walk(avatar, DIRECTIONS[dir], dt),
    smoothMs: SMOOTH,
    snap: SNAP,
    // Without a limit for warnings, it does not tell its corrections.
    warnOnDivergence: Number.MAX_VALUE,
    onReconcile: () => errors.push(me.lastCorrectionMag),
  });
  let wanted = 0;
  const step = () => {
    for (let due = predict.tick(performance.now()); due > 0; due--) {
      input.data.dir = wanted;
      input.send();
    }
  };
  // The reference is not drawn, and steps all the same.
  if (!draws)
    requestAnimationFrame(function frame() {
      step();
      if (room.connection.isOpen) requestAnimationFrame(frame);
    });
  const faults = [];
  room.onError((number, message) => faults.push(`error ${number}: ${message}`));
  return {
    code: room.roomId,
    key: room.sessionId,
    input: (dir) => {
      wanted = DIRECTIONS.indexOf(dir);
    },
    draw() {
      step();
      const at = (avatar) => ({ x: predict.value(avatar, "x"), y: predict.value(avatar, "y") });
      return new Map([...room.state.avatars].map(([id, avatar]) => [id, at(avatar)]));
    },
    onTold: (tell) =>
      room.onStateChange(({ avatars }) => tell(new Map([...avatars].map(([id, { x, y }]) => [id, { x, y }])))),
    prediction() {
      const sorted = errors.toSorted((a, b) => a - b);
      const share = (part) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
      const corrections = errors.filter((error) => error > STEP).length;
      return { error: { p50: share(0.5), p95: share(0.95) }, corrections, faults };
    },
    leave: () => room.leave(),
  };
}

/** The own avatar, once it is there. */
async function own(room) {
  for (;;) {
    const avatar = room.state?.avatars?.get(room.sessionId);
    if (avatar) return avatar;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
