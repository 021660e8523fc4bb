//! The end of a client's time on `/gameplay`.
//!
//! socketioxide closes the whole connection, and with it the client's other namespaces, when a packet comes for a namespace that was
//! ended: a request or the client's own goodbye that crossed the server's. So the client has been told `over`, may leave by itself,
//! and the server ends the namespace only once nothing comes any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;

use crate::net::{namespaces::socket::SocketArc, transport::stream::StreamHandle};

/// Who has sent nothing for so long has nothing on its way, either.
const QUIET: Duration = Duration::from_secs(2);

/// Who is never quiet is ended after so many times as long.
const MOST_WAITS: usize = 10;

/// Whether a client has sent something lately that reached the library.
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
    /// Ends it once the client is quiet, unless it has left by then.
    pub(crate) async fn when_quiet(self) {
        for _ in 0..MOST_WAITS {
            self.heard.take();
            sleep(QUIET).await;
            // The transport may carry the client's next match by now.
            if !self.socket.connected() {
                return;
            }
            if !self.heard.take() {
                break;
            }
        }
        // Leaving the namespace is a packet of its own, which a full queue does not take either.
        if self.socket.clone().disconnect().is_err() {
            self.cut();
        }
    }

    /// Ends the whole connection at once.
    pub(crate) fn cut(&self) {
        // The stream may be gone already; the namespace must not stay.
        let _ = self.socket.clone().disconnect();
        if let Some(stream) = &self.stream {
            stream.cut(self.socket.id.as_str());
        }
    }
}
