import { expect, test } from "vitest";

import { Mirror } from "../src/mirror.js";
import { Sync } from "../src/sync.js";
import type { Desync } from "../src/types.js";
import { feed, frame, schema, schemas } from "./support.js";

/** Entities 0 and 1 with Seat, Pos and Hp. */
const STATE = [-1, 0b111, [-2], 1, 0, 0, 50, 2, 4, 4, 60];

test("a flipped bit is reported with its entity and corrected once", () => {
  const resyncs: object[] = [];
  const desyncs: Desync[] = [];
  let now = 10_000;
  const sync = new Sync(schemas, {
    now: () => now,
    resync: (request) => resyncs.push(request),
    desynced: (desync) => desyncs.push(desync),
    fault: (error) => expect.unreachable(error.message),
  });
  const server = feed(new Mirror(schemas));
  server.take(0, 10, 0, 0, 0, STATE);
  const checksum = (): unknown[] => [-4, 1, server.mirror.checksum(1), 2, server.mirror.checksum(2)];

  sync.begin("snapshot");
  sync.take(frame(0, 10, 0, 0, 0, STATE));
  now += 2_000;
  sync.take(frame(1, 11, 1, 0, 0, checksum()));
  expect(resyncs).toEqual([]);

  const row = sync.mirror.entities.get(1)?.rows[2] as number[];
  row[0] = (row[0] ?? 0) ^ 1;
  now += 2_000;
  sync.take(frame(1, 12, 1, 0, 0, checksum()));
  const expected = server.mirror.checksum(2);
  const got = sync.mirror.checksum(2);
  expect(got).not.toBe(expected);
  expect(resyncs).toEqual([{ component: 2, expected, got }]);

  sync.take(frame(1, 13, 1, 0, 0));
  expect(desyncs).toEqual([]);
  sync.take(frame(0, 14, 0, 0, 0, STATE));
  expect(desyncs).toEqual([{ tick: 12, component: schema.components[2], expected, got, entities: [1] }]);
  expect(sync.mirror.entities.get(1)?.rows[2]).toEqual([60]);

  now += 2_000;
  sync.take(frame(1, 15, 1, 0, 0, checksum()));
  expect([resyncs.length, desyncs.length]).toEqual([1, 1]);
});
