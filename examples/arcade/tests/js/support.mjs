// What the scripts have in common: the packages, the server's address, conditions to wait for, and requests.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const assets = new URL("../../../../assets/", import.meta.url);
const from = (folder) => createRequire(new URL(`${folder}package.json`, assets));

/** A package, from where `assets` installs it for the one that depends on it. */
export const packages = { sdk: from("sdk/"), web: from("web/"), tests: from("./") };
export const asset = (path) => fileURLToPath(new URL(path, assets));

export const url = process.argv[2];
if (!url) throw new Error("usage: node <script> <url of the server>");

/** Nothing takes so long, not even on a slow and busy machine. */
const PATIENCE_MS = 60_000;

export function say(text) {
  console.log(text);
}

/** Resolves to what `condition` returns, once that is neither `undefined` nor `false`. */
export async function until(what, condition, patience = PATIENCE_MS) {
  const deadline = performance.now() + patience;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${patience / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The next event of a name, with its first argument. */
export function next(emitter, event, patience = PATIENCE_MS) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`waited ${patience / 1000} s in vain for the event ${event}`)),
      patience,
    );
    emitter.once(event, (argument) => {
      clearTimeout(timer);
      resolve(argument);
    });
  });
}

/** The acknowledgement of a request. */
export function ask(socket, event, ...argument) {
  return socket.timeout(PATIENCE_MS).emitWithAck(event, ...argument);
}

/** The answer of a request that must not be refused. */
export async function answer(socket, event, ...argument) {
  const said = await ask(socket, event, ...argument);
  if (said?.ok !== true) throw new Error(`${event} was answered with ${JSON.stringify(said)}`);
  return said;
}

/** The code of a refused connection: its message is `<code>: <text>`. */
export async function refusedWith(socket) {
  const { message } = await next(socket, "connect_error");
  const [, code] = /^([a-z_]+): ./.exec(message) ?? [];
  if (!code) throw new Error(`no code in "${message}"`);
  socket.disconnect();
  return code;
}

/** Has the server stopped or started by whoever started it. */
export async function server(command) {
  say(`> ${command}`);
  await next(input(), "line");
}

let lines;
function input() {
  return (lines ??= createInterface({ input: process.stdin }));
}

/** Runs a script to its end, whatever connections are still open then. */
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
