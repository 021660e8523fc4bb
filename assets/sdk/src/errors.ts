/** A code of the protocol, or one of the client's own: `timeout`, `unreachable`, `closed`, `unready`, `party_left`. */
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
  | "server_full"
  | "already_queued"
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
  | "input_too_early"
  | "bad_ack"
  | "shutting_down"
  | "internal"
  | "timeout"
  | "unreachable"
  | "closed"
  | "unready"
  | "party_left"
  // A newer server may know more codes; the odd type keeps completion for the ones above.
  | (string & {});

/** A request or a connection that the server refused, or that never got an answer. */
export class TickcastError extends Error {
  override readonly name = "TickcastError";

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Bytes that are not a frame (or not events) of this schema. The mirror is as it was before them. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Codes after which the same request may succeed later. */
const TEMPORARY = new Set<string>(["rate_limited", "shutting_down", "internal", "timeout", "closed"]);

/** Whether it makes sense to try again later. */
export function isTemporary(error: TickcastError): boolean {
  return TEMPORARY.has(error.code);
}

const REFUSAL = /^([a-z][a-z_]*): (.*)$/s;

/**
 * The server's refusal in a `connect_error`, whose message is `<code>: <text>`; `undefined` for a fault of the
 * transport, which Socket.IO tries again by itself.
 */
export function refusal(error: Error): TickcastError | undefined {
  const found = REFUSAL.exec(error.message);
  return found ? new TickcastError(found[1] ?? "internal", found[2] ?? "") : undefined;
}
