// The official client with its MessagePack parser, over WebSocket alone.

import { client, visit } from "./flow.mjs";
import { main, packages } from "./support.mjs";

const parser = packages.sdk("socket.io-msgpack-parser");

main(() =>
  visit({ open: client({ path: "/socket.io-msgpack/", parser, transports: ["websocket"] }), transport: "websocket" }),
);
