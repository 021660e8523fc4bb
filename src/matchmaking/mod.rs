//! Matchmaking: the queues for each mode of a game, the rules that form matches, and the players' ratings.
//!
//! This module knows modes, entries, ready checks and ratings. It does not know rooms, sockets or clocks: entries, answers and
//! the time come in, and events and matches go out.

mod ids;
mod error;
mod mode;
mod mode_json;
mod entry;
mod pack;
mod pool;
mod queue;
mod check;
mod pause;
mod skill;
mod matchmaker;

pub use check::UnreadyReason;
pub use entry::{Entrant, QueueEntry, QueueRequest};
pub use error::QueueError;
pub use ids::{CheckId, EntryId};
pub use matchmaker::{Matchmaker, MatchmakerEvent};
pub use mode::{DEFAULT_MODE, Mode, ModeError};
pub use pause::PauseRule;
#[cfg(feature = "server")]
pub(crate) use pause::Pauses;
pub use queue::{Match, Opening, QueueStatus, Terms};
pub use skill::{Glicko2, Placing, Rating, RatingKey, RatingStore, RatingSystem, RatingsInMemory, WengLin};
