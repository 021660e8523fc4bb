//! When what is sent over a line arrives. Pure: times count from the line's start.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::profile::Profile;

/// The bytes of a TCP segment in which loss is counted.
const SEGMENT: usize = 1448;

/// TCP waits at least so long before it sends a lost segment again, or a round trip if that is longer.
const RETRANSMITS_AFTER: Duration = Duration::from_millis(200);

/// The most times that one segment is lost. TCP would try on; a line that is dead is a blackout.
const TRIES: usize = 6;

/// One direction of a TCP connection.
///
/// A lost segment comes later, by the time after which TCP sends it again. What was sent after it waits for it, as TCP keeps the order.
pub(crate) struct Schedule {
    profile: Profile,
    rng: StdRng,
    newest: Duration,
}

impl Schedule {
    /// The same seed draws the same losses and delays, segment by segment.
    pub(crate) fn new(profile: Profile, seed: u64) -> Self {
        Self { profile, rng: StdRng::seed_from_u64(seed), newest: Duration::ZERO }
    }

    /// Returns when bytes arrive that are sent at `now`. It is never before those that were sent earlier.
    pub(crate) fn arrival(&mut self, now: Duration, bytes: usize) -> Duration {
        let mut at = now;
        for _ in 0..bytes.div_ceil(SEGMENT) {
            at = at.max(self.segment(now));
        }
        self.newest = self.newest.max(at);
        self.newest
    }

    /// Returns when an IP packet arrives that is sent at `now`, or `None` if it is lost. Packets keep their order.
    pub(crate) fn packet(&mut self, now: Duration) -> Option<Duration> {
        let Profile { loss, blackout, .. } = self.profile;
        let is_lost = self.rng.random_bool(loss) || blackout.is_some_and(|blackout| blackout.end(now).is_some());
        let at = now + self.way();
        if is_lost {
            return None;
        }
        self.newest = self.newest.max(at);
        Some(self.newest)
    }

    fn way(&mut self) -> Duration {
        let Profile { round_trip_ms, jitter_ms, .. } = self.profile;
        Duration::from_secs_f64((round_trip_ms + jitter_ms * self.rng.random_range(-1.0..=1.0)) / 2000.0)
    }

    fn segment(&mut self, now: Duration) -> Duration {
        let Profile { round_trip_ms, loss, blackout, .. } = self.profile;
        let again = RETRANSMITS_AFTER.max(Duration::from_secs_f64(round_trip_ms / 1000.0));
        let mut sent = now;
        for _ in 0..TRIES {
            if !self.rng.random_bool(loss) {
                break;
            }
            sent += again;
        }
        if let Some(end) = blackout.and_then(|blackout| blackout.end(sent)) {
            sent = end;
        }
        sent + self.way()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(33);

    fn profile(name: &str) -> Profile {
        name.parse().unwrap()
    }

    /// The delays of segments that are sent once a tick, in milliseconds.
    fn delays(profile: Profile, seed: u64) -> Vec<f64> {
        let mut schedule = Schedule::new(profile, seed);
        let delay = |n: u32| (schedule.arrival(TICK * n, 100) - TICK * n).as_secs_f64() * 1000.0;
        (0..20_000).map(delay).collect()
    }

    #[test]
    fn each_way_takes_half_of_the_round_trip_and_of_its_jitter() {
        let delays = delays(Profile { loss: 0.0, ..profile("average") }, 1);
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        assert!((mean - 50.0).abs() < 0.2, "{mean}");
        assert!(delays.iter().all(|delay| (42.5..=57.5).contains(delay)));
    }

    #[test]
    fn lost_segments_hold_up_those_after_them() {
        let delays = delays(profile("average"), 1);
        let lost = delays.windows(2).filter(|pair| pair[0] < 60.0 && pair[1] > 240.0).count();
        // The line loses 2% of 20,000 segments; those that are behind a lost one do not show.
        assert!((280..=400).contains(&lost), "{lost}");
        let behind = delays.windows(2).filter(|pair| pair[0] > 240.0 && pair[1] > pair[0] - 34.0).count();
        assert!(behind > 280, "the order is kept: {behind}");
    }

    #[test]
    fn a_long_line_waits_a_round_trip_for_what_was_lost() {
        let far = Profile { round_trip_ms: 400.0, jitter_ms: 0.0, loss: 0.05, ..profile("poor") };
        let mut schedule = Schedule::new(far, 3);
        let apart = Duration::from_secs(10);
        let mut seen: Vec<u128> = (0..2000).map(|n| (schedule.arrival(apart * n, 100) - apart * n).as_millis()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen[..3], [200, 600, 1000]);
    }

    #[test]
    fn more_segments_are_lost_more_often() {
        let lost = |bytes| {
            let mut schedule = Schedule::new(profile("average"), 5);
            let apart = Duration::from_secs(5);
            (0..2000).filter(|n| schedule.arrival(apart * *n, bytes) - apart * *n > Duration::from_millis(200)).count()
        };
        assert!((20..=60).contains(&lost(1448)), "{}", lost(1448));
        assert!((150..=250).contains(&lost(6 * 1448)), "{}", lost(6 * 1448));
    }

    #[test]
    fn nothing_comes_during_a_blackout_and_all_of_it_after() {
        let mut schedule = Schedule::new(Profile { loss: 0.0, jitter_ms: 0.0, ..profile("mobile") }, 1);
        let mut arrival = |ms| schedule.arrival(Duration::from_millis(ms), 100).as_millis();
        assert_eq!([9_900, 10_100, 11_900, 12_000].map(&mut arrival), [9_950, 12_050, 12_050, 12_050]);
    }

    #[test]
    fn packets_are_delayed_or_lost_and_never_overtake() {
        let mut schedule = Schedule::new(profile("mobile"), 1);
        let all: Vec<_> = (0..3_000).map(|n| (TICK * n, schedule.packet(TICK * n))).collect();
        let is_dark = |at: &Duration| profile("mobile").blackout.unwrap().end(*at).is_some();
        assert!(all.iter().filter(|(at, _)| is_dark(at)).all(|(_, arrival)| arrival.is_none()));
        let lit: Vec<_> = all.iter().filter(|(at, _)| !is_dark(at)).collect();
        let lost = lit.iter().filter(|(_, arrival)| arrival.is_none()).count();
        assert!((50..110).contains(&lost), "{lost}");
        let arrivals: Vec<Duration> = lit.iter().filter_map(|(_, arrival)| *arrival).collect();
        assert!(arrivals.is_sorted());
        let delay = |(at, arrival): &&(Duration, Option<Duration>)| arrival.map(|arrival| (arrival - *at).as_millis());
        assert!(lit.iter().filter_map(delay).all(|delay| (30..=70).contains(&delay)));
    }

    #[test]
    fn a_seed_draws_the_same_line() {
        assert_eq!(delays(profile("poor"), 7), delays(profile("poor"), 7));
        assert_ne!(delays(profile("poor"), 7), delays(profile("poor"), 8));
    }
}
