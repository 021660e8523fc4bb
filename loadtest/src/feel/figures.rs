//! The figures of a match: what a player sees, computed from what was drawn, and from nothing that an SDK says about itself but the
//! error of its prediction.

use serde::Serialize;

use super::game::WALK;
use super::trace::{Moment, Path, Place, Trace};

/// How far back the state of others is looked for. The reference walks a square, which takes longer.
const OLDEST_MS: f64 = 3_500.0;

/// A player who rested has moved if the picture differs by this much, in units.
const MOVED: f64 = 1e-3;
/// The frames before a key in which the picture must not move.
const STILL: usize = 4;

/// A movement that the keys do not explain is visible if it is more than this, in units, and comes within this time. An avatar is 1 unit wide.
/// A start or stop that is drawn a tick early or late is 0.22 units.
const VISIBLE: f64 = 0.3;
const SUDDEN_MS: f64 = 150.0;
/// Corrections that follow each other within this time are one.
const ONE_MS: f64 = 500.0;

/// The picture of the reference stops if it moves by less than this part of its speed, for so many frames.
const STUCK: f64 = 0.1;
const STUCK_FRAMES: usize = 2;

/// The values below which a part of the samples lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Shares {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) samples: usize,
}

impl Shares {
    /// Returns `None` without samples.
    pub(crate) fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let last = samples.len().checked_sub(1)?;
        let share = |part: f64| samples[((part * samples.len() as f64).ceil() as usize).saturating_sub(1).min(last)];
        Some(Self { p50: share(0.5), p95: share(0.95), p99: share(0.99), samples: samples.len() })
    }
}

/// The answer of the picture to a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Answer {
    /// From the key to the frame in which the avatar has moved.
    pub(crate) ms: f64,
    /// 1 for the first frame after the key.
    pub(crate) frames: f64,
}

impl Trace {
    fn counted(&self) -> &[Moment] {
        let start = self.frames.partition_point(|frame| frame.0 < self.begun);
        let end = self.frames.partition_point(|frame| frame.0 <= self.ended);
        &self.frames[start..end]
    }

    pub(crate) fn minutes(&self) -> f64 {
        (self.ended - self.begun) / 60_000.0
    }

    /// The times between two frames, in milliseconds.
    pub(crate) fn gaps(&self) -> Option<Shares> {
        Shares::of(self.counted().windows(2).map(|pair| pair[1].0 - pair[0].0).collect())
    }

    /// The answers to the keys that were pressed at rest. A key without one before the next rest counts as long as that took.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let frames = self.counted();
        let at_rest = self.keys.iter().enumerate().filter(|(_, key)| key.2);
        at_rest.filter_map(|(n, key)| answer(frames, key.0, self.next_rest(n))).collect()
    }

    /// The time of the next key at rest.
    fn next_rest(&self, after: usize) -> f64 {
        self.keys[after + 1..].iter().find(|key| key.2).map_or(self.ended, |key| key.0)
    }

    /// How old the drawn state of the reference was, in each frame.
    pub(crate) fn ages(&self) -> Vec<(f64, f64)> {
        let path = Path::new(&self.told, Moment::reference);
        let age = |frame: &Moment| {
            let (t, _) = path.nearest(frame.reference()?, frame.0 - OLDEST_MS, frame.0)?;
            Some((frame.0, frame.0 - t))
        };
        self.counted().iter().filter_map(age).collect()
    }

    /// How often the picture of the reference stopped, although it never stops.
    pub(crate) fn underruns(&self) -> usize {
        let step = |pair: &[Moment]| {
            let least = WALK as f64 * (pair[1].0 - pair[0].0) / 1000.0 * STUCK;
            Some(pair[0].reference()?.distance(pair[1].reference()?) < least)
        };
        let stuck: Vec<bool> = self.counted().windows(2).map(|pair| step(pair).unwrap_or(true)).collect();
        let runs = stuck.chunk_by(|a, b| a == b);
        runs.filter(|run| run[0] && run.len() >= STUCK_FRAMES).count()
    }

    /// The times of corrections that a player sees: the avatar moves as its keys do not explain. Only for a match without a fight.
    pub(crate) fn corrections(&self) -> Vec<f64> {
        let rest = self.unexplained();
        let mut seen: Vec<f64> = Vec::new();
        let mut since = 0;
        for (n, (t, at)) in rest.iter().enumerate() {
            while rest[since].0 < t - SUDDEN_MS {
                since += 1;
            }
            let is_visible = rest[since..n].iter().any(|(_, before)| before.distance(*at) > VISIBLE);
            if is_visible && seen.last().is_none_or(|last| t - last > ONE_MS) {
                seen.push(*t);
            } else if is_visible && let Some(last) = seen.last_mut() {
                *last = last.max(*t);
            }
        }
        seen
    }

    /// The drawn way of the player, less the way that the keys explain, at the delay that explains most.
    pub(crate) fn unexplained(&self) -> Vec<(f64, Place)> {
        let way = self.way_of_keys();
        let drawn: Vec<(f64, Place)> = self.counted().iter().filter_map(|frame| Some((frame.0, frame.player()?))).collect();
        let rest =
            |delay: f64| -> Vec<(f64, Place)> { drawn.iter().map(|(t, at)| (*t, minus(*at, along(&way, t - delay)))).collect() };
        let roughness = |delay: &f64| -> f64 {
            let rest = rest(*delay);
            rest.windows(2).map(|pair| pair[0].1.distance(pair[1].1)).sum()
        };
        let delays = (0..=120).map(|n| f64::from(n) * 5.0);
        let best = delays.min_by(|a, b| roughness(a).total_cmp(&roughness(b)));
        rest(best.unwrap_or_default())
    }

    /// Where the keys would take an avatar that starts at 0 and answers at once.
    fn way_of_keys(&self) -> Vec<(f64, Place)> {
        let mut at = Place::new(0.0, 0.0);
        let mut way = vec![(f64::NEG_INFINITY, at)];
        let ends = self.keys.iter().skip(1).map(|key| key.0).chain([self.ended]);
        for (key, end) in self.keys.iter().zip(ends) {
            let (dx, dy) = direction(&key.1);
            let far = WALK as f64 * (end - key.0).max(0.0) / 1000.0;
            way.push((key.0, at));
            at = Place::new(at.x + dx * far, at.y + dy * far);
            way.push((end, at));
        }
        way
    }
}

