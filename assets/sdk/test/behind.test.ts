import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { loadPredict } from "../src/predict_later.js";
import type { Line } from "./walking.js";
import { HZ, Match, RIVAL, SPEED, step, WALK } from "./walking.js";

// The room predicts at once.
beforeAll(async () => void (await loadPredict()));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const REWIND = { ...WALK, schema: { ...WALK.schema, rewind: true } };
const LINES: Line[] = [{ rtt: 0 }, { rtt: 150, jitter: 15 }, { rtt: 300, jitter: 20 }];

/** A match against somebody who walks, after two seconds. */
async function match(line: Line, { predicts = false, rewind = true } = {}): Promise<Match> {
  const match = new Match(line, undefined, rewind ? REWIND : WALK);
  match.rival = true;
  await match.play(0.5);
  if (predicts) match.room.predict(["Pos", "Aim", "Hp"], step as never);
  match.room.input({ dir: "None" });
  await match.play(1.5, () => drawn(match));
  return match;
}

/** The tick at which the other avatar was where it is drawn. */
function drawn({ room, me }: Match): number {
  const rival = room.view("Pos").find(({ id }) => id !== me.id);
  return (rival?.Pos.at.x as number) / RIVAL;
}

describe("an input says how far behind the others were drawn", () => {
  test.each(LINES)("its tick, without prediction, at %j", async (line) => {
    const game = await match(line);
    for (let n = 1; n <= 20; n++) {
      const seen = drawn(game);
      game.room.input({ aim: n / 4 });
      await game.play(0.51);
      const sent = game.inputs.at(-1);
      expect(Math.abs((sent?.tick ?? 0) - (sent?.behind ?? 0) / 8 - seen), `input ${n}`).toBeLessThanOrEqual(
        1 / 16 + 1e-6,
      );
    }
  });

  test.each(LINES)("the own avatar, with prediction, at %j", async (line) => {
    const game = await match(line, { predicts: true });
    // Between two errors, what is drawn of the avatar tells of the time at which it is drawn.
    game.room.input({ dir: "E" });
    await game.play(1);
    for (let n = 1; n <= 20; n++) {
      await game.play(0.27);
      const begun = game.truth.get(game.tick)?.Pos.at.x ?? 0;
      const own = game.tick + ((game.room.me("Pos")?.Pos.at.x as number) - begun) / (SPEED / HZ);
      const ahead = own - drawn(game);
      game.room.input({ aim: n / 4 });
      await game.play(0.5);
      const behind = (game.inputs.at(-1)?.behind ?? 0) / 8;
      expect(Math.abs(behind - ahead), `input ${n}: ${behind} instead of ${ahead}`).toBeLessThan(0.25);
    }
  });

  test("only in games that ask for it, and not before the server's time is known", async () => {
    const other = await match({ rtt: 100 }, { rewind: false });
    other.room.input({ dir: "E" });
    await other.play(0.5);
    expect(other.inputs.map(({ behind }) => behind)).toEqual([undefined, undefined]);

    const early = new Match({ rtt: 100 }, undefined, REWIND);
    early.room.input({ dir: "E" });
    await early.play(0.5);
    expect(early.inputs[0]).toMatchObject({ tick: 0, behind: undefined });
  });
});
