//! What a match of a mode is like, and how long the matchmaker holds out for a good one.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use thiserror::Error;

/// The mode of a game for which none is configured, and of a request that names none.
pub const DEFAULT_MODE: &str = "default";

/// A rule of the matchmaker: how many play with whom.
///
/// A match has teams of equal size, or is everybody for themselves. The oldest entry of a match decides how far apart its
/// skills and how long its latencies may be, so that nobody waits for ever behind those who came later.
///
/// ```
/// # use tickcast::{matchmaking::Mode, prelude::secs};
/// let duo = Mode::teams(2)
///     .of(2..=2)
///     .ready_check(secs(10.0))
///     .skill([(secs(0.0), 100.0), (secs(10.0), 250.0), (secs(30.0), f64::INFINITY)])
///     .rated();
/// assert_eq!(duo.players(), 4..=4);
/// ```
///
/// Read from JSON, it has the same rules by the same names, with times in seconds:
/// `{"teams": 2, "players": [2, 2], "ready_check": 10, "skill": [[0, 100], [30, null]], "rated": true}`.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a mode does nothing until a server has it"]
pub struct Mode {
    pub(super) teams: usize,
    pub(super) size: RangeInclusive<usize>,
    pub(super) hold_out: Duration,
    pub(super) ready_check: Option<Duration>,
    pub(super) skill: Vec<(Duration, f64)>,
    pub(super) regions: Vec<Arc<str>>,
    pub(super) latency: Vec<(Duration, u16)>,
    pub(super) same: Vec<String>,
    pub(super) bots_after: Option<Duration>,
    pub(super) backfill: bool,
    pub(super) rated: bool,
    /// What a method was told and makes no sense.
    wrong: Option<ModeError>,
}

/// Why a game cannot have a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ModeError {
    /// A team without players.
    #[error("each team needs at least one player, and no fewer at most than at least")]
    Empty,
    /// One team, or none.
    #[error("it has fewer than two teams: without teams it is `free_for_all`, or one that names no teams")]
    OneTeam,
    /// No steps for skills or latencies.
    #[error("it limits skills or latencies without a step: leave the limit out, or give it one")]
    NoSteps,
    /// Latencies are limited, but to nowhere.
    #[error("it limits latencies and names no regions")]
    NoRegions,
    /// More players than a room seats.
    #[error("it takes up to {players} players, and a room of the game seats {seats}")]
    TooMany {
        /// What the mode takes.
        players: usize,
        /// What the game has.
        seats: usize,
    },
    /// Bots are to fill seats, but the game has none.
    #[error("it fills seats with bots, and the game has no bot")]
    NoBot,
}

impl Mode {
    /// Everybody for themselves: a match starts with the least, and takes the most.
    pub fn free_for_all(players: RangeInclusive<usize>) -> Self {
        Self {
            teams: 1,
            size: players,
            hold_out: Duration::ZERO,
            ready_check: None,
            skill: Vec::new(),
            regions: Vec::new(),
            latency: Vec::new(),
            same: Vec::new(),
            bots_after: None,
            backfill: false,
            rated: false,
            wrong: None,
        }
    }

    /// So many teams, two or more, each of one player until [`of`](Self::of) says otherwise.
    pub fn teams(teams: usize) -> Self {
        let wrong = (teams < 2).then_some(ModeError::OneTeam);
        Self { teams, wrong, ..Self::free_for_all(1..=1) }
    }

    /// Players a team: all teams of a match have as many. Of a mode without teams, the players of a match.
    pub fn of(mut self, size: RangeInclusive<usize>) -> Self {
        self.size = size;
        self
    }

    /// How long the oldest entry waits for a full match before fewer players, down to the least, are enough. No time unless set.
    pub fn hold_out(mut self, time: Duration) -> Self {
        self.hold_out = time;
        self
    }

    /// Asks everybody whether they are ready, and gives them so long to say so.
    pub fn ready_check(mut self, time: Duration) -> Self {
        self.ready_check = Some(time);
        self
    }

    /// How far a rating may be from the oldest entry's: from each waiting time on, so much. Any distance unless set.
    pub fn skill(mut self, steps: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        self.skill = sorted(steps);
        self.wrong = self.wrong.or(self.skill.is_empty().then_some(ModeError::NoSteps));
        self
    }