fn answer(frames: &[Moment], key: f64, until: f64) -> Option<Answer> {
    let first = frames.partition_point(|frame| frame.0 < key);
    let before: Option<Vec<Place>> = frames.get(first.checked_sub(STILL)?..first)?.iter().map(Moment::player).collect();
    let before = before?;
    let from = *before.last()?;
    if before.iter().any(|at| at.distance(from) > MOVED) {
        return None;
    }
    let later = frames.get(first..)?.iter().take_while(|frame| frame.0 < until);
    let mut frames = 0.0;
    let mut ms = 0.0;
    for frame in later {
        frames += 1.0;
        ms = frame.0 - key;
        if frame.player().is_some_and(|at| at.distance(from) > MOVED) {
            break;
        }
    }
    (frames > 0.0).then_some(Answer { ms, frames })
}

fn direction(name: &str) -> (f64, f64) {
    match name {
        "E" => (1.0, 0.0),
        "N" => (0.0, 1.0),
        "W" => (-1.0, 0.0),
        "S" => (0.0, -1.0),
        _ => (0.0, 0.0),
    }
}

fn minus(a: Place, b: Place) -> Place {
    Place::new(a.x - b.x, a.y - b.y)
}

/// The place at a time, between the points of a way.
fn along(way: &[(f64, Place)], t: f64) -> Place {
    let after = way.partition_point(|(at, _)| *at <= t);
    match (way.get(after.wrapping_sub(1)), way.get(after)) {
        (Some((t0, a)), Some((t1, b))) if t0.is_finite() && t1 > t0 => a.towards(*b, (t - t0) / (t1 - t0)),
        (Some((_, a)), _) => *a,
        (None, first) => first.map_or(Place::new(0.0, 0.0), |(_, at)| *at),
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::{Key, Told};
    use super::*;

    const FRAME: f64 = 1000.0 / 60.0;

    /// A match of 20 s in which the player is drawn `delay` late, and the reference `age` late. `bend` changes frames.
    fn trace(delay: f64, age: f64, bend: impl Fn(f64, &mut Moment)) -> Trace {
        let mut keys = Vec::new();
        for round in 0..9 {
            let (there, back) = [("E", "N"), ("W", "S")][round % 2];
            let t = 1_000.0 + 2_000.0 * round as f64;
            keys.extend([Key(t, there.into(), true), Key(t + 500.0, back.into(), false), Key(t + 1_000.0, "None".into(), false)]);
        }
        let prediction = Told::default();
        let mut trace =
            Trace { fight: false, begun: 0.0, ended: 20_000.0, frames: Vec::new(), told: Vec::new(), keys, prediction };
        let way = trace.way_of_keys();
        let reference = |t: f64| {
            let far = t * WALK as f64 / 1000.0;
            let side = 6.5;
            let on = far.rem_euclid(side);
            match (far / side).floor().rem_euclid(4.0) as u8 {
                0 => Place::new(on, 0.0),
                1 => Place::new(side, on),
                2 => Place::new(side - on, side),
                _ => Place::new(0.0, side - on),
            }
        };
        let moment = |t: f64, me: f64, other: f64| {
            let (me, other) = (along(&way, me), reference(other));
            Moment(t, Some(me.x), Some(me.y), Some(other.x), Some(other.y))
        };
        trace.told = (-120..600).map(|n| f64::from(n) * 1000.0 / 30.0).map(|t| moment(t, t, t)).collect();
        for n in 0..1200 {
            let t = f64::from(n) * FRAME;
            let mut frame = moment(t, t - delay, t - age);
            bend(t, &mut frame);
            trace.frames.push(frame);
        }
        trace
    }

    #[test]
    fn shares_are_those_of_the_samples() {
        let shares = Shares::of((1..=100).rev().map(f64::from).collect()).unwrap();
        assert_eq!(shares, Shares { p50: 50.0, p95: 95.0, p99: 99.0, samples: 100 });
        assert_eq!(Shares::of(vec![7.0]).unwrap().p99, 7.0);
        assert_eq!(Shares::of(Vec::new()), None);
    }

    #[test]
    fn answers_to_keys_at_rest_are_timed() {
        let answers = trace(100.0, 120.0, |_, _| ()).answers();
        assert_eq!(answers.len(), 9);
        assert!(answers.iter().all(|answer| (100.0..=120.0).contains(&answer.ms)), "{answers:?}");
        assert!(answers.iter().all(|answer| (6.0..=8.0).contains(&answer.frames)), "{answers:?}");
        let at_once = trace(0.0, 120.0, |_, _| ()).answers();
        assert!(at_once.iter().all(|answer| answer.ms < 2.0 * FRAME && answer.frames <= 2.0), "{at_once:?}");
    }

    #[test]
    fn a_key_at_which_the_picture_moves_is_left_out() {
        let moving = trace(0.0, 120.0, |t, frame| {
            if (900.0..1_000.0).contains(&t) {
                frame.1 = Some(t / 100.0);
            }
        });
        assert_eq!(moving.answers().len(), 8);
    }

    #[test]
    fn a_key_without_an_answer_counts_as_long_as_it_waited() {
        let frozen = trace(0.0, 120.0, |_, frame| (frame.1, frame.2) = (Some(1.0), Some(1.0)));
        assert!(frozen.answers()[0].ms > 1_900.0, "{:?}", frozen.answers());
    }

    #[test]
    fn the_age_of_others_is_that_of_their_place() {
        for age in [40.0, 117.0, 900.0] {
            let ages = trace(0.0, age, |_, _| ()).ages();
            let shares = Shares::of(ages.into_iter().map(|(_, age)| age).collect()).unwrap();
            assert!((shares.p50 - age).abs() < 5.0 && shares.p99 < age + 40.0, "{age}: {shares:?}");
        }
    }

    #[test]
    fn pictures_that_stop_are_counted() {
        assert_eq!(trace(0.0, 100.0, |_, _| ()).underruns(), 0);
        let stops = |t: f64, frame: &mut Moment| {
            if (5_000.0..5_100.0).contains(&t) || (8_000.0..8_020.0).contains(&t) {
                (frame.3, frame.4) = (Some(1.0), Some(0.0));
            }
        };
        assert_eq!(trace(0.0, 100.0, stops).underruns(), 1, "one frame alone does not count");
    }

    #[test]
    fn movement_that_keys_explain_is_no_correction() {
        for delay in [0.0, 15.0, 250.0] {
            assert!(trace(delay, 100.0, |_, _| ()).corrections().is_empty(), "{delay}");
        }
    }

    #[test]
    fn slides_and_jumps_are_corrections_and_drifts_are_not() {
        let slide = |from: f64, ms: f64, far: f64| {
            move |t: f64, frame: &mut Moment| frame.1 = frame.1.map(|x| x + far * ((t - from) / ms).clamp(0.0, 1.0))
        };
        let at = |bend: &dyn Fn(f64, &mut Moment)| trace(30.0, 100.0, bend).corrections();
        let seen = at(&slide(6_000.0, 100.0, 0.5));
        assert!(seen.len() == 1 && (6_000.0..6_300.0).contains(&seen[0]), "{seen:?}");
        assert_eq!(at(&slide(6_000.0, 1.0, 0.5)).len(), 1);
        assert_eq!(at(&slide(6_000.0, 1.0, 0.2)).len(), 0, "small ones are not visible");
        assert_eq!(at(&slide(6_000.0, 1_000.0, 0.5)).len(), 0, "slow ones are not visible");
    }
}
