//! Matchmaking's policy: who waits for which mode of which game, who plays whom, and how good they are.
//!
//! This room knows modes, entries, ready checks and ratings. It refuses to know rooms, sockets and clocks: entries, answers and
//! time in, news and matches out.

mod ids;
mod error;
mod mode;
mod mode_json;
mod entry;
mod pack;
mod pool;
mod queue;
mod check;
mod skill;
mod matchmaker;

pub use check::UnreadyReason;
pub use entry::{Entrant, QueueEntry, QueueRequest};
pub use error::QueueError;
pub use ids::{CheckId, EntryId};
pub use matchmaker::{Matchmaker, MatchmakerEvent};
pub use mode::{DEFAULT_MODE, Mode, ModeError};
pub use queue::{Match, Opening, QueueStatus, Terms};
pub use skill::{Glicko2, Placing, Rating, RatingKey, RatingStore, RatingSystem, RatingsInMemory, WengLin};
