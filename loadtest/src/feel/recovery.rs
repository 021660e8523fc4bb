//! The effect of a blackout of the line on the picture.

use serde::Serialize;

use super::figures::Shares;
use super::trace::{Place, Trace};

/// Others are in step again when their state is at most as old as usual for so long, in milliseconds.
const STEADY_MS: f64 = 200.0;
/// The own avatar is in step again when what the keys do not explain changes by less than this, in units, within [`STEADY_MS`].
const QUIET: f64 = 0.3;
/// The time after a blackout in which the picture is watched, in milliseconds.
const WATCHED_MS: f64 = 2_000.0;
/// The state of others is as old as usual up to two frames more than 95% of it were before.
const TWO_FRAMES_MS: f64 = 1000.0 / 30.0;

/// The worst of the blackouts in a match.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Recovery {
    /// From the end of the blackout until everything is in step, in milliseconds.
    pub(crate) in_step_ms: f64,
    /// The farthest that the own avatar moved within one frame, in units.
    pub(crate) jump: f64,
    /// How far the picture was from where the server had it, in units: what the blackout itself makes the camera move.
    pub(crate) owed: f64,
}

impl Recovery {
    /// Returns `None` if no blackout lies in the match with some time before and after it. The spans are in the trace's time.
    pub(crate) fn of(trace: &Trace, blackouts: &[(f64, f64)]) -> Option<Self> {
        let ages = trace.ages();
        let rest = trace.unexplained();
        let is_watched = |(from, to): &&(f64, f64)| *from > trace.begun + 1_000.0 && to + WATCHED_MS < trace.ended;
        let all = blackouts.iter().filter(is_watched).filter_map(|(from, to)| {
            let before = |(t, _): &&(f64, f64)| t < from;
            let usual = Shares::of(ages.iter().filter(before).map(|(_, age)| *age).collect())?.p95 + TWO_FRAMES_MS;
            let old = ages.iter().map(|(t, age)| (*t, *age > usual)).collect::<Vec<_>>();
            let in_step_ms = last_break(&old, *to).max(last_break(&breaks(&rest), *to));
            let drawn: Vec<Place> = trace
                .frames
                .iter()
                .filter(|frame| (*to..to + WATCHED_MS / 2.0).contains(&frame.0))
                .filter_map(|frame| frame.player())
                .collect();
            let jump = drawn.windows(2).map(|pair| pair[0].distance(pair[1])).fold(0.0, f64::max);
            let at = |t: f64| rest.iter().find(|(at, _)| *at >= t).map(|(_, place)| *place);
            Some(Self { in_step_ms, jump, owed: at(*to)?.distance(at(to + WATCHED_MS / 2.0)?) })
        });
        all.reduce(|a, b| Self { in_step_ms: a.in_step_ms.max(b.in_step_ms), jump: a.jump.max(b.jump), owed: a.owed.max(b.owed) })
    }
}

/// Returns the time from `end` after which nothing is out of step for [`STEADY_MS`].
fn last_break(out_of_step: &[(f64, bool)], end: f64) -> f64 {
    let mut until = end;
    for (t, is_out) in out_of_step.iter().filter(|(t, _)| (end..end + WATCHED_MS).contains(t)) {
        if *t > until + STEADY_MS {
            break;
        }
        if *is_out {
            until = *t;
        }
    }
    until - end
}

/// When what the keys do not explain is about to change fast. A jump counts up to its own frame: right after it, all is in step.
fn breaks(rest: &[(f64, Place)]) -> Vec<(f64, bool)> {
    let mut until = 0;
    let change = |(n, (t, at)): (usize, &(f64, Place))| {
        while rest.get(until).is_some_and(|(later, _)| *later <= t + STEADY_MS) {
            until += 1;
        }
        (*t, rest[n..until].iter().any(|(_, after)| after.distance(*at) > QUIET))
    };
    rest.iter().enumerate().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_break_counts_until_it_is_steady() {
        let frames = |out: &[f64]| (0..200).map(|n| f64::from(n) * 10.0).map(|t| (t, out.contains(&t))).collect::<Vec<_>>();
        assert_eq!(last_break(&frames(&[]), 500.0), 0.0);
        assert_eq!(last_break(&frames(&[510.0, 620.0, 1900.0]), 500.0), 120.0);
        assert_eq!(last_break(&frames(&[100.0]), 500.0), 0.0);
    }

    #[test]
    fn fast_changes_are_breaks() {
        let rest: Vec<_> = (0..100).map(|n| (f64::from(n) * 10.0, Place::new(if n < 50 { 0.0 } else { 1.0 }, 0.0))).collect();
        let breaks: Vec<f64> = breaks(&rest).into_iter().filter(|(_, is)| *is).map(|(t, _)| t).collect();
        // The jump is in the frame at 500 ms. In the 200 ms before it, the picture was about to change.
        assert_eq!((breaks[0], *breaks.last().unwrap()), (300.0, 490.0));
    }
}
