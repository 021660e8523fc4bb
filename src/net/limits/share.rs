//! The share of one connection: the frames and the bytes that it may send.

use tokio::time::Instant;

use crate::net::limits::{NetLimits, bucket::Bucket};

/// The frames and bytes that are counted without a look at the clock.
const UNCHECKED_FRAMES: u32 = 64;
const UNCHECKED_BYTES: u32 = 16 * 1024;

/// Counts what a connection, or a session that polls, sends.
///
/// Honest clients send one input a tick, so the clock is read about once a second and never for each frame.
#[derive(Debug)]
pub(crate) struct SendShare {
    frames: Bucket,
    bytes: Bucket,
    new_frames: u32,
    new_bytes: u32,
}

impl SendShare {
    pub(crate) fn new(limits: &NetLimits, now: Instant) -> Self {
        Self {
            frames: Bucket::new(limits.frame_burst, limits.frames_per_second, now),
            bytes: Bucket::new(limits.byte_burst, limits.bytes_per_second, now),
            new_frames: 0,
            new_bytes: 0,
        }
    }

    /// Counts frames and bytes that have come. Returns false if they are more than the sender may send.
    pub(crate) fn take(&mut self, frames: u32, bytes: usize) -> bool {
        self.new_frames = self.new_frames.saturating_add(frames);
        self.new_bytes = self.new_bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.new_frames < UNCHECKED_FRAMES && self.new_bytes < UNCHECKED_BYTES {
            return true;
        }
        let now = Instant::now();
        let frames = self.frames.spend(std::mem::take(&mut self.new_frames) as f32, now);
        let bytes = self.bytes.spend(std::mem::take(&mut self.new_bytes) as f32, now);
        frames && bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    fn share(change: impl FnOnce(&mut NetLimits)) -> SendShare {
        let mut limits = NetLimits::default();
        change(&mut limits);
        SendShare::new(&limits, Instant::now())
    }

    /// Returns the number of frames of so many bytes that are taken at once.
    fn at_once(share: &mut SendShare, bytes: usize) -> u32 {
        (0..).find(|_| !share.take(1, bytes)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_frames_is_taken_and_then_their_rate() {
        let mut share = share(|limits| (limits.frame_burst, limits.frames_per_second) = (1000, 200.0));
        let first = at_once(&mut share, 6);
        assert!(first.abs_diff(1000) <= UNCHECKED_FRAMES, "{first}");
        advance(Duration::from_secs(1)).await;
        let second = at_once(&mut share, 6);
        assert!(second.abs_diff(200) <= UNCHECKED_FRAMES, "{second}");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_limited_however_few_frames_they_come_in() {
        let mut share = share(|limits| (limits.byte_burst, limits.bytes_per_second) = (100_000, 10_000.0));
        assert!(at_once(&mut share, 16_000) <= 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_at_twice_the_highest_tick_rate_stays_below_its_share() {
        let mut share = share(|_| ());
        for _ in 0..60 * 128 * 2 {
            advance(Duration::from_secs(1) / (128 * 2)).await;
            // The default parser sends two frames for an input.
            assert!(share.take(2, 120));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_was_cut_off_may_send_what_it_has_kept() {
        let mut share = share(|_| ());
        for _ in 0..15 * 60 {
            assert!(share.take(2, 120), "15 seconds of inputs at 60 a second");
        }
    }
}
