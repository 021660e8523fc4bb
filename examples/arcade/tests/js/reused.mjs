// 1,200 requests through a proxy that keeps its connections open, in bursts with pauses about as long as the server's limit for a
// header. A server that closed idle connections so soon would close some at the very moment at which the proxy uses them. The
// requests are of a method that a proxy does not repeat by itself; the server says that it takes no such request.

import assert from "node:assert/strict";

import { main, say, url } from "./support.mjs";

const BURSTS = 24;
const REQUESTS = 50;

main(async () => {
  const statuses = new Map();
  for (let burst = 0; burst < BURSTS; burst++) {
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, () => fetch(new URL("healthz", url), { method: "POST" })),
    );
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 990 + (burst % 12) * 2));
  }
  assert.deepEqual([...statuses], [[405, BURSTS * REQUESTS]]);
  say(`${BURSTS * REQUESTS} requests, all answered`);
});
