//! Modes: the shape of a match, and how long the matchmaker waits for a good one.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use thiserror::Error;

use crate::game::{Strength, StrengthError};

/// The name of the mode of a game that configures none, and of a request without a mode.
pub const DEFAULT_MODE: &str = "default";

/// The rules by which the matchmaker forms matches.
///
/// A match has teams of equal size, or everybody plays for themselves. The limits for ratings and latencies depend on the waiting
/// time of the oldest entry in a match, so that no entry waits forever behind newer ones.
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
/// In JSON, a mode has fields with the same names, with times in seconds:
/// `{"teams": 2, "players": [2, 2], "ready_check": 10, "skill": [[0, 100], [30, null]], "rated": true}`.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a mode does nothing until it is passed to a server"]
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
    pub(super) strength: Option<Strength>,
    /// The first invalid value that a builder method was given.
    wrong: Option<ModeError>,
}

/// The reason why a mode is not valid for a game.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModeError {
    /// The range of players is empty, or starts at 0.
    #[error("it needs a range of players that starts at 1 or more and is not empty, such as 1..=4")]
    Empty,
    /// The mode has fewer than two teams.
    #[error("it has fewer than two teams: use `free_for_all`, or leave `teams` out, if everybody plays for themselves")]
    OneTeam,
    /// A limit for ratings or latencies has no steps.
    #[error("it limits skill or latency without a step: add one, or leave the limit out")]
    NoSteps,
    /// The mode limits latencies, but has no regions.
    #[error("it limits latencies but names no regions")]
    NoRegions,
    /// The mode has more players than a room has seats.
    #[error("it has up to {players} players, but a room of the game has {seats} seats")]
    TooMany {
        /// The most players in a match of the mode.
        players: usize,
        /// The number of seats in a room of the game.
        seats: usize,
    },
    /// The mode says something about bots, but the game has no bot.
    #[error("it fills seats with bots, or says how strong they are, but the game has no bot")]
    NoBot,
    /// The mode asks for bots of a strength that the game's bots do not have.
    #[error(transparent)]
    Strength(#[from] StrengthError),
}

impl Mode {
    /// Makes a mode without teams. A match has at least the start and at most the end of the range of players.
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
            strength: None,
            wrong: None,
        }
    }

    /// Makes a mode with two or more teams of one player each. [`of`](Self::of) sets the size of the teams.
    pub fn teams(teams: usize) -> Self {
        let wrong = (teams < 2).then_some(ModeError::OneTeam);
        Self { teams, wrong, ..Self::free_for_all(1..=1) }
    }

    /// Sets the number of players in a team, which is the same for all teams of a match. In a mode without teams, sets the number
    /// of players in a match.
    pub fn of(mut self, size: RangeInclusive<usize>) -> Self {
        self.size = size;
        self
    }

    /// Sets how long the oldest entry waits for a full match. After that, any number of players in the range is enough.
    /// Default 0.
    pub fn hold_out(mut self, time: Duration) -> Self {
        self.hold_out = time;
        self
    }

    /// Adds a ready check: all players must accept the match within this time. Default: no ready check.
    pub fn ready_check(mut self, time: Duration) -> Self {
        self.ready_check = Some(time);
        self
    }

    /// Limits the difference between a rating and that of the oldest entry. Each step is a waiting time of the oldest entry and
    /// the limit from then on. Default: no limit.
    pub fn skill(mut self, steps: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        self.skill = sorted(steps);
        self.wrong = self.wrong.or(self.skill.is_empty().then_some(ModeError::NoSteps));
        self
    }

    /// Sets the regions in which matches can be held. Default: none, and the latencies of entries are ignored.
    pub fn regions<R: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = R>) -> Self {
        self.regions = names.into_iter().map(Into::into).collect();
        self
    }

    /// Limits the round-trip time to a match's region, in milliseconds. Each step is a waiting time of the oldest entry and the
    /// limit from then on. Default: no limit.
    pub fn latency(mut self, steps: impl IntoIterator<Item = (Duration, u16)>) -> Self {
        self.latency = sorted(steps);
        self.wrong = self.wrong.or(self.latency.is_empty().then_some(ModeError::NoSteps));
        self
    }

    /// Sets the properties that must be equal for all entries of a match. Requests with other properties are refused.
    /// Default: none.
    pub fn same<P: Into<String>>(mut self, properties: impl IntoIterator<Item = P>) -> Self {
        self.same = properties.into_iter().map(Into::into).collect();
        self
    }

    /// Fills missing seats with bots once the oldest entry has waited this long. Default: never.
    pub fn bots_after(mut self, time: Duration) -> Self {
        self.bots_after = Some(time);
        self
    }

    /// Sends entries into running matches of this mode that have free seats. Default: off.
    pub fn backfill(mut self) -> Self {
        self.backfill = true;
        self
    }

    /// Lets results change the players' ratings. Default: off.
    pub fn rated(mut self) -> Self {
        self.rated = true;
        self
    }

    /// Sets how strong the bots of its matches play. Default: as [`Strength::by_people`] says.
    pub fn strength(mut self, strength: Strength) -> Self {
        self.strength = Some(strength);
        self
    }

    /// Returns the smallest and the largest number of players in a match.
    pub fn players(&self) -> RangeInclusive<usize> {
        self.teams * self.size.start()..=self.teams * self.size.end()
    }

    /// Returns the number of teams, or `None` if everybody plays for themselves.
    pub fn sides(&self) -> Option<usize> {
        (self.teams > 1).then_some(self.teams)
    }

    /// Returns whether entries are sent into running matches.
    pub fn is_backfilled(&self) -> bool {
        self.backfill
    }

    /// Returns whether results change ratings.
    pub fn is_rated(&self) -> bool {
        self.rated
    }

    /// Returns how strong the bots are to play, if the mode says so.
    pub fn bot_strength(&self) -> Option<Strength> {
        self.strength
    }

    /// Checks that the mode is consistent and suits a game with this number of seats, and with bots of these strengths. `None`: the
    /// game has no bots.
    ///
    /// # Errors
    /// Returns an error if the mode is invalid by itself, or for that game.
    pub fn check(&self, seats: usize, bots: Option<&[Strength]>) -> Result<(), ModeError> {
        if let Some(wrong) = &self.wrong {
            return Err(wrong.clone());
        }
        let (min, max) = (*self.size.start(), *self.size.end());
        if min == 0 || min > max {
            return Err(ModeError::Empty);
        }
        match self.teams.saturating_mul(max) {
            _ if !self.latency.is_empty() && self.regions.is_empty() => Err(ModeError::NoRegions),
            players if players > seats => Err(ModeError::TooMany { players, seats }),
            _ if bots.is_none() && (self.bots_after.is_some() || self.strength.is_some()) => Err(ModeError::NoBot),
            _ => Ok(self.strength.map_or(Ok(()), |strength| strength.check(bots.unwrap_or_default()))?),
        }
    }

    /// Returns the largest rating difference for an entry with this waiting time.
    pub(super) fn window(&self, waited: Duration) -> f64 {
        step(&self.skill, waited).unwrap_or(f64::INFINITY)
    }

    /// Returns the longest round-trip time, in milliseconds, in a match whose oldest entry has this waiting time.
    pub(super) fn limit(&self, waited: Duration) -> u16 {
        step(&self.latency, waited).unwrap_or(u16::MAX)
    }

    /// Returns the team sizes that are accepted after this waiting time.
    pub(super) fn sizes(&self, waited: Duration) -> RangeInclusive<usize> {
        let min = if waited >= self.hold_out { self.size.start() } else { self.size.end() };
        *min..=*self.size.end()
    }
}

