//! The lobby's policy: which rooms there are, which one a player who only wants to play gets; who is here, who talks to whom, who
//! wants to play together, and what a person may be called.
//!
//! This room knows listings, codes, people, chat and parties: changes in, numbered news out. It refuses to know sockets, matches
//! and clocks; time and randomness are arguments.

mod chat;
mod code;
mod listing;
mod name;
mod notice;
mod party;
mod presence;
mod search;
mod social;
mod user;

pub use chat::{CHAT_BURST, CHAT_INTERVAL, Channel, ChatMessage, ChatText, HISTORY, MAX_TEXT, Replay, TextError};
pub use code::Code;
pub use listing::{Changes, Entrance, FLUSH_INTERVAL, Listing, Missed, NEWS_KEPT, RoomId, RoomList, Totals};
pub use name::{DisplayName, MAX_NAME, NameError};
pub use notice::{LeaveReason, Notice, PartyInfo, PartyMember, SocialEvent};
pub use party::{MAX_PARTY, Party, PartyError, PartyId};
pub use presence::{ConnectionId, MAX_FOLLOWED, MAX_REMEMBERED, PersonInfo, PresenceStatus, REMEMBERED_FOR, Sitting};
pub use search::{Search, Sort};
pub use social::{ChatTarget, Social, SocialError};
pub use user::{Identity, USER_ID_BYTES, UserId};
