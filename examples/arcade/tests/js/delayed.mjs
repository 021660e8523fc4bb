// A proxy that delays everything, in order, and changes nothing.

import { connect, createServer } from "node:net";

/** Starts a proxy in front of a server. Each way takes half of `roundTrip`, in milliseconds. */
export async function delayed(address, roundTrip) {
  const { hostname, port } = new URL(address);
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    pass(client, server, roundTrip / 2);
    pass(server, client, roundTrip / 2);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${proxy.address().port}/`;
}

/** Timers of the same length fire in the order in which they were set. */
function pass(from, to, delay) {
  from.setNoDelay(true);
  from.on("data", (bytes) => setTimeout(() => to.write(bytes), delay));
  from.on("end", () => setTimeout(() => to.end(), delay));
  from.on("error", () => setTimeout(() => to.destroy(), delay));
}
