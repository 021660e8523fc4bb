//! Counts what a client does in all namespaces of an Engine.IO session: requests, attempts to enter a namespace, and what only a
//! faulty or hostile client does often. A client that goes on with that is cut.
//!
//! The counts belong to the session, so leaving a namespace and entering it again renews nothing.

use std::{
    any::Any,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::time::Instant;

use crate::{
    host::Refusal,
    net::{
        limits::{
            NetLimits,
            address::SessionShare,
            bucket::{Bucket, Patience},
        },
        namespaces::socket::SocketArc,
        transport::stream::StreamHandle,
    },
    observe::{self, DropReason},
};

/// How many namespaces that do not exist a client may ask for. A page made for another server may try a few.
const MAX_UNKNOWN: u32 = 8;

/// The longest name of a namespace that does not exist whose refusal is sent: it repeats the name.
const MAX_UNKNOWN_NAME_BYTES: usize = 256;

/// The counts of one Engine.IO session. They are in the extensions of the request that began it.
pub(crate) struct Conduct {
    /// The client's address, if it is counted.
    address: Option<IpAddr>,
    /// The session's place in the counts of its address and of the server.
    _share: SessionShare,
    unknown_namespaces: AtomicU32,
    connects: Mutex<Bucket>,
    /// The requests by namespace, for the namespaces that the client has used.
    requests: Mutex<Vec<(&'static str, Bucket)>>,
    patience: Mutex<Patience>,
    /// Values that namespaces keep for the client while its CONNECT is admitted and not answered yet.
    admitted: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl Conduct {
    pub(crate) fn new(limits: &NetLimits, address: Option<IpAddr>, share: SessionShare, now: Instant) -> Self {
        Self {
            address,
            _share: share,
            unknown_namespaces: AtomicU32::new(0),
            connects: Mutex::new(Bucket::new(limits.connect_burst, limits.connects_per_second, now)),
            requests: Mutex::default(),
            patience: Mutex::new(Patience::new(limits.requests_per_second, now)),
            admitted: Mutex::default(),
        }
    }

    /// Keeps something for a client that is about to enter a namespace. The type tells the namespaces apart. The extensions of the
    /// socket would hold a map for it as long as the client is there.
    pub(crate) fn keep_admitted<T: Send + Sync + 'static>(socket: &SocketArc, kept: Arc<T>) {
        if let Some(conduct) = Self::of(socket) {
            let mut admitted = conduct.admitted.lock().unwrap_or_else(PoisonError::into_inner);
            // There is one if the library could not answer the client.
            admitted.retain(|other| !other.is::<T>());
            admitted.push(kept);
        }
    }

    /// Takes what was kept for a client that has entered a namespace now.
    pub(crate) fn take_admitted<T: Send + Sync + 'static>(socket: &SocketArc) -> Option<Arc<T>> {
        let mut admitted = Self::of(socket)?.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let at = admitted.iter().position(|kept| kept.is::<T>())?;
        let kept = admitted.swap_remove(at);
        admitted.shrink_to_fit();
        kept.downcast().ok()
    }

    /// Returns the client's address, if it is counted.
    pub(crate) fn address(socket: &SocketArc) -> Option<IpAddr> {
        Self::of(socket).and_then(|conduct| conduct.address)
    }

    /// Counts an attempt to enter a namespace.
    ///
    /// # Errors
    /// `rate_limited` if the client makes too many.
    pub(crate) fn take_connect(socket: &SocketArc, now: Instant) -> Result<(), Refusal> {
        let Some(conduct) = Self::of(socket) else { return Ok(()) };
        conduct.connects.lock().unwrap_or_else(PoisonError::into_inner).take(now)
    }

    /// Counts a request in a namespace.
    ///
    /// # Errors
    /// `rate_limited` if the client makes too many.
    pub(crate) fn take_request(
        socket: &SocketArc, namespace: &'static str, limits: &NetLimits, now: Instant,
    ) -> Result<(), Refusal> {
        let Some(conduct) = Self::of(socket) else { return Ok(()) };
        let mut requests = conduct.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let at = requests.iter().position(|(name, _)| *name == namespace).unwrap_or_else(|| {
            // Most clients use one namespace, or two.
            requests.reserve_exact(1);
            requests.push((namespace, Bucket::new(limits.request_burst, limits.requests_per_second, now)));
            requests.len() - 1
        });
        requests[at].1.take(now)
    }

    /// Counts a request for a namespace that does not exist.
    pub(crate) fn note_unknown_namespace(socket: &SocketArc) {
        if let Some(conduct) = Self::of(socket)
            && (conduct.unknown_namespaces.fetch_add(1, Ordering::Relaxed) >= MAX_UNKNOWN
                || socket.ns().len() > MAX_UNKNOWN_NAME_BYTES)
        {
            cut(socket, DropReason::Nowhere);
        }
    }

    /// Counts a request, or an attempt to enter a namespace, that was one too many.
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
