//! The server of a soak, and the clients that come to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::player::Origin;
use crate::connection::Target;
use crate::server::Server;
use crate::tally::Tally;

/// The context of all stages.
#[derive(Clone)]
pub(crate) struct Soak {
    pub(crate) server: Arc<Server>,
    pub(crate) target: Target,
    /// The visits and their faults.
    pub(crate) tally: Arc<Tally>,
    pub(crate) seed: u64,
    /// The number of the next client.
    pub(crate) next: Arc<AtomicU64>,
}

impl Soak {
    /// Returns the origin of one more client.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new(&self.target, &self.tally, self.next.fetch_add(1, Ordering::Relaxed), self.seed)
    }
}
