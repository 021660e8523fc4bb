// Shared by the scripts: packages, the server's address, waiting for conditions, and requests.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const assets = new URL("../../../../assets/", import.meta.url);
const from = (folder) => createRequire(new URL(`${folder}package.json`, assets));

/** Loads packages as the SDK, the web pages or the tests in `assets` would. */
export const packages = { sdk: from("sdk/"), web: from("web/"), tests: from("./") };
export const asset = (path) => fileURLToPath(new URL(path, assets));

export const url = process.argv[2];
if (!url) throw new Error("usage: node <script> <url of the server>");

/** Ends a script that hangs. No step takes this long, even on a slow and busy machine. */
const PATIENCE_MS = 60_000;

export function say(text) {
  console.log(text);
}

/** Waits until `condition` returns something other than `undefined` or `false`, and resolves to that. */
export async function until(what, condition, patience = PATIENCE_MS) {
  const deadline = performance.now() + patience;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`this did not happen within ${patience / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves to the first argument of the next event with this name. */
export function next(emitter, event, patience = PATIENCE_MS) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the event ${event} did not come within ${patience / 1000} s`)),
      patience,
    );
    emitter.once(event, (argument) => {
      clearTimeout(timer);
      resolve(argument);
    });
  });
}

/** Sends a request. Resolves to its acknowledgement. */
export function ask(socket, event, ...argument) {
  return socket.timeout(PATIENCE_MS).emitWithAck(event, ...argument);
}

/** Sends a request that must not be refused. Resolves to its answer. */
export async function answer(socket, event, ...argument) {
  const said = await ask(socket, event, ...argument);
  if (said?.ok !== true) throw new Error(`${event} was answered with ${JSON.stringify(said)}`);
  return said;
}

/** Waits until a connection is refused. Resolves to the code in its message, `<code>: <text>`. */
export async function refusedWith(socket) {
  const { message } = await next(socket, "connect_error");
  const [, code] = /^([a-z_]+): ./.exec(message) ?? [];
  if (!code) throw new Error(`no code in "${message}"`);
  socket.disconnect();
  return code;
}

/** Asks the test that started the server to stop it or to start it again. */
export async function server(command) {
  say(`> ${command}`);
  await next(input(), "line");
}

let lines;
function input() {
  return (lines ??= createInterface({ input: process.stdin }));
}

/** Runs a script, and exits with its result although connections may be open. */
export async function main(run) {
  try {
    await run();
    say("done");
    process.exit(0);
  } catch (error) {
    console.log(error);
    process.exit(1);
  }
}
