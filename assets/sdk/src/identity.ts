// Who the player is: a host's token, or a guest whose token is kept.

import type { TickcastError } from "./errors.js";
import type { Channel } from "./link.js";

/** Who the server says that the player is. */
export interface Session {
  /** The player's id: the subject of the host's token, or made up for a guest. */
  user: string;
  name: string;
  guest: boolean;
  /** A guest's token, which keeps the id over reloads; `null` for who came with a host's token. */
  token: string | null;
}

/** Where a guest's token is kept: what the SDK uses of `localStorage`. */
export interface GuestStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A host's token, or where to get a fresh one for each connection. */
export type TokenSource = string | (() => string | Promise<string>);

export interface IdentityOptions {
  /** The display name; the server makes one up for a guest. */
  name?: string;
  /** A token of the host's; without one the player is a guest. A function is asked at each connection. */
  token?: TokenSource;
  /** Where a guest's token is kept: `localStorage` in browsers unless told, `null` for nowhere. */
  storage?: GuestStorage | null;
}

/** What every connection shows, and what the server answered. */
export class Identity {
  readonly #name: string | undefined;
  readonly #source: TokenSource | undefined;
  readonly #storage: GuestStorage | undefined;
  readonly #key: string;
  #guest: string | undefined;
  #session: Session | undefined;
  #waiting: (() => void)[] = [];

  constructor(url: string, { name, token, storage }: IdentityOptions) {
    this.#name = name;
    this.#source = token;
    this.#key = `tickcast:guest:${new URL(url).origin}`;
    this.#storage = storage === undefined ? browserStorage() : (storage ?? undefined);
    this.#guest = attempt(() => this.#storage?.getItem(this.#key)) ?? undefined;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** What the first connection shows; it is the one by which the server makes a guest. */
  readonly lead = (give: (auth: object) => void): void => {
    this.#credentials().then(give, () => give({}));
  };

  /** What the others show: they wait until it is known who the player is, or there would be two guests. */
  readonly follow = (give: (auth: object) => void): void => {
    if (this.#source === undefined && this.#guest === undefined) this.#waiting.push(() => this.lead(give));
    else this.lead(give);
  };

  /** The server says who the player is. */
  readonly take = (session: Session): void => {
    this.#session = session;
    if (!session.guest || session.token === null) return;
    const token = (this.#guest = session.token);
    attempt(() => this.#storage?.setItem(this.#key, token));
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** Forgets a guest whom the server does not know any more; true if the player can come in as a new one. */
  forget(refused: TickcastError | undefined): boolean {
    const stale = refused?.code === "bad_token" || refused?.code === "token_expired";
    if (!stale || this.#source !== undefined || this.#guest === undefined) return false;
    this.#guest = undefined;
    attempt(() => this.#storage?.removeItem(this.#key));
    return true;
  }

  async #credentials(): Promise<object> {
    const source = this.#source ?? this.#guest;
    const token = typeof source === "function" ? await source() : source;
    return { ...(token === undefined ? {} : { token }), ...(this.#name === undefined ? {} : { name: this.#name }) };
  }
}

/** Resolves with the first `session` of a channel; call before it connects. */
export function firstSession(channel: Channel, identity: Identity): Promise<void> {
  return new Promise((resolve) => {
    channel.on("session", (session: Session) => {
      identity.take(session);
      resolve();
    });
  });
}

declare const document: unknown;
declare const localStorage: GuestStorage | undefined;

/** Programs outside of browsers may be several players, who must not share one token. */
function browserStorage(): GuestStorage | undefined {
  return attempt(() => (typeof document === "undefined" ? undefined : localStorage));
}

/** A browser may forbid storage, and it may be full: then the guest is a new one next time. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
