// The connection to the server, and the name under which the player has it.

import { batch, signal } from "@preact/signals";
import { connect as open, type Server, type ServerStatus, TickcastError } from "@tickcast/client";

import { loadName, pane, saveName } from "../stored.ts";
import { sentence } from "../words.ts";

/** The connection; `undefined` before the first one. */
export const server = signal<Server | undefined>(undefined);
export const status = signal<ServerStatus>("connecting");
/** Why there is no connection, and none will come by itself; empty otherwise. */
export const failure = signal("");
/** Whether the device has no network at all. */
export const isOffline = signal(!navigator.onLine);
/** The name that the player has entered, or has again after the server has refused one. */
export const name = signal("");
/** Why the server has refused the last name; empty if it did not. */
export const refusal = signal("");

/** The name that the server has taken, and the one that the player has entered last. */
let taken = "";
let wanted = "";
/** Whether the server takes the last name; true when nothing is on its way. */
let ready: Promise<boolean> = Promise.resolve(true);

/** Connects under the stored name. */
export async function start(): Promise<void> {
  for (const change of ["online", "offline"]) {
    window.addEventListener(change, () => void (isOffline.value = !navigator.onLine));
  }
  name.value = loadName();
  await connect(name.value);
}

/** Asks the server for another name. */
export function rename(to: string): void {
  if (to === name.value) return;
  batch(() => {
    name.value = to;
    refusal.value = "";
  });
  void connect(to);
}

/** Resolves to whether the server has taken the name that the player has entered last. */
export function settled(): Promise<boolean> {
  return ready;
}

/**
 * Resolves to the connection for a request, once the server has answered the name that the player has entered last. The connection
 * before it is closed then, and a request on its way is lost with it.
 */
export async function connected(): Promise<Server | undefined> {
  await ready;
  return server.value;
}

/** Connects under a name. A connection has one name, so a new name needs a new connection, even before the last one is ready. */
function connect(as: string): Promise<boolean> {
  wanted = as;
  const change = ready.then(() => reconnect(as));
  ready = change;
  // A refusal holds back a click that came with the name, and none that comes later.
  return change.finally(() => {
    if (ready === change) ready = Promise.resolve(true);
  });
}

/** Replaces the connection by one under a name. If that fails, the old one stays. Returns whether the server has taken the name. */
async function reconnect(as: string): Promise<boolean> {
  // A newer name is about to replace this one.
  if (as !== wanted) return false;
  let fresh: Server;
  try {
    fresh = await open(new URL(".", location.href).href, {
      ...(as ? { name: as } : {}),
      ...(pane ? { storage: null } : {}),
    });
  } catch (error) {
    return refused(as, error);
  }
  saveName((taken = as));
  const old = server.value;
  batch(() => {
    server.value = fresh;
    status.value = fresh.status;
    failure.value = "";
  });
  fresh.onStatus((now, reason) => follow(fresh, now, reason));
  old?.close();
  return true;
}

/** There is no connection under this name. */
async function refused(as: string, error: unknown): Promise<boolean> {
  if (as !== wanted) return false;
  const badName = error instanceof TickcastError && error.code === "bad_name";
  if (!server.value) {
    if (!badName || !as) fail(error);
    // An earlier server may have taken the stored name.
    else if (await reconnect((wanted = "")))
      batch(() => {
        name.value = "";
        refusal.value = `You need another name. ${sentence(error)}`;
      });
    return false;
  }
  wanted = taken;
  batch(() => {
    name.value = taken;
    refusal.value = `${sentence(error)} ${taken ? `Your name is still ${taken}.` : "You have no name yet."}`;
  });
  return false;
}

function follow(from: Server, now: ServerStatus, reason?: TickcastError): void {
  if (from !== server.value) return;
  status.value = now;
  if (now === "closed") fail(reason ?? new Error("the server has closed the connection"));
}

/** Gives up: the page can only be loaded anew. */
export function fail(error: unknown): void {
  failure.value = sentence(error);
}
