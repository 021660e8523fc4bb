//! The lobby's policy: the room list and quick play, presence, chat, parties, and the rules for display names.
//!
//! This module takes changes and returns numbered news and notices. It knows no sockets, matches or clocks: time and randomness
//! are arguments.

mod legible;
mod name;
mod user;
mod code;
mod ids;
mod listing;
mod search;
mod room_list;
mod chat;
mod presence;
mod party;
mod notice;
mod social_limits;
mod social;

pub use chat::{CHAT_BURST, CHAT_INTERVAL, Channel, ChatMessage, ChatText, HISTORY, MAX_TEXT, Replay, TextError};
pub use code::Code;
pub use ids::{PartyId, RoomId};
pub use listing::Listing;
pub use name::{DisplayName, MAX_NAME, NameError};
pub use notice::{LeaveReason, Notice, PartyInfo, PartyMember, SocialEvent};
pub use party::{MAX_PARTY, Party, PartyError};
pub use presence::{ConnectionId, MAX_FOLLOWED, MAX_REMEMBERED, PersonInfo, PresenceStatus, REMEMBERED_FOR, Sitting};
pub use room_list::{Changes, ClosedRoom, Entrance, FLUSH_INTERVAL, Missed, NEWS_KEPT, RoomList, Totals};
pub use search::{Search, Sort};
pub use social::{ChatTarget, Social};
pub use social_limits::{SocialError, SocialLimits};
pub use user::{Identity, MAX_USER_ID_BYTES, UserId};
