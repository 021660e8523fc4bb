//! What no honest client does for long, counted for each Engine.IO session in all namespaces together: who does it without end is cut.

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

/// How many namespaces that do not exist a client may ask for. The page of another server may try a few.
const MOST_UNKNOWN: u32 = 8;

/// One session's. It is put into the extensions of the request that begins it.
pub(crate) struct Conduct {
    unknown_namespaces: AtomicU32,
    patience: Mutex<Patience>,
}

impl Conduct {
    pub(crate) fn new(limits: &NetLimits, now: Instant) -> Self {
        Self { unknown_namespaces: AtomicU32::new(0), patience: Mutex::new(Patience::new(limits.requests_per_second, now)) }
    }

    /// A client asked for a namespace that does not exist.
    pub(crate) fn note_unknown_namespace(socket: &SocketArc) {
        if let Some(conduct) = Self::of(socket)
            && conduct.unknown_namespaces.fetch_add(1, Ordering::Relaxed) == MOST_UNKNOWN
        {
            cut(socket, DropReason::Nowhere);
        }
    }

    /// A client made a request beyond its rate.
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

/// Ends the whole connection, with all its namespaces.
fn cut(socket: &SocketArc, why: DropReason) {
    observe::dropped(why);
    tracing::debug!(?why, "connection cut");
    if let Some(stream) = socket.req_parts().extensions.get::<StreamHandle>() {
        stream.cut(socket.id.as_str());
    }
}
