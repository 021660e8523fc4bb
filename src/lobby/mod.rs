//! The lobby's policy: which rooms there are, which one a player who only wants to play gets; who is here, who talks to whom, who
//! wants to play together, and what a person may be called.
//!
//! This room knows listings, codes, people, chat and parties: changes in, numbered news out. It refuses to know sockets, matches
//! and clocks; time and randomness are arguments.

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
mod social;

pub use chat::{CHAT_BURST, CHAT_INTERVAL, Channel, ChatMessage, ChatText, HISTORY, MAX_TEXT, Replay, TextError};
pub use code::Code;
pub use ids::{PartyId, RoomId};
pub use listing::Listing;
pub use name::{DisplayName, MAX_NAME, NameError};
pub use notice::{LeaveReason, Notice, PartyInfo, PartyMember, SocialEvent};
pub use party::{MAX_PARTY, Party, PartyError};
pub use presence::{ConnectionId, MAX_FOLLOWED, MAX_REMEMBERED, PersonInfo, PresenceStatus, REMEMBERED_FOR, Sitting};
pub use room_list::{Changes, Entrance, FLUSH_INTERVAL, Missed, NEWS_KEPT, RoomList, Totals};
pub use search::{Search, Sort};
pub use social::{ChatTarget, Social, SocialError};
pub use user::{Identity, USER_ID_BYTES, UserId};
