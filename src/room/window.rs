//! Bounds what may be on the way to a client, by a window that its acknowledgements teach.
//!
//! Frames that wait for a client that stopped reading, or that reads slowly, are stale when they arrive. So there must be few of them.
//! Everything is counted in ticks:
//!
//! - the *span* of a client is what is on the way just before it acknowledges;
//! - its *delay* is the age of the tick that it acknowledges.
//!
//! A rhythm of the client's own (one acknowledgement every four frames, bursts of a network) shows in the span. It is granted as long as
//! the delay returns to its usual value. If the delay does not return, a queue has formed on the way, and the window is soon full.
//! Nothing is sent then until the queue is nearly empty. The speed at which it empties tells three clients apart: one that is slow, one
//! that was only held up, and one that is far away and acknowledges at the pace at which frames were sent.

use crate::protocol::Tick;

/// The span in seconds of a client that has just begun to acknowledge, until its own is known.
const FIRST_SECONDS: u32 = 1;

/// The span that is granted to every client.
const MIN_SPAN: u32 = 6;

/// A queue of at most this many ticks counts as empty: a client may acknowledge every fourth frame.
const EMPTY_QUEUE: u32 = 3;

/// The longest span in seconds that is granted.
const MAX_SECONDS: u32 = 2;

/// The seconds for which spans and delays are remembered at least; at most twice as long.
const MEMORY_SECONDS: u32 = 2;

/// The window of one client.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The tick from which on frames count as on the way: the acknowledged one, or the newest one when a snapshot was asked for.
    from: Tick,
    /// The longest span since the delay was last as short as usual.
    peak: u32,
    /// The newer and the older half of what is remembered; `None` before the first acknowledgement.
    lately: Option<[Seen; 2]>,
    /// The tick at which the newer half began.
    began: Tick,
    /// The tick since which the window is full.
    full_since: Option<Tick>,
    /// The last tick at which the window was full. Acknowledgements of earlier ticks say nothing of the client's rhythm.
    full_until: Tick,
    /// The first tick that was sent after the window had been full. Its frame stands for many ticks.
    reopened: Tick,
    /// The first acknowledgement of that tick or a later one while the window is full: its time, and the acknowledged tick.
    goes_on: Option<(Tick, Tick)>,
}

/// The spans and delays of a client in a stretch of time.
#[derive(Debug, Clone, Copy)]
struct Seen {
    longest_span: u32,
    least_delay: u32,
}

impl Seen {
    const NOTHING: Self = Self { longest_span: 0, least_delay: u32::MAX };
}

impl Window {
    /// Starts a window for a client that holds the tick `from`, and whose rhythm is not known.
    pub fn new(from: Tick) -> Self {
        Self { from, ..Self::default() }
    }

    /// Stops counting the frames on the way: the client has no use for them any more.
    pub fn forget(&mut self, sent: Tick) {
        self.from = sent;
        self.full_since = None;
    }

    /// Lets ticks pass in which nothing is sent. They do not count as on the way.
    pub fn skip(&mut self, ticks: u32) {
        self.from.0 += ticks;
    }

    /// Notes that the client acknowledges `acked`, after `before`. `sent` is the newest tick sent to it.
    pub fn acknowledge(&mut self, (before, acked): (Tick, Tick), sent: Tick, now: Tick, hz: u32) {
        self.from = self.from.max(acked);
        let (span, delay) = (sent.since(before), now.since(acked));
        let Some(lately) = &mut self.lately else {
            self.began = now;
            self.lately =
                Some([Seen { longest_span: 0, least_delay: delay }, Seen { longest_span: FIRST_SECONDS * hz, ..Seen::NOTHING }]);
            return;
        };
        if now.since(self.began) >= MEMORY_SECONDS * hz {
            self.began = now;
            *lately = [Seen::NOTHING, lately[0]];
        }
        lately[0].least_delay = lately[0].least_delay.min(delay);
        let least_delay = lately[0].least_delay.min(lately[1].least_delay);
        if before > self.full_until && self.full_since.is_none() {
            self.peak = self.peak.max(span);
            if delay <= least_delay + 1 {
                lately[0].longest_span = lately[0].longest_span.max(self.peak);
                self.peak = 0;
            }
        }
        if let Some(since) = self.full_since {
            if acked >= self.reopened {
                self.goes_on.get_or_insert((now, acked));
            }
            if sent.since(acked) <= EMPTY_QUEUE {
                self.full_since = None;
                let keeps_pace =
                    |(first, of): (Tick, Tick)| acked.since(of) >= EMPTY_QUEUE && now.since(first) <= acked.since(of) + 1;
                let was_only_held_up = now.since(since) <= self.peak;
                if was_only_held_up || self.goes_on.is_some_and(keeps_pace) {
                    let span = delay.max(self.peak + now.since(since).min(self.peak));
                    lately[0].longest_span = span + span / 4;
                }
                self.peak = 0;
            }
        }
    }

