//! Events that the lobby sends to its connections.

use std::sync::Arc;

use serde::Serialize;

use super::{Channel, ChatMessage, Code, ConnectionId, DisplayName, PartyId, PersonInfo, UserId, ids::as_text};

/// An event and the connections that receive it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The connections that receive the event.
    pub to: Vec<ConnectionId>,
    /// The event.
    pub event: SocialEvent,
}

/// An event of the lobby, as it is sent to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SocialEvent {
    /// A chat message was sent.
    Chat(ChatMessage),
    /// A message was sent by somebody whom the recipient blocks. Only its number is told, so that no message seems to be missing.
    ChatHidden {
        /// The channel of the message.
        channel: Channel,
        /// The id of its history.
        #[serde(serialize_with = "as_text")]
        id: Arc<str>,
        /// Its number in that history.
        seq: u64,
    },
    /// Somebody is typing.
    Typing {
        /// The channel in which they are typing.
        channel: Channel,
        /// The id of the person who is typing.
        user: UserId,
        /// The display name of that person.
        name: DisplayName,
    },
    /// The presence of a followed person has changed.
    Presence(PersonInfo),
    /// The party of the recipient has changed.
    Party(PartyInfo),
    /// The recipient is invited to a party.
    PartyInvite {
        /// The id of the party.
        party: PartyId,
        /// The code to join the party with.
        code: Code,
        /// The member who invites.
        from: PersonInfo,
    },
    /// The recipient is no longer in a party.
    PartyLeft {
        /// The id of the party.
        party: PartyId,
        /// The reason.
        reason: LeaveReason,
    },
}

impl SocialEvent {
    /// Returns the event's name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chat(_) => "chat",
            Self::ChatHidden { .. } => "chat_hidden",
            Self::Typing { .. } => "typing",
            Self::Presence(_) => "presence",
            Self::Party(_) => "party",
            Self::PartyInvite { .. } => "party_invite",
            Self::PartyLeft { .. } => "party_left",
        }
    }
}

/// The reason why somebody is no longer in a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LeaveReason {
    /// They left.
    Left,
    /// The leader removed them.
    Kicked,
}

/// A party as it is sent to its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartyInfo {
    /// The number of this event: one more than that of the event before.
    pub seq: u64,
    /// The id of the party.
    pub party: PartyId,
    /// The code to join the party with.
    pub code: Code,
    /// The id of the leader.
    pub leader: UserId,
    /// The members, in the order in which they joined.
    pub members: Vec<PartyMember>,
}

/// A member of a party, as sent to the party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartyMember {
    /// The id, name and presence of the member.
    #[serde(flatten)]
    pub person: PersonInfo,
    /// Whether the member is ready.
    pub ready: bool,
}
