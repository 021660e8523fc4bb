//! Clients that are slow on purpose. Stalling clients pause reading at regular intervals; crawling clients read at a low rate.
//! Their figures are kept apart from those of the other clients.

use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::tally::{Tally, locked};

/// How long a stalling client reads, and how long it then pauses.
pub(crate) const STALL: Duration = Duration::from_secs(5);

/// How many bytes per second a crawling client reads.
pub(crate) const CRAWL_BYTES: u32 = 2000;

/// A frame is current if it is at most this many ticks old.
const PRESENT_TICKS: f64 = 2.0;

/// The longest time that the histograms record, in milliseconds. Longer times count as this one.
const LONGEST_MS: u64 = 600_000;

/// The number of slow clients of each habit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SlowMix {
    pub(crate) stall: usize,
    pub(crate) crawl: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    Stall,
    Crawl,
}

impl Habit {
    pub(crate) const ALL: [Self; 2] = [Self::Stall, Self::Crawl];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stall => "stall",
            Self::Crawl => "crawl",
        }
    }
}

impl SlowMix {
    pub(crate) fn total(self) -> usize {
        self.stall + self.crawl
    }

    pub(crate) fn count(self, habit: Habit) -> usize {
        match habit {
            Habit::Stall => self.stall,
            Habit::Crawl => self.crawl,
        }
    }

    /// The habit of a client by its number. The last clients are slow, which spreads them over the rooms.
    pub(crate) fn habit(self, number: usize, clients: usize) -> Option<Habit> {
        match clients - 1 - number {
            from_last if from_last < self.stall => Some(Habit::Stall),
            from_last if from_last < self.total() => Some(Habit::Crawl),
            _ => None,
        }
    }
}

impl FromStr for SlowMix {
    type Err = String;

    /// `stall=5,crawl=5`, or one of them.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut mix = Self::default();
        for part in text.split(',') {
            let wrong = || format!("{part:?} should be stall=N or crawl=N");
            let (name, count) = part.split_once('=').ok_or_else(wrong)?;
            let count = count.parse().map_err(|_| wrong())?;
            match name {
                "stall" => mix.stall = count,
                "crawl" => mix.crawl = count,
                _ => return Err(wrong()),
            }
        }
        Ok(mix)
    }
}

/// The counters that all clients of one habit share.
pub(crate) struct Slow {
    pub(crate) habit: Habit,
    pub(crate) tally: Arc<Tally>,
    delays: Mutex<Delays>,
}

/// The age of the state that slow clients held, in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Delays {
    /// The delay of each frame, in excess of the fastest frame's.
    pub(crate) lag: Histogram<u64>,
    /// The time from the end of a stall to the first current frame.
    pub(crate) recovery: Histogram<u64>,
    /// The largest number of outdated frames that a client read after a stall.
    pub(crate) stale: u64,
}

impl Slow {
    pub(crate) fn new(habit: Habit) -> Self {
        let histogram = || Histogram::new_with_max(LONGEST_MS, 3).expect("the bounds are valid");
        let delays = Delays { lag: histogram(), recovery: histogram(), stale: 0 };
        Self { habit, tally: Arc::new(Tally::new()), delays: Mutex::new(delays) }
    }

    pub(crate) fn delays(&self) -> Delays {
        locked(&self.delays).clone()
    }

    /// Resets the figures at the start of the measured window.
    pub(crate) fn forget(&self) {
        self.tally.forget_gaps();
        let mut delays = locked(&self.delays);
        delays.lag.reset();
        delays.recovery.reset();
        delays.stale = 0;
    }
}

/// Measures the lag of one slow client in its seat.
pub(crate) struct LagMeter {
    slow: Arc<Slow>,
    hz: f64,
    began: Instant,
    /// When a frame of tick 0 would have been read at the delay of the fastest frame, in seconds after `began`.
    zero: Option<f64>,
    next_stall: Instant,
    reads_again: Option<Instant>,
    stale: u64,
}

impl LagMeter {
    pub(crate) fn new(slow: Arc<Slow>, hz: u16, now: Instant) -> Self {
        let hz = f64::from(hz);
        Self { slow, hz, began: now, zero: None, next_stall: now + STALL, reads_again: None, stale: 0 }
    }

    /// Returns whether to stop reading now, for [`STALL`].
    pub(crate) fn stalls(&self, now: Instant) -> bool {
        self.slow.habit == Habit::Stall && now >= self.next_stall
    }

    /// Notes the end of a stall.
    pub(crate) fn go_on(&mut self, now: Instant) {
        self.next_stall = now + STALL;
        self.reads_again = Some(now);
        self.stale = 0;
    }

    /// Records that a frame was read.
    pub(crate) fn read(&mut self, tick: u32, now: Instant) {
        let since_zero = now.duration_since(self.began).as_secs_f64() - f64::from(tick) / self.hz;
        let zero = self.zero.map_or(since_zero, |zero| zero.min(since_zero));
        self.zero = Some(zero);
        let lag = since_zero - zero;
        let mut delays = locked(&self.slow.delays);
        delays.lag.saturating_record((lag * 1000.0) as u64);
        let Some(reads_again) = self.reads_again else { return };
        if lag * self.hz > PRESENT_TICKS {
            self.stale += 1;
            return;
        }
        delays.recovery.saturating_record(now.duration_since(reads_again).as_millis() as u64);
        delays.stale = delays.stale.max(self.stale);
        self.reads_again = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_read_and_spread_over_the_last_clients() {
        let mix: SlowMix = "stall=2,crawl=1".parse().unwrap();
        assert_eq!(mix, SlowMix { stall: 2, crawl: 1 });
        let habits: Vec<_> = (0..5).map(|number| mix.habit(number, 5)).collect();
        assert_eq!(habits, [None, None, Some(Habit::Crawl), Some(Habit::Stall), Some(Habit::Stall)]);
        assert_eq!("crawl=3".parse(), Ok(SlowMix { stall: 0, crawl: 3 }));
        for wrong in ["", "5", "stall", "stall=", "stall=-1", "crawl=2;stall=1", "walk=1"] {
            assert!(wrong.parse::<SlowMix>().unwrap_err().contains("should be stall=N or crawl=N"), "{wrong:?}");
        }
    }

    #[test]
    fn lag_and_recovery_are_measured_from_the_fastest_frame() {
        let slow = Arc::new(Slow::new(Habit::Stall));
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut lag_meter = LagMeter::new(Arc::clone(&slow), 20, start);
        assert!(!lag_meter.stalls(at(4999)) && lag_meter.stalls(at(5000)));
        for tick in 100..200 {
            lag_meter.read(tick, at(u64::from(tick - 100) * 50 + u64::from(tick % 2)));
        }
        lag_meter.go_on(at(10_000));
        for (n, tick) in (200..209).enumerate() {
            lag_meter.read(tick, at(10_001 + n as u64));
        }
        lag_meter.read(300, at(10_040));
        let delays = slow.delays();
        assert_eq!((delays.stale, delays.recovery.len(), delays.recovery.max()), (9, 1, 40));
        assert!((4990..=5010).contains(&delays.lag.max()), "{}", delays.lag.max());
    }
}
