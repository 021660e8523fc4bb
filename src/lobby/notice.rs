//! What the lobby's people hear, as it travels.

use serde::Serialize;

use super::{Channel, ChatMessage, Code, ConnectionId, DisplayName, PartyId, PersonInfo, UserId};

/// What some connections are to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which connections.
    pub to: Vec<ConnectionId>,
    /// What.
    pub event: SocialEvent,
}

/// An event of the lobby, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SocialEvent {
    /// Somebody has said something.
    Chat(ChatMessage),
    /// Somebody is about to say something.
    Typing {
        /// Where.
        channel: Channel,
        /// Who.
        user: UserId,
        /// What they are called.
        name: DisplayName,
    },
    /// Somebody does something else now.
    Presence(PersonInfo),
    /// A party has changed.
    Party(PartyInfo),
    /// Somebody wants this person in their party.
    PartyInvite {
        /// The party.
        party: PartyId,
        /// What leads into it.
        code: Code,
        /// Who invites.
        from: PersonInfo,
    },
    /// This person is no longer in a party.
    PartyLeft {
        /// The party.
        party: PartyId,
        /// Why.
        reason: LeaveReason,
    },
}

impl SocialEvent {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chat(_) => "chat",
            Self::Typing { .. } => "typing",
            Self::Presence(_) => "presence",
            Self::Party(_) => "party",
            Self::PartyInvite { .. } => "party_invite",
            Self::PartyLeft { .. } => "party_left",
        }
    }
}

/// Why somebody is no longer in a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaveReason {
    /// They wanted to.
    Left,
    /// The leader wanted them to.
    Kicked,
}

/// A party, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartyInfo {
    /// One more than in the event before.
    pub seq: u64,
    /// Its id.
    pub party: PartyId,
    /// What one types to join.
    pub code: Code,
    /// Who leads it.
    pub leader: UserId,
    /// Its members, in the order in which they came.
    pub members: Vec<PartyMember>,
}

/// A member of a party, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartyMember {
    /// Who, and what they do.
    #[serde(flatten)]
    pub person: PersonInfo,
    /// Whether they have said that they are ready.
    pub ready: bool,
}
