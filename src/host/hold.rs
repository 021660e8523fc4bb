//! A client's hold on its seat, the way in for what it sends, and all clients of a room together.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use super::{
    intake::{Intake, Sender},
    outlet::{Full, Outlet},
    quota::HeldInRoom,
};
use crate::{
    protocol::{Blocks, Frame, Seat},
    room::Over,
};

/// The seat number on the tickets of spectators, who have no seat.
pub(super) const SPECTATOR_SEAT: Seat = Seat(0);

/// A connection that a room reads from and writes to itself. All of it is in one place in memory, because a room looks at it in every
/// step, long after the CPU's caches have forgotten it.
pub trait Line: Send + Sync + 'static {
    /// Begins to fetch what [`pull`](Self::pull) and [`show`](Self::show) look at into the CPU's caches. A room does this for all its
    /// connections before it pulls the first: the CPU then waits for the memory of all of them at once, and not for one after the other.
    fn prefetch(&self);

    /// Hands over what the client has sent. The room calls this `hz` times a second, right before it takes its inputs; a
    /// connection may hand them over earlier.
    fn pull(self: Arc<Self>, hz: u16);

    /// The room does not call [`pull`](Self::pull) for now: inputs are to be handed over when they arrive.
    fn release(self: Arc<Self>);

    /// Does the same as [`Outlet::show`].
    ///
    /// # Errors
    /// The connection does not take the frame now.
    fn show(&self, frame: Frame<&Blocks>) -> Result<(), Full>;
}

/// One connection's hold on a seat, or on a place to spectate.
pub(super) struct Hold {
    intake: Arc<Intake>,
    audience: Arc<Audience>,
    sender: Sender,
    live: AtomicBool,
    line: OnceLock<Weak<dyn Line>>,
}

/// Everybody who holds a seat of a room or spectates. A room that never returns from a step keeps its lock for ever, so its clients
/// can be told without that lock.
#[derive(Default)]
pub(super) struct Audience {
    all: Mutex<Vec<Listener>>,
    over: OnceLock<Over>,
    /// Their seats, places and tickets.
    pub(super) held: HeldInRoom,
}

struct Listener {
    hold: Weak<Hold>,
    outlet: Arc<dyn Outlet>,
}

/// Where one client's inputs go. Cheap to clone.
#[derive(Clone)]
pub struct Inlet {
    hold: Arc<Hold>,
    /// The hold's own, at hand without a look at the hold.
    intake: Arc<Intake>,
    sender: Sender,
}

impl Hold {
    /// A hold that is not live yet.
    pub(super) fn new(seat: Seat, intake: &Arc<Intake>, audience: &Arc<Audience>) -> Arc<Self> {
        let (sender, live, line) = (intake.sender(seat), AtomicBool::new(false), OnceLock::new());
        Arc::new(Self { intake: intake.clone(), audience: audience.clone(), sender, live, line })
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

    /// Begins the hold of the client behind this outlet. The inputs of a spectator are not taken. In a room that is over the client
    /// is told so instead.
    pub(super) fn begin(self: &Arc<Self>, outlet: &Arc<dyn Outlet>) {
        let mut all = self.audience.all();
        if let Some(over) = self.audience.over.get() {
            drop(all);
            return outlet.finish(over.clone());
        }
        all.push(Listener { hold: Arc::downgrade(self), outlet: outlet.clone() });
        self.live.store(true, Ordering::Release);
        drop(all);
        if !self.is_spectator() {
            self.intake.open(self.sender);
        }
    }

    /// Ends the hold. Inputs are not taken any more. Returns false if it had not begun or has ended already: then somebody else tells
    /// the client why.
    pub(super) fn end(&self) -> bool {
        let was_live = self.live.swap(false, Ordering::AcqRel);
        if was_live {
            self.audience.all().retain(|listener| !std::ptr::eq(listener.hold.as_ptr(), self));
            self.intake.close(self.sender);
            self.release();
        }
        was_live
    }

    /// The way in for the client's inputs.
    pub(super) fn inlet(self: &Arc<Self>) -> Inlet {
        Inlet { hold: self.clone(), intake: self.intake.clone(), sender: self.sender }
    }

    /// The connection, if the room reads from it and writes to it itself.
    pub(super) fn line(&self) -> Option<Arc<dyn Line>> {
        self.line.get()?.upgrade()
    }

    fn release(&self) {
        if let Some(line) = self.line() {
            line.release();
        }
    }
}

impl Audience {
    /// Ends every hold, tells every client that it is over, and gives back what people held in the room.
    pub(super) fn end(&self, over: Over) {
        let all = {
            let mut all = self.all();
            // Only the first end is told.
            let _ = self.over.set(over.clone());
            std::mem::take(&mut *all)
        };
        for Listener { hold, outlet } in all {
            if hold.upgrade().is_some_and(|hold| hold.end()) {
                outlet.finish(over.clone());
            }
        }
        self.held.give_back();
    }

    /// Whether everybody was told that it is over.
    pub(super) fn is_over(&self) -> bool {
        self.over.get().is_some()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inlet {
    /// Queues an input for the next step. An input beyond the client's share, or from a client without a seat, is dropped and
    /// counted.
    pub fn push(&self, input: &[u8]) {
        self.intake.push(self.sender, input);
    }

    /// Has the room read from this connection and write to it from now on. Only the first call has an effect.
    pub fn open_line(&self, line: &Arc<impl Line>) {
        let line = Arc::downgrade(line);
        let _ = self.hold.line.set(line);
    }
}

impl PartialEq for Inlet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.hold, &other.hold)
    }
}