fn sorted<T>(steps: impl IntoIterator<Item = (Duration, T)>) -> Vec<(Duration, T)> {
    let mut steps: Vec<_> = steps.into_iter().collect();
    steps.sort_by_key(|(from, _)| *from);
    steps
}

/// Returns the value of the newest step that has begun, or of the first.
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
    fn smaller_teams_are_accepted_after_the_hold_out() {
        let mode = Mode::teams(2).of(1..=3).hold_out(seconds(5));
        assert_eq!((mode.sizes(seconds(4)), mode.sizes(seconds(5))), (3..=3, 1..=3));
    }

    #[test]
    fn a_mode_must_fit_its_game() {
        assert_eq!(Mode::teams(2).of(2..=2).check(4, None), Ok(()));
        assert_eq!(Mode::teams(2).of(2..=3).check(4, None), Err(ModeError::TooMany { players: 6, seats: 4 }));
        #[expect(clippy::reversed_empty_ranges, reason = "the test needs an empty range")]
        let reversed = Mode::teams(2).of(2..=1);
        for mode in [Mode::teams(2).of(0..=2), reversed] {
            assert_eq!(mode.check(4, Some(&[])), Err(ModeError::Empty));
        }
        assert_eq!(Mode::teams(2).bots_after(seconds(1)).check(4, None), Err(ModeError::NoBot));
        assert_eq!(Mode::teams(2).bots_after(seconds(1)).check(4, Some(&[])), Ok(()));
        let hard = Mode::teams(2).strength(Strength::Hard);
        assert_eq!(hard.check(4, Some(&Strength::ALL)), Ok(()));
        assert_eq!(hard.check(4, None), Err(ModeError::NoBot));
        let said = hard.check(4, Some(&[Strength::Easy])).unwrap_err().to_string();
        assert_eq!(said, "the game's bots cannot be hard, only easy");
    }

    #[test]
    fn inconsistent_modes_are_refused() {
        for mode in [Mode::teams(0), Mode::teams(1)] {
            assert_eq!(mode.of(2..=2).check(4, Some(&[])), Err(ModeError::OneTeam));
        }
        for mode in [Mode::teams(2).skill([]), Mode::teams(2).regions(["eu"]).latency([])] {
            assert_eq!(mode.check(4, Some(&[])), Err(ModeError::NoSteps));
        }
        let mode = Mode::teams(2).latency([(seconds(0), 60)]);
        assert_eq!(mode.clone().check(4, Some(&[])), Err(ModeError::NoRegions));
        assert_eq!(mode.regions(["eu"]).check(4, Some(&[])), Ok(()));
    }
}
