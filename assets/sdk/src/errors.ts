/** An error code of the protocol, or one of the client's own: `timeout`, `unreachable`, `closed`, `unready`, `party_left`. */
export type ErrorCode =
  | "bad_request"
  | "too_large"
  | "rate_limited"
  | "unknown_event"
  | "unknown_game"
  | "unknown_room"
  | "unknown_code"
  | "bad_config"
  | "bad_name"
  | "auth_required"
  | "bad_token"
  | "token_expired"
  | "blocked"
  | "bad_text"
  | "unknown_channel"
  | "unknown_user"
  | "not_in_party"
  | "in_party"
  | "party_full"
  | "room_full"
  | "room_busy"
  | "server_full"
  | "quota_exceeded"
  | "already_queued"
  | "queue_paused"
  | "not_queued"
  | "unknown_mode"
  | "party_too_large"
  | "party_absent"
  | "not_leader"
  | "unknown_check"
  | "unknown_seat"
  | "vote_open"
  | "not_owner"
  | "banned"
  | "bad_ticket"
  | "ticket_used"
  | "ticket_expired"
  | "bad_resume"
  | "resume_expired"
  | "bad_input"
  | "bad_command"
  | "input_too_early"
  | "bad_ack"
  | "shutting_down"
  | "internal"
  | "timeout"
  | "unreachable"
  | "closed"
  | "unready"
  | "party_left"
  // A newer server may send other codes. This type accepts them, and editors still complete the ones above.
  | (string & {});

/**
 * A request or a connection that the server refused or did not answer.
 *
 * @example
 * ```ts
 * try {
 *   await server.lobby.join(id);
 * } catch (error) {
 *   if (error instanceof TickcastError && error.code === "room_full") offerAnotherRoom();
 *   else throw error;
 * }
 * ```
 */
export class TickcastError extends Error {
  override readonly name = "TickcastError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** The seconds after which the same request may succeed, if the server says so. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** Bytes that cannot be read as a frame, or as events, of the room's schema. They leave the mirror unchanged. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Codes after which the same request may succeed later. */
const TEMPORARY = new Set<string>(["rate_limited", "room_busy", "shutting_down", "internal", "timeout", "closed"]);

/** Whether it makes sense to try again later. */
export function isTemporary(error: unknown): boolean {
  return TEMPORARY.has(codeOf(error) ?? "");
}

/** The code of a refusal; `undefined` for any other error. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof TickcastError ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waits for a promise, but no longer than `ms`: then it throws what `late` makes. */
export async function withDeadline<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(late()), ms)));
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

const REFUSAL = /^([a-z][a-z_]*): (.*)$/s;

/**
 * Reads the server's refusal from a `connect_error`, whose message is `<code>: <text>`. Returns `undefined` for a fault
 * of the transport, after which Socket.IO retries by itself.
 */
export function refusal(error: Error): TickcastError | undefined {
  const found = REFUSAL.exec(error.message);
  return found ? new TickcastError(found[1] ?? "internal", found[2] ?? "") : undefined;
}

/**
 * The step that runs ahead of the server has failed, or the code of prediction could not be loaded, for the reason in `cause`. The
 * match goes on without prediction.
 */
export class PredictionError extends Error {
  override readonly name = "PredictionError";

  constructor(what: string, cause: unknown) {
    super(`${what}: ${messageOf(cause)}`, { cause });
  }
}
