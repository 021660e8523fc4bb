// A proxy that delays everything, in order, and changes nothing.

import { connect, createServer } from "node:net";

/** The time after which TCP sends a lost segment again, at least, in milliseconds. */
const RETRANSMISSION = 200;

/**
 * Starts a proxy in front of a server. Each way takes half of `roundTrip`, in milliseconds, which varies by up to `jitter`. A share
 * of what is passed on is lost, and sent again later; what comes behind it waits.
 */
export async function delayed(address, roundTrip, { jitter = 0, loss = 0 } = {}) {
  const { hostname, port } = new URL(address);
  const takes = () => {
    const again = Math.random() < loss ? RETRANSMISSION + roundTrip : 0;
    return (roundTrip + (2 * Math.random() - 1) * jitter) / 2 + again;
  };
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    pass(client, server, takes);
    pass(server, client, takes);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${proxy.address().port}/`;
}

function pass(from, to, takes) {
  let [due, last] = [0, Promise.resolve()];
  /** Nothing overtakes what was sent before it. */
  const later = (act) => {
    due = Math.max(due, performance.now() + takes());
    const passed = new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    last = Promise.all([last, passed]).then(act);
  };
  from.setNoDelay(true);
  from.on("data", (bytes) => later(() => to.write(bytes)));
  from.on("end", () => later(() => to.end()));
  from.on("error", () => later(() => to.destroy()));
}
