//! The error codes that clients get. The same table is in `docs/PROTOCOL.md`.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The reason why a request, a connection or an input was refused. A code's text never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the code's text on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The arguments are not what the request takes.
    BadRequest = "bad_request",
    /// The arguments are longer than allowed.
    TooLarge = "too_large",
    /// Too many requests from this connection.
    RateLimited = "rate_limited",
    /// No such request in this namespace.
    UnknownEvent = "unknown_event",
    /// This server does not host that game.
    UnknownGame = "unknown_game",
    /// No room with that id, or it has ended.
    UnknownRoom = "unknown_room",
    /// No private room, or no party, with that code.
    UnknownCode = "unknown_code",
    /// The game refuses this configuration.
    BadConfig = "bad_config",
    /// The display name is not allowed.
    BadName = "bad_name",
    /// This server takes no guests: a token is needed.
    AuthRequired = "auth_required",
    /// The token is forged, malformed, from another issuer or not valid yet.
    BadToken = "bad_token",
    /// The token was valid once.
    TokenExpired = "token_expired",
    /// This person is on the block list.
    Blocked = "blocked",
    /// The chat message is empty, too long, or has control or bidirectional characters.
    BadText = "bad_text",
    /// There is no such chat channel, or this person is not in it.
    UnknownChannel = "unknown_channel",
    /// Nobody with that id is here.
    UnknownUser = "unknown_user",
    /// This person is in no party.
    NotInParty = "not_in_party",
    /// This person is already in a party.
    InParty = "in_party",
    /// Only the leader of a party may do that.
    NotLeader = "not_leader",
    /// The party has as many members as it may.
    PartyFull = "party_full",
    /// Every seat is taken.
    RoomFull = "room_full",
    /// A step of the room takes too long.
    RoomBusy = "room_busy",
    /// The server runs as many rooms as it may.
    ServerFull = "server_full",
    /// This person, or the guests of their address, hold as much as they may.
    QuotaExceeded = "quota_exceeded",
    /// This user, or a member of their party, is already in a queue.
    AlreadyQueued = "already_queued",
    /// This user is in no queue.
    NotQueued = "not_queued",
    /// The seat is not another player's.
    UnknownSeat = "unknown_seat",
    /// A vote about somebody else is open.
    VoteOpen = "vote_open",
    /// Somebody else opened the room.
    NotOwner = "not_owner",
    /// This user was removed from that match.
    Banned = "banned",
    /// This user, or a member of their party, broke ready checks and must wait.
    QueuePaused = "queue_paused",
    /// This game has no such mode.
    UnknownMode = "unknown_mode",
    /// No team of the mode has room for the party.
    PartyTooLarge = "party_too_large",
    /// A member of the party is not connected to the matchmaker.
    PartyAbsent = "party_absent",
    /// No ready check with that number asks this user, or it is over.
    UnknownCheck = "unknown_check",
    /// The ticket is forged, or from another server.
    BadTicket = "bad_ticket",
    /// The ticket has already taken its seat.
    TicketUsed = "ticket_used",
    /// The ticket is too old, or its room has ended.
    TicketExpired = "ticket_expired",
    /// The resume token is not from this server, or not the newest of its seat.
    BadResume = "bad_resume",
    /// The seat's grace time is over, or its room has ended.
    ResumeExpired = "resume_expired",
    /// The input is not what the schema describes.
    BadInput = "bad_input",
    /// The command is not what the schema describes.
    BadCommand = "bad_command",
    /// The input is for a tick more than one second ahead.
    InputTooEarly = "input_too_early",
    /// The acknowledged tick was never sent, or is older than one before.
    BadAck = "bad_ack",
    /// The server is stopping.
    ShuttingDown = "shutting_down",
    /// A fault of the server.
    Internal = "internal",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
