//! Decides when a packet that has begun takes too long to end.

use std::time::Duration;

use crate::net::transport::tap::Unfinished;

/// The time between two checks.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The checks that an unfinished packet may see.
const MAX_CHECKS: u64 = 5;

/// Received bytes for which a packet may see one check more. A slow client gets through; one that sends single bytes does not.
const BYTES_PER_CHECK: u64 = 1_000;

/// Counts the checks that have found the same packet unfinished.
#[derive(Default)]
pub(crate) struct Overdue {
    number: u32,
    checks: u64,
}

impl Overdue {
    /// Counts a check. Returns whether the packet takes too long.
    pub(crate) fn check(&mut self, packet: Unfinished) -> bool {
        if packet.number != self.number {
            *self = Self { number: packet.number, checks: 0 };
        }
        self.checks += 1;
        self.checks > MAX_CHECKS + packet.received / BYTES_PER_CHECK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many checks pass before a packet of `size` bytes is overdue, with so many bytes between two checks.
    fn checks(bytes: u64, size: u64) -> u64 {
        let mut overdue = Overdue::default();
        let received = |check: u64| (check * bytes).min(size);
        (1..).find(|check| overdue.check(Unfinished { number: 7, received: received(*check) })).unwrap() - 1
    }

    #[test]
    fn a_packet_that_stalls_is_overdue_after_five_checks() {
        assert_eq!(checks(0, 16_000), 5);
        assert_eq!(checks(1, 16_000), 5);
        assert_eq!(checks(100, 16_000), 5);
    }

    #[test]
    fn a_slow_packet_has_the_time_that_it_needs() {
        for bytes in [1_000, 2_000, 16_000] {
            assert!(checks(bytes, 16_000) * bytes >= 16_000, "{bytes}");
        }
        assert_eq!(checks(2_000, 16_000), 21, "and no more than that");
    }

    #[test]
    fn new_packets_start_the_count_again() {
        let mut overdue = Overdue::default();
        assert!((0..100).all(|check| !overdue.check(Unfinished { number: check / 5, received: 0 })));
    }
}
