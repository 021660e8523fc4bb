// Who the player is: a host's token, or a guest whose token is kept.

import type { Channel } from "./channel.js";
import { refusal } from "./errors.js";

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

  /** Who the player is, once a connection has been told. */
  get session(): Session {
    if (!this.#session) throw new Error("no session has been told yet");
    return this.#session;
  }

  /**
   * Lets a channel show who the player is, and hear who that is. The leading channel is the one by which a guest comes to be.
   * Resolves with the first session.
   */
  bind(channel: Channel, leads: boolean): Promise<void> {
    this.show(channel, leads);
    return new Promise((resolve) => {
      channel.on("session", (session: Session) => {
        this.#take(session);
        resolve();
      });
    });
  }

  /**
   * Lets a channel show who the player is, and come in as a new guest if the server does not know the old one any more. A
   * channel that does not lead waits until it is known who the guest is.
   */
  show(channel: Channel, leads: boolean): void {
    let shown: string | undefined;
    const show = (give: (auth: object) => void): void => {
      this.#credentials().then(
        (auth) => {
          shown = auth.token;
          give(auth);
        },
        // Not as a guest: without its token this player is nobody.
        () => give({ token: "" }),
      );
    };
    channel.auth = (give: (auth: object) => void): void => {
      if (leads || this.#source !== undefined || this.#guest !== undefined) show(give);
      else this.#waiting.push(() => show(give));
    };
    channel.on("connect_error", (error: Error) => {
      if (this.#isStale(refusal(error)?.code, shown)) {
        this.#forget(shown);
        channel.connect();
      }
    });
  }

  #take(session: Session): void {
    this.#session = session;
    if (!session.guest || session.token === null) return;
    const token = (this.#guest = session.token);
    attempt(() => this.#storage?.setItem(this.#key, token));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #isStale(code: string | undefined, shown: string | undefined): boolean {
    return this.#source === undefined && shown !== undefined && (code === "bad_token" || code === "token_expired");
  }

  #forget(shown: string | undefined): void {
    if (this.#guest !== shown) return;
    this.#guest = undefined;
    attempt(() => this.#storage?.removeItem(this.#key));
  }

  async #credentials(): Promise<{ token?: string; name?: string }> {
    const source = this.#source ?? this.#guest;
    const token = typeof source === "function" ? await source() : source;
    return { ...(token === undefined ? {} : { token }), ...(this.#name === undefined ? {} : { name: this.#name }) };
  }
}

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
