//! Matchmaking's policy: who waits for which game, and when enough wait.
//!
//! This room knows queues of members, whoever they are. It refuses to know rooms, sockets and clocks: members and time in,
//! matches out.

mod queue;

pub use queue::{Match, Member, QueueError, Queues, Status};
