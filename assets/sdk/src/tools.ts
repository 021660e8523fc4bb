// Functions of the SDK for code that is loaded apart. They are given to it, because a file that both import would be a third to load.

import { keepConnected, listen, open, Retry, request } from "./channel.js";
import { codeOf, isTemporary, TickcastError } from "./errors.js";
import { Listeners } from "./listeners.js";
import { encode } from "./msgpack.js";
import { Codec } from "./schema.js";

export const TOOLS = {
  Codec,
  codeOf,
  encode,
  isTemporary,
  keepConnected,
  listen,
  Listeners,
  open,
  request,
  Retry,
  TickcastError,
};

export type Tools = typeof TOOLS;