    /// The regions in which matches may be held. Without any, what entries say of regions is ignored.
    pub fn regions<R: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = R>) -> Self {
        self.regions = names.into_iter().map(Into::into).collect();
        self
    }

    /// The round-trip time to a match's region, in milliseconds, that is taken from each waiting time of the oldest entry on. Any
    /// unless set.
    pub fn latency(mut self, steps: impl IntoIterator<Item = (Duration, u16)>) -> Self {
        self.latency = sorted(steps);
        self.wrong = self.wrong.or(self.latency.is_empty().then_some(ModeError::NoSteps));
        self
    }

    /// Properties of entries that must be the same for all in a match. No others are taken.
    pub fn same<P: Into<String>>(mut self, properties: impl IntoIterator<Item = P>) -> Self {
        self.same = properties.into_iter().map(Into::into).collect();
        self
    }

    /// Once the oldest entry has waited so long, bots take the seats that are missing.
    pub fn bots_after(mut self, time: Duration) -> Self {
        self.bots_after = Some(time);
        self
    }

    /// Sends entries into running matches of this mode that have free seats.
    pub fn backfill(mut self) -> Self {
        self.backfill = true;
        self
    }

    /// Results move the players' ratings.
    pub fn rated(mut self) -> Self {
        self.rated = true;
        self
    }

    /// Players in a match, at least and at most.
    pub fn players(&self) -> RangeInclusive<usize> {
        self.teams * self.size.start()..=self.teams * self.size.end()
    }

    /// How many teams there are; `None` if everybody plays for themselves.
    pub fn sides(&self) -> Option<usize> {
        (self.teams > 1).then_some(self.teams)
    }

    /// Whether entries are sent into running matches.
    pub fn is_backfilled(&self) -> bool {
        self.backfill
    }

    /// Whether results move ratings.
    pub fn is_rated(&self) -> bool {
        self.rated
    }

    /// Refuses what rooms with so many seats cannot hold.
    ///
    /// # Errors
    /// The mode makes no sense, or not for that game.
    pub fn check(&self, seats: usize, has_bot: bool) -> Result<(), ModeError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let (least, most) = (*self.size.start(), *self.size.end());
        if least == 0 || least > most {
            return Err(ModeError::Empty);
        }
        match self.teams.saturating_mul(most) {
            _ if !self.latency.is_empty() && self.regions.is_empty() => Err(ModeError::NoRegions),
            players if players > seats => Err(ModeError::TooMany { players, seats }),
            _ if self.bots_after.is_some() && !has_bot => Err(ModeError::NoBot),
            _ => Ok(()),
        }
    }

    /// How far a rating may be from that of an entry that has waited so long.
    pub(super) fn window(&self, waited: Duration) -> f64 {
        step(&self.skill, waited).unwrap_or(f64::INFINITY)
    }

    /// The round-trip time that an entry which has waited so long takes, and has others take.
    pub(super) fn limit(&self, waited: Duration) -> u16 {
        step(&self.latency, waited).unwrap_or(u16::MAX)
    }

    /// The sizes of team that are good enough after waiting so long.
    pub(super) fn sizes(&self, waited: Duration) -> RangeInclusive<usize> {
        let least = if waited >= self.hold_out { self.size.start() } else { self.size.end() };
        *least..=*self.size.end()
    }
}

fn sorted<T>(steps: impl IntoIterator<Item = (Duration, T)>) -> Vec<(Duration, T)> {
    let mut steps: Vec<_> = steps.into_iter().collect();
    steps.sort_by_key(|(from, _)| *from);
    steps
}

/// The newest step that has begun, or the first.
fn step<T: Copy>(steps: &[(Duration, T)], waited: Duration) -> Option<T> {
    let begun = steps.partition_point(|(from, _)| *from <= waited);
    steps.get(begun.saturating_sub(1)).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn windows_widen_by_steps() {
        let mode = Mode::teams(2).skill([(seconds(10), 200.0), (seconds(0), 100.0), (seconds(30), f64::INFINITY)]);
        let at = |waited| mode.window(seconds(waited));
        assert_eq!([at(0), at(9), at(10), at(29), at(30)], [100.0, 100.0, 200.0, 200.0, f64::INFINITY]);
        assert_eq!(Mode::teams(2).window(seconds(0)), f64::INFINITY);
    }

    #[test]
    fn a_full_match_is_held_out_for() {
        let mode = Mode::teams(2).of(1..=3).hold_out(seconds(5));
        assert_eq!((mode.sizes(seconds(4)), mode.sizes(seconds(5))), (3..=3, 1..=3));
    }

    #[test]
    fn a_mode_must_fit_its_game() {
        assert_eq!(Mode::teams(2).of(2..=2).check(4, false), Ok(()));
        assert_eq!(Mode::teams(2).of(2..=3).check(4, false), Err(ModeError::TooMany { players: 6, seats: 4 }));
        #[expect(clippy::reversed_empty_ranges, reason = "that is the mistake")]
        let reversed = Mode::teams(2).of(2..=1);
        for mode in [Mode::teams(2).of(0..=2), reversed] {
            assert_eq!(mode.check(4, true), Err(ModeError::Empty));
        }
        assert_eq!(Mode::teams(2).bots_after(seconds(1)).check(4, false), Err(ModeError::NoBot));
        assert_eq!(Mode::teams(2).bots_after(seconds(1)).check(4, true), Ok(()));
    }

    #[test]
    fn a_mode_says_what_it_limits() {
        for mode in [Mode::teams(0), Mode::teams(1)] {
            assert_eq!(mode.of(2..=2).check(4, true), Err(ModeError::OneTeam));
        }
        for mode in [Mode::teams(2).skill([]), Mode::teams(2).regions(["eu"]).latency([])] {
            assert_eq!(mode.check(4, true), Err(ModeError::NoSteps));
        }
        let mode = Mode::teams(2).latency([(seconds(0), 60)]);
        assert_eq!(mode.clone().check(4, true), Err(ModeError::NoRegions));
        assert_eq!(mode.regions(["eu"]).check(4, true), Ok(()));
    }
}
