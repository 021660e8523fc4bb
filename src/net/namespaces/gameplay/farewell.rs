//! Ends a client's connection to `/gameplay`.
//!
//! socketioxide closes the whole connection, and with it the client's other namespaces, when a packet arrives for a namespace that
//! the server has ended. Such a packet may be a request, or the client's own disconnect, that was on its way. So a client that was
//! told `over` may leave by itself, and the server ends the namespace only once the client is quiet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

use crate::net::{namespaces::socket::SocketArc, transport::stream::StreamHandle};

/// A client that has sent nothing for this long has no packets on their way.
const QUIET: Duration = Duration::from_secs(2);

/// A client that is never quiet is ended after this many times as long.
const MAX_WAITS: usize = 10;

/// Whether the client has sent an event since this was last asked.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<AtomicBool>);

impl Heard {
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Ends one client's namespace.
#[derive(Clone)]
pub(crate) struct Farewell {
    pub(crate) socket: SocketArc,
    pub(crate) stream: Option<StreamHandle>,
    pub(crate) heard: Heard,
}

impl Farewell {
    /// Ends the namespace once the client is quiet, unless the client has left by then.
    pub(crate) async fn when_quiet(self) {
        for _ in 0..MAX_WAITS {
            self.heard.take();
            sleep(QUIET).await;
            // The client has left, and its connection may carry its next match by now.
            if !self.socket.connected() {
                return;
            }
            if !self.heard.take() {
                break;
            }
        }
        // Ending the namespace sends a packet, which a full queue does not take.
        if self.socket.clone().disconnect().is_err() {
            self.cut();
        }
    }

    /// Ends the whole connection at once.
    pub(crate) fn cut(&self) {
        // The stream may have ended already, but the namespace must end too.
        let _ = self.socket.clone().disconnect();
        if let Some(stream) = &self.stream {
            stream.cut(self.socket.id.as_str());
        }
    }
}
