// `<script src="/socket.io/socket.io.js">` gives a page the global `io`.

import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";

import { answer, main, packages, say, url } from "./support.mjs";

main(async () => {
  const response = await fetch(`${url}/socket.io/socket.io.js`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /javascript/);
  // The globals that the client needs, and no others.
  const page = {
    setTimeout,
    clearTimeout,
    URL,
    WebSocket: packages.sdk("ws"),
    console,
    ArrayBuffer,
    Uint8Array,
    TextEncoder,
    TextDecoder,
  };
  createContext(page);
  page.self = page;
  runInContext(await response.text(), page);
  assert.equal(typeof page.io, "function");
  const { server } = await answer(page.io(url, { transports: ["websocket"] }), "info");
  assert.equal(server, "tickcast");
  say("the served client connects");
});
