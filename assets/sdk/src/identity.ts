// The player's identity: a token of the host's accounts, or a guest whose token is stored.

import type { Channel } from "./channel.js";
import { refusal, withDeadline } from "./errors.js";

/** The player as the server knows them. */
export interface Session {
  /** The player's id: the subject of the host's token, or an id that the server made for a guest. */
  user: string;
  /** The display name. */
  name: string;
  guest: boolean;
  /** The token with which a guest keeps their id; `null` for a player with a token of the host. */
  token: string | null;
}

/** Storage for a guest's token: the methods of `localStorage` that the SDK uses. */
export interface GuestStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * A token of the host's accounts, or a function that fetches a fresh one for each connection. If the function throws, or has
 * no token after 10 s, it is called again, with longer and longer pauses of up to 30 s.
 */
export type TokenSource = string | (() => string | Promise<string>);

/** Options that say who the player is. */
export interface IdentityOptions {
  /** The display name. Without it, the server chooses one for a guest. */
  name?: string;
  /** A token of the host's accounts. Without one, the player is a guest. A function is called for each connection. */
  token?: TokenSource;
  /** Where to store a guest's token. Default: `localStorage` in browsers, nowhere else. `null` stores it nowhere. */
  storage?: GuestStorage | null;
}

/** How long a function may take to fetch a token. */
const FETCH_MS = 10_000;
/** The pause after the first failed fetch. It doubles with each further one, up to `LONGEST_PAUSE_MS`. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** The data by which a connection identifies the player. */
interface Credentials {
  token?: string;
  name?: string;
}

/** The credentials that every connection sends, and the session that the server answered with. */
export class Identity {
  readonly #name: string | undefined;
  readonly #source: TokenSource | undefined;
  readonly #storage: GuestStorage | undefined;
  readonly #key: string;
  #guest: string | undefined;
  #session: Session | undefined;
  #failure: unknown;
  #waiting: (() => void)[] = [];

  constructor(url: string, { name, token, storage }: IdentityOptions) {
    this.#name = name;
    this.#source = token;
    this.#key = `tickcast:guest:${address(url)}`;
    this.#storage = storage === undefined ? browserStorage() : (storage ?? undefined);
    this.#guest = attempt(() => this.#storage?.getItem(this.#key)) ?? undefined;
  }

  /** The newest session. Throws before the first one. */
  get session(): Session {
    if (!this.#session) throw new Error("the server has not sent a session yet");
    return this.#session;
  }

  /** Why the newest token could not be fetched; `undefined` if it could. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Makes a channel send the player's credentials and receive their session. The server creates a guest on the leading
   * channel. Resolves on the first session.
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
   * Makes a channel send the player's credentials, and connect as a new guest if the server no longer knows the old one.
   * A channel that does not lead waits until the guest has a token.
   */
  show(channel: Channel, leads: boolean): void {
    let shown: string | undefined;
    let attempts = 0;
    channel.auth = (give: (auth: object) => void): void => {
      const attempt = ++attempts;
      // Credentials for an older attempt, or for a channel that was disconnected meanwhile, would enter the namespace twice.
      const isWanted = (): boolean => attempt === attempts && channel.active;
      const show = async (): Promise<void> => {
        const auth = await this.#credentials(isWanted);
        if (!auth || !isWanted()) return;
        shown = auth.token;
        give(auth);
      };
      if (leads || this.#source !== undefined || this.#guest !== undefined) void show();
      else this.#waiting.push(() => void show());
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

  /** The credentials. Fetches a token until that succeeds, or until it is not wanted any more. */
  async #credentials(isWanted: () => boolean): Promise<Credentials | undefined> {
    const name = this.#name === undefined ? {} : { name: this.#name };
    const source = this.#source ?? this.#guest;
    if (source === undefined) return name;
    if (typeof source === "string") return { token: source, ...name };
    for (let pause = FIRST_PAUSE_MS; isWanted(); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const token = await fetched(source);
        this.#failure = undefined;
        return { token, ...name };
      } catch (error) {
        this.#failure = error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return undefined;
  }
}

/** Fetches a token. Throws if that fails or takes too long. */
async function fetched(source: () => string | Promise<string>): Promise<string> {
  const fetching = (async () => source())();
  const token: unknown = await withDeadline(
    FETCH_MS,
    fetching,
    () => new Error(`there was no token within ${FETCH_MS} ms`),
  );
  if (typeof token !== "string") throw new TypeError(`the token is no string but of type ${typeof token}`);
  return token;
}

/** A server's address without a slash at its end. Several servers may share an origin, each below a path of its own. */
function address(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

/** `localStorage` in browsers only: elsewhere one program may play several guests, who must not share a token. */
function browserStorage(): GuestStorage | undefined {
  return attempt(() => (typeof document === "undefined" ? undefined : localStorage));
}

/** Runs `act`. A browser may forbid storage, or it may be full: the guest is then a new one on the next visit. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
