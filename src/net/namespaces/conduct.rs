//! Counts what only a faulty or hostile client does often, in all namespaces of an Engine.IO session together. A client that goes on
//! is cut.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use tokio::time::Instant;

use crate::{
    net::{
        limits::{NetLimits, bucket::Patience},
        namespaces::socket::SocketArc,
        transport::stream::StreamHandle,
    },
    observe::{self, DropReason},
};

/// How many namespaces that do not exist a client may ask for. A page made for another server may try a few.
const MAX_UNKNOWN: u32 = 8;

/// The counts of one Engine.IO session. They are in the extensions of the request that began it.
pub(crate) struct Conduct {
    unknown_namespaces: AtomicU32,
    patience: Mutex<Patience>,
}

impl Conduct {
    pub(crate) fn new(limits: &NetLimits, now: Instant) -> Self {
        Self { unknown_namespaces: AtomicU32::new(0), patience: Mutex::new(Patience::new(limits.requests_per_second, now)) }
    }

    /// Counts a request for a namespace that does not exist.
    pub(crate) fn note_unknown_namespace(socket: &SocketArc) {
        if let Some(conduct) = Self::of(socket)
            && conduct.unknown_namespaces.fetch_add(1, Ordering::Relaxed) >= MAX_UNKNOWN
        {
            cut(socket, DropReason::Nowhere);
        }
    }

    /// Counts a request beyond the client's rate.
    pub(crate) fn note_rate_limited(socket: &SocketArc, now: Instant) {
        if let Some(conduct) = Self::of(socket)
            && conduct.patience.lock().unwrap_or_else(PoisonError::into_inner).ends(now)
        {
            cut(socket, DropReason::Flood);
        }
    }

    fn of(socket: &SocketArc) -> Option<&Arc<Self>> {
        socket.req_parts().extensions.get()
    }
}

/// Ends the whole connection with all its namespaces. Called again for everything that still comes, and counted once.
fn cut(socket: &SocketArc, why: DropReason) {
    let Some(stream) = socket.req_parts().extensions.get::<StreamHandle>() else { return };
    if stream.cut(socket.id.as_str()) {
        observe::dropped(why);
        tracing::debug!(?why, "connection cut");
    }
}