    /// Returns since when the window is full, if it is. A client that never acknowledges has no window; the socket's own buffer bounds
    /// what waits for it.
    pub fn full_since(&mut self, sent: Tick, now: Tick, hz: u32) -> Option<Tick> {
        let lately = self.lately.as_mut()?;
        let span = lately[0].longest_span.max(lately[1].longest_span).min(MAX_SECONDS * hz).max(MIN_SPAN);
        if self.full_since.is_none() && self.full_until > self.reopened {
            self.reopened = now;
            self.from = Tick(now.0 - 1);
        }
        let on_the_way = sent.since(self.from);
        if self.full_since.is_none() && on_the_way >= span + (span / 4).max(2) {
            (self.full_since, self.goes_on, self.peak) = (Some(now), None, on_the_way);
            lately.iter_mut().for_each(|seen| seen.longest_span = 0);
        }
        if self.full_since.is_some() {
            self.full_until = now;
        }
        self.full_since
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const HZ: u32 = 20;

    /// A client and the way to it. Each frame arrives at the tick that `arrives` says.
    struct Client {
        window: Window,
        now: Tick,
        sent: Tick,
        acked: Tick,
        on_the_way: VecDeque<(Tick, u32)>,
        skipped: u32,
        lags: Vec<u32>,
    }

    impl Client {
        fn new() -> Self {
            let window = Window::new(Tick(0));
            Self {
                window,
                now: Tick(0),
                sent: Tick(0),
                acked: Tick(0),
                on_the_way: VecDeque::new(),
                skipped: 0,
                lags: Vec::new(),
            }
        }

        /// Passes one tick. `arrives` makes the tick at which a frame arrives of the current tick and the last arrival. Every `each`th
        /// frame is acknowledged.
        fn tick(&mut self, each: u32, arrives: impl Fn(u32, u32) -> u32) {
            self.now.0 += 1;
            while let Some((tick, _)) = self.on_the_way.pop_front_if(|(_, at)| *at <= self.now.0) {
                self.lags.push(self.now.since(tick));
                if tick.0.is_multiple_of(each) || tick.since(self.acked) >= each {
                    let before = std::mem::replace(&mut self.acked, tick);
                    self.window.acknowledge((before, tick), self.sent, self.now, HZ);
                }
            }
            if self.window.full_since(self.sent, self.now, HZ).is_some() {
                self.skipped += 1;
                return;
            }
            let last = self.on_the_way.back().map_or(self.now.0, |(_, at)| (*at).max(self.now.0));
            self.sent = self.now;
            self.on_the_way.push_back((self.now, arrives(self.now.0, last)));
        }

        fn skips(&mut self, ticks: u32, each: u32, arrives: impl Fn(u32, u32) -> u32) -> u32 {
            let before = self.skipped;
            (0..ticks).for_each(|_| self.tick(each, &arrives));
            self.skipped - before
        }
    }

    #[test]
    fn distance_and_rare_acknowledgements_cost_nothing() {
        for (delay, each) in [(1, 1), (1, 4), (6, 1), (20, 4), (3, 20)] {
            let skipped = Client::new().skips(2000, each, |now, _| now + delay);
            assert_eq!(skipped, 0, "{delay} ticks away, one of {each} acknowledged");
        }
    }

    #[test]
    fn bursts_cost_nothing_once_they_are_known() {
        // Frames are held up for half of each second, and come all at once.
        let burst = |now: u32, _| if now % HZ < HZ / 2 { now / HZ * HZ + HZ / 2 } else { now + 1 };
        assert_eq!(Client::new().skips(2000, 1, burst), 0);
    }

    #[test]
    fn a_slow_reader_lags_by_little_after_a_while() {
        let mut client = Client::new();
        client.skips(30 * HZ, 1, |_, last| last + 3);
        client.lags.clear();
        client.skips(60 * HZ, 1, |_, last| last + 3);
        let longest = client.lags.iter().max().unwrap();
        assert!(*longest < 2 * HZ, "{longest} ticks behind");
        assert!(client.lags.len() as u32 > 60 * HZ / 4, "only {} frames arrived", client.lags.len());
    }

    #[test]
    fn a_longer_way_is_learned() {
        let mut client = Client::new();
        client.skips(600, 1, |now, _| now + 1);
        client.skips(400, 1, |now, _| now + 15);
        assert_eq!(client.skips(600, 1, |now, _| now + 15), 0);
    }

    #[test]
    fn the_window_of_a_client_that_stopped_is_soon_full() {
        let mut client = Client::new();
        client.skips(600, 1, |now, _| now + 1);
        client.skips(20, 1, |_, _| u32::MAX);
        let waiting = client.on_the_way.len();
        assert!(waiting <= 10, "{waiting} stale frames wait for it");
        assert!(client.window.full_since(client.sent, client.now, HZ).is_some());
    }
}
