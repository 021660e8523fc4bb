//! The lobby's policy: which rooms there are, which one a player who only wants to play gets, and what a person may be called.
//!
//! This room knows listings, private codes and names: changes in, numbered news out. It refuses to know sockets, matches
//! and clocks; time and randomness are arguments.

mod code;
mod listing;
mod name;
mod user;

pub use code::Code;
pub use listing::{Changes, Entrance, FLUSH_INTERVAL, Listing, Lobby, RoomId, Totals};
pub use name::{DisplayName, MAX_NAME, NameError};
pub use user::{Identity, USER_ID_BYTES, UserId};
