//! Matchmaking's policy: who waits for which mode of which game, who plays whom, and how good they are.
//!
//! This room knows modes, tickets, ready checks and ratings. It refuses to know rooms, sockets and clocks: tickets, answers and
//! time in, news and matches out.

mod check;
mod matchmaker;
mod mode;
mod pack;
mod pool;
mod queue;
mod rating;
mod ticket;
mod written;

pub use check::{CheckId, UnreadyReason};
pub use matchmaker::{Matchmaker, News, QueueError};
pub use mode::{DEFAULT_MODE, Mode, ModeError};
pub use queue::{Match, Opening, Status, Terms};
pub use rating::{Glicko2, Placing, Rating, RatingKey, RatingStore, RatingSystem, RatingsInMemory, WengLin};
pub use ticket::{Entrant, Ticket, TicketId, Wish};
