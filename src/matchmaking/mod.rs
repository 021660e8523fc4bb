//! Matchmaking's policy: who waits for which mode of which game, who plays whom, and how good they are.
//!
//! This room knows modes, entries, ready checks and ratings. It refuses to know rooms, sockets and clocks: entries, answers and
//! time in, news and matches out.

mod check;
mod entry;
mod matchmaker;
mod mode;
mod mode_json;
mod pack;
mod pool;
mod queue;
mod skill;

pub use check::{CheckId, UnreadyReason};
pub use entry::{Entrant, EntryId, QueueEntry, QueueRequest};
pub use matchmaker::{Matchmaker, MatchmakerEvent, QueueError};
pub use mode::{DEFAULT_MODE, Mode, ModeError};
pub use queue::{Match, Opening, QueueStatus, Terms};
pub use skill::{Glicko2, Placing, Rating, RatingKey, RatingStore, RatingSystem, RatingsInMemory, WengLin};
