//! The codes by which clients are told what went wrong. One table, here and in `docs/PROTOCOL.md`.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a request, a connection or an input was refused. The text never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it travels.
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
    /// A display name that may not be shown.
    BadName = "bad_name",
    /// This server takes nobody without a token.
    AuthRequired = "auth_required",
    /// A token that is forged, malformed, of another issuer or not valid yet.
    BadToken = "bad_token",
    /// A token that was good once.
    TokenExpired = "token_expired",
    /// This person is on the block list.
    Blocked = "blocked",
    /// A chat message that is empty, too long or has characters that hide or reorder others.
    BadText = "bad_text",
    /// No such chat channel, or not one that this person is in.
    UnknownChannel = "unknown_channel",
    /// Nobody with that id is here.
    UnknownUser = "unknown_user",
    /// The person who asks is in no party.
    NotInParty = "not_in_party",
    /// The person is in a party already.
    InParty = "in_party",
    /// Only the leader of a party may do that.
    NotLeader = "not_leader",
    /// The party has as many members as it may.
    PartyFull = "party_full",
    /// Every seat is taken.
    RoomFull = "room_full",
    /// The server runs as many rooms as it may.
    ServerFull = "server_full",
    /// This connection waits in a queue already.
    AlreadyQueued = "already_queued",
    /// This connection waits in no queue.
    NotQueued = "not_queued",
    /// The seat is not another player's.
    UnknownSeat = "unknown_seat",
    /// A vote about somebody else is open.
    VoteOpen = "vote_open",
    /// Somebody else opened the room.
    NotOwner = "not_owner",
    /// This user was removed from that match.
    Banned = "banned",
    /// This game has no such mode.
    UnknownMode = "unknown_mode",
    /// A party that no team of the mode has room for.
    PartyTooLarge = "party_too_large",
    /// A member of the party is not connected to the matchmaker.
    PartyAbsent = "party_absent",
    /// No ready check with that number that asks this user, or it is over.
    UnknownCheck = "unknown_check",
    /// A ticket that is forged, or another server's.
    BadTicket = "bad_ticket",
    /// A ticket that has taken its seat already.
    TicketUsed = "ticket_used",
    /// A ticket that is too old, or whose room has ended.
    TicketExpired = "ticket_expired",
    /// A resume token that is not the newest of any seat.
    BadResume = "bad_resume",
    /// The seat's grace time is over, or its room has ended.
    ResumeExpired = "resume_expired",
    /// An input that is not what the schema describes.
    BadInput = "bad_input",
    /// An input for a tick more than a second ahead.
    InputTooEarly = "input_too_early",
    /// An acknowledged tick that was never sent.
    BadAck = "bad_ack",
    /// The server is stopping.
    ShuttingDown = "shutting_down",
    /// A fault of the server's.
    Internal = "internal",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
