//! How much may be on the way to a client, learned from its acknowledgements.
//!
//! What a client that stopped reading finds when it goes on is stale, and so is what stands in line for one that reads slowly:
//! both must be little. All is counted in ticks. A client's *span* is what is on the way just before it acknowledges; its
//! *delay* is how old the tick is that it acknowledges. A rhythm of its own (one acknowledgement every four frames, bursts of a
//! network) shows in the span, and is granted, as long as the delay returns to what it usually is. Where it does not, a line has
//! formed, and the window soon is full. Nothing is sent then until the line is all but gone, and how fast it went says whether the
//! client is slow or was only held up, or is far away: what is far away is acknowledged at the pace at which it was sent.

use crate::protocol::Tick;

/// Seconds that the span is of a client that has just begun to acknowledge, until its own is known.
const FIRST_SECONDS: u32 = 1;

/// The span that is granted to every client.
const LEAST_SPAN: u32 = 6;

/// A line that is no longer than this has gone: a client may acknowledge every fourth frame.
const NO_LINE: u32 = 3;

/// Seconds that the span which is granted is at most.
const LONGEST_SECONDS: u32 = 2;

/// Seconds for which spans and delays are remembered, and up to as much again.
const MEMORY_SECONDS: u32 = 2;

/// What one client may have on the way.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// From where what is on the way is counted: what was acknowledged, or all that was sent when a snapshot was asked for.
    from: Tick,
    /// The longest span since the delay was last as short as it gets.
    peak: u32,
    /// What is remembered; nothing before the first acknowledgement.
    lately: Option<[Seen; 2]>,
    /// When the newer half of it began.
    began: Tick,
    /// Since when more is on the way than may be.
    full_since: Option<Tick>,
    /// When that was so last: what is acknowledged of earlier ticks says nothing of the client's rhythm.
    full_until: Tick,
    /// The first tick that was sent after an earlier such time: one frame that tells of many ticks at once.
    reopened: Tick,
    /// The first acknowledgement since it is full, of that tick or a later one: when, and of what.
    goes_on: Option<(Tick, Tick)>,
}

/// What was seen of a client in a stretch of time.
#[derive(Debug, Clone, Copy)]
struct Seen {
    longest_span: u32,
    least_delay: u32,
}

impl Seen {
    const NOTHING: Self = Self { longest_span: 0, least_delay: u32::MAX };
}

impl Window {
    /// The client has what it had; nothing is known of its rhythm.
    pub fn new(from: Tick) -> Self {
        Self { from, ..Self::default() }
    }

    /// What is on the way is of no use to the client any more.
    pub fn forget(&mut self, sent: Tick) {
        self.from = sent;
        self.full_since = None;
    }

    /// The client, which had acknowledged `before`, acknowledges `acked`. The newest tick sent to it is `sent`.
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
            if sent.since(acked) <= NO_LINE {
                self.full_since = None;
                let keeps_pace =
                    |(first, of): (Tick, Tick)| acked.since(of) >= NO_LINE && now.since(first) <= acked.since(of) + 1;
                let was_only_held_up = now.since(since) <= self.peak;
                if was_only_held_up || self.goes_on.is_some_and(keeps_pace) {
                    let span = delay.max(self.peak + now.since(since).min(self.peak));
                    lately[0].longest_span = span + span / 4;
                }
                self.peak = 0;
            }
        }
    }

    /// Whether nothing more may be sent, and since when. A client that never acknowledges has no window; the socket's own
    /// buffer bounds what waits for it.
    pub fn full_since(&mut self, sent: Tick, now: Tick, hz: u32) -> Option<Tick> {
        let lately = self.lately.as_mut()?;
        let span = lately[0].longest_span.max(lately[1].longest_span).min(LONGEST_SECONDS * hz).max(LEAST_SPAN);
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

    /// A client on the other end of a line: each frame that is sent arrives at the tick that `arrives` says.
    struct Line {
        window: Window,
        now: Tick,
        sent: Tick,
        acked: Tick,
        on_the_way: VecDeque<(Tick, u32)>,
        skipped: u32,
        lags: Vec<u32>,
    }

    impl Line {
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

        /// One tick; a frame sent now arrives at the tick that `arrives` makes of this one and the last arrival. Every
        /// `each`th frame is acknowledged.
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
            let skipped = Line::new().skips(2000, each, |now, _| now + delay);
            assert_eq!(skipped, 0, "{delay} ticks away, one of {each} acknowledged");
        }
    }

    #[test]
    fn bursts_cost_nothing_once_they_are_known() {
        // Frames are held up for half a second in each second and come all at once.
        let burst = |now: u32, _| if now % HZ < HZ / 2 { now / HZ * HZ + HZ / 2 } else { now + 1 };
        assert_eq!(Line::new().skips(2000, 1, burst), 0);
    }

    #[test]
    fn who_reads_a_third_of_what_comes_lags_by_little_after_a_while() {
        let mut line = Line::new();
        line.skips(30 * HZ, 1, |_, last| last + 3);
        line.lags.clear();
        line.skips(60 * HZ, 1, |_, last| last + 3);
        let longest = line.lags.iter().max().unwrap();
        assert!(*longest < 2 * HZ, "{longest} ticks behind");
        assert!(line.lags.len() as u32 > 60 * HZ / 4, "{} frames: the line is used", line.lags.len());
    }

    #[test]
    fn a_line_that_became_longer_is_learned() {
        let mut line = Line::new();
        line.skips(600, 1, |now, _| now + 1);
        line.skips(400, 1, |now, _| now + 15);
        assert_eq!(line.skips(600, 1, |now, _| now + 15), 0);
    }

    #[test]
    fn what_stopped_for_good_is_full_soon() {
        let mut line = Line::new();
        line.skips(600, 1, |now, _| now + 1);
        line.skips(20, 1, |_, _| u32::MAX);
        let waiting = line.on_the_way.len();
        assert!(waiting <= 10, "{waiting} frames are stale when it goes on");
        assert!(line.window.full_since(line.sent, line.now, HZ).is_some());
    }
}
