//! Limits on how often something may be done.

use std::time::Duration;

use tokio::time::Instant;

use crate::{host::Refusal, protocol::ErrorCode};

/// A token bucket: `burst` requests at once after a pause, and `rate` a second for long.
#[derive(Debug)]
pub(crate) struct Bucket {
    burst: f32,
    rate: f32,
    tokens: f32,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(burst: u32, rate: f32, now: Instant) -> Self {
        Self { burst: burst as f32, rate, tokens: burst as f32, filled: now }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// `rate_limited` if there is none.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.spend(1.0, now) {
            return Ok(());
        }
        let message = format!("at most {} requests a second are taken", self.rate);
        let left = Duration::try_from_secs_f32((1.0 - self.tokens) / self.rate).ok();
        Err(Refusal::new(ErrorCode::RateLimited, message).retry_after(left))
    }

    /// Takes many tokens at once. Returns false if there are not so many; then it takes none.
    pub(crate) fn spend(&mut self, tokens: f32, now: Instant) -> bool {
        self.fill(now);
        let has_enough = self.tokens >= tokens;
        if has_enough {
            self.tokens -= tokens;
        }
        has_enough
    }

    /// Returns whether no token is missing, so that nothing needs to be remembered.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens >= self.burst
    }

    fn fill(&mut self, now: Instant) {
        let since: Duration = now.saturating_duration_since(self.filled);
        self.tokens = self.burst.min(self.tokens + since.as_secs_f32() * self.rate);
        self.filled = now;
    }
}

/// The refusals at once that end a connection. No honest client has so many requests on their way.
const MAX_REFUSALS: u32 = 500;

/// The refusals that a connection may still see before it is cut. They come back at the rate of its requests, so a client that makes
/// at most twice the requests it may is never cut.
#[derive(Debug)]
pub(crate) struct Patience {
    refusals: Bucket,
    has_ended: bool,
}

impl Patience {
    pub(crate) fn new(rate: f32, now: Instant) -> Self {
        Self { refusals: Bucket::new(MAX_REFUSALS, rate, now), has_ended: false }
    }

    /// Counts a refusal. Returns true for the refusal that ends the patience, and for all after it.
    pub(crate) fn ends(&mut self, now: Instant) -> bool {
        self.has_ended = self.has_ended || !self.refusals.spend(1.0, now);
        self.has_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(3, 2.0, start);
        let taken = (0..10).filter(|_| bucket.take(start).is_ok()).count();
        assert_eq!(taken, 3);
        assert_eq!(bucket.take(start + Duration::from_millis(400)).map_err(|refusal| refusal.code), Err(ErrorCode::RateLimited));
        assert_eq!(bucket.take(start + Duration::from_millis(500)), Ok(()));
    }

    /// Returns after how many seconds of so many requests a second the patience ends; `None` if it lasts for an hour.
    fn seconds_of_patience(requests_per_second: u32) -> Option<u32> {
        let (start, rate) = (Instant::now(), 10.0);
        let (mut bucket, mut patience) = (Bucket::new(20, rate, start), Patience::new(rate, start));
        (0..3600 * requests_per_second).map(|n| (n, start + Duration::from_secs(1) * n / requests_per_second)).find_map(
            |(n, now)| {
                let ends = bucket.take(now).is_err() && patience.ends(now);
                ends.then_some(n / requests_per_second)
            },
        )
    }

    #[test]
    fn patience_ends_for_a_flood_and_not_for_a_hasty_client() {
        assert_eq!(seconds_of_patience(10), None);
        assert_eq!(seconds_of_patience(19), None);
        assert!((40..60).contains(&seconds_of_patience(30).unwrap()), "{:?}", seconds_of_patience(30));
        assert_eq!(seconds_of_patience(10_000), Some(0));
    }

    #[test]
    fn patience_comes_back_with_time_and_ends_for_good() {
        let start = Instant::now();
        let mut patience = Patience::new(10.0, start);
        let mut ends = |count, now| (0..count).filter(|_| patience.ends(now)).count();
        assert_eq!(ends(500, start), 0);
        assert_eq!(ends(300, start + Duration::from_secs(30)), 0);
        assert_eq!(ends(1_000, start + Duration::from_secs(30)), 1_000);
        assert_eq!(ends(1_000, start + Duration::from_secs(60)), 1_000);
    }
}
