//! A client's hold on its seat, and the way in for what it sends.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, Ordering},
};

use super::intake::{Intake, Sender};
use crate::protocol::Seat;

/// The seat number on the tickets of spectators, who have no seat.
pub(super) const SPECTATOR_SEAT: Seat = Seat(0);

/// A connection that a room reads from.
pub trait InputSource: Send + Sync + 'static {
    /// Hands over what the client has sent. The room calls this `hz` times a second, right before it takes its inputs; a source
    /// may hand them over earlier.
    fn pull(self: Arc<Self>, hz: u16);

    /// The room does not call [`pull`](Self::pull) for now: inputs are to be handed over when they arrive.
    fn release(self: Arc<Self>);
}

/// One connection's hold on a seat, or on a place to spectate.
pub(super) struct Hold {
    intake: Arc<Intake>,
    sender: Sender,
    /// Changes under the room's lock, and is read without it.
    live: AtomicBool,
    source: OnceLock<Weak<dyn InputSource>>,
}

/// Where one client's inputs go. Cheap to clone.
#[derive(Clone)]
pub struct Inlet(Arc<Hold>);

impl Hold {
    /// A hold that is not live yet.
    pub(super) fn new(seat: Seat, intake: &Arc<Intake>) -> Arc<Self> {
        let (sender, live, source) = (intake.sender(seat), AtomicBool::new(false), OnceLock::new());
        Arc::new(Self { intake: intake.clone(), sender, live, source })
    }

    pub(super) fn seat(&self) -> Seat {
        self.sender.seat
    }

    pub(super) fn is_spectator(&self) -> bool {
        self.seat() == SPECTATOR_SEAT
    }

    /// Whether the connection has its seat, or spectates, now.
    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// Begins the hold. The inputs of a spectator are not taken.
    pub(super) fn begin(&self) {
        self.live.store(true, Ordering::Release);
        if !self.is_spectator() {
            self.intake.open(self.sender);
        }
    }

    /// Ends the hold. Inputs are not taken any more.
    pub(super) fn end(&self) {
        self.live.store(false, Ordering::Release);
        self.intake.close(self.sender);
        self.release();
    }

    /// The way in for the client's inputs.
    pub(super) fn inlet(self: &Arc<Self>) -> Inlet {
        Inlet(self.clone())
    }

    /// See [`InputSource::pull`].
    pub(super) fn pull(&self, hz: u16) {
        if let Some(source) = self.source() {
            source.pull(hz);
        }
    }

    /// See [`InputSource::release`].
    pub(super) fn release(&self) {
        if let Some(source) = self.source() {
            source.release();
        }
    }

    fn source(&self) -> Option<Arc<dyn InputSource>> {
        self.source.get()?.upgrade()
    }
}

impl Inlet {
    /// Queues an input for the next step. An input beyond the client's share, or from a client without a seat, is dropped and
    /// counted.
    pub fn push(&self, input: &[u8]) {
        self.0.intake.push(self.0.sender, input);
    }

    /// Has the room read this connection from now on. Only the first call has an effect.
    pub fn read_from(&self, source: &Arc<impl InputSource>) {
        let source = Arc::downgrade(source);
        let _ = self.0.source.set(source);
    }
}

impl PartialEq for Inlet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
