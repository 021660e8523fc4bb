//! How far a client of the scenario is.

use tokio::time::Instant;

use super::messages::Grant;
use super::seat::Seat;

/// Where a client is on its way.
pub(super) enum Stage {
    /// In the lobby or the queue.
    Waiting,
    /// With a ticket to a seat that it has not yet had a `welcome` for, since this moment.
    Granted(Grant, Instant),
    Seated(Box<Seat>),
}

/// The requests that a client has made on its present connection.
#[derive(Default)]
pub(super) struct Here {
    pub(super) matchmaking: bool,
    /// The number of the request `enqueue` that has no answer yet.
    pub(super) enqueue: Option<(u64, Instant)>,
    pub(super) accept: Option<(u64, Instant)>,
    pub(super) leave: Option<(u64, Instant)>,
    /// When to queue again.
    pub(super) queue_at: Option<Instant>,
    /// When to enter `/gameplay` again.
    pub(super) enter_at: Option<Instant>,
    /// The ticket, or the resume token, with which `/gameplay` was entered.
    pub(super) shown: Option<String>,
    /// Whether `welcome` has come.
    pub(super) is_in: bool,
    pub(super) has_left: bool,
}
