//! What a client has begun to send and does not end: a frame, a message in fragments, or a packet whose attachment is missing.
//!
//! Nothing is timed until a read leaves something unfinished. Then a task looks at the connection each second, and goes with the first
//! look that finds everything whole.

use std::{
    net::Shutdown,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::sleep;

use crate::net::transport::lane::Lane;
use crate::observe::{self, DropReason};

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks a packet may see that has begun and is not whole.
const MOST_LOOKS: u64 = 5;

/// So many bytes of it that came are worth one look more: a slow client gets through, one that sends a byte now and then does not.
const BYTES_PER_LOOK: u64 = 1_000;

/// A packet that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// How many were whole before it. May wrap.
    pub(crate) number: u32,
    /// Bytes of its payload that came.
    pub(crate) received: u64,
}

/// The packet that the looks have found, and how many of them.
#[derive(Default)]
pub(crate) struct Overdue {
    number: u32,
    looks: u64,
}

impl Overdue {
    /// Looks; whether it takes too long.
    pub(crate) fn look(&mut self, packet: Unfinished) -> bool {
        if packet.number != self.number {
            *self = Self { number: packet.number, looks: 0 };
        }
        self.looks += 1;
        self.looks > MOST_LOOKS + packet.received / BYTES_PER_LOOK
    }
}

/// Begins to look at a connection.
pub(crate) fn watch(lane: &Arc<Lane>) {
    drop(lane.socket.runtime.spawn(look_on(Arc::downgrade(lane))));
}

async fn look_on(lane: Weak<Lane>) {
    let mut overdue = Overdue::default();
    loop {
        sleep(LOOK).await;
        let Some(lane) = lane.upgrade() else { return };
        let Some(packet) = lane.reader.unfinished() else { return };
        if overdue.look(packet) {
            observe::dropped(DropReason::Unfinished);
            tracing::debug!(received = packet.received, "connection cut: a packet that began does not end");
            // Fails only if the connection has ended already.
            let _ = lane.socket.shut_down(Shutdown::Both);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many looks pass before the packet is overdue, of which so many bytes come between two of them.
    fn looks(bytes: u64, size: u64) -> u64 {
        let mut overdue = Overdue::default();
        let received = |look: u64| (look * bytes).min(size);
        (1..).find(|look| overdue.look(Unfinished { number: 7, received: received(*look) })).unwrap() - 1
    }

    #[test]
    fn what_does_not_come_is_overdue_after_five_looks() {
        assert_eq!(looks(0, 16_000), 5);
        assert_eq!(looks(1, 16_000), 5);
        assert_eq!(looks(100, 16_000), 5);
    }

    #[test]
    fn what_comes_slowly_has_the_time_that_it_takes() {
        for bytes in [1_000, 2_000, 16_000] {
            assert!(looks(bytes, 16_000) * bytes >= 16_000, "{bytes}");
        }
        assert_eq!(looks(2_000, 16_000), 21, "and then no more");
    }

    #[test]
    fn a_connection_that_always_has_something_on_the_way_is_never_overdue() {
        let mut overdue = Overdue::default();
        assert!((0..100).all(|look| !overdue.look(Unfinished { number: look / 5, received: 0 })));
    }
}
