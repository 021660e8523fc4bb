//! What no honest client does for long, counted for each Engine.IO session in all namespaces together: who does it without end is cut.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::{namespace::SocketArc, stream::StreamHandle};
use crate::observe::{self, DropReason};

/// How many namespaces that do not exist a client may ask for. The page of another server may try a few.
const MOST_NOWHERE: u32 = 8;

/// One session's. It is put into the extensions of the request that begins it.
#[derive(Default)]
pub(super) struct Conduct {
    nowhere: AtomicU32,
}

impl Conduct {
    /// A client asked for a namespace that does not exist.
    pub(super) fn note_nowhere(socket: &SocketArc) {
        if let Some(conduct) = Self::of(socket)
            && conduct.nowhere.fetch_add(1, Ordering::Relaxed) == MOST_NOWHERE
        {
            cut(socket, DropReason::Nowhere);
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
