//! The players' ratings, and how results change them.

use std::{collections::BTreeMap, sync::Arc};

use super::record::{MatchResult, Player, Record, Recorder};
use crate::{
    lobby::UserId,
    matchmaking::{Placing, Rating, RatingKey, RatingStore, RatingSystem, RatingsInMemory, WengLin},
};

/// How skill is rated, where ratings are stored, and which modes are rated.
#[derive(Clone)]
pub(crate) struct Ratings {
    pub(crate) system: Arc<dyn RatingSystem>,
    pub(crate) store: Arc<dyn RatingStore>,
    /// The rated modes.
    pub(crate) rated: Vec<RatedMode>,
}

/// A rated mode.
#[derive(Clone)]
pub(crate) struct RatedMode {
    pub(crate) game: &'static str,
    pub(crate) mode: String,
    /// The number of teams. `None` if everybody plays for themselves.
    pub(crate) teams: Option<usize>,
}

impl Default for Ratings {
    fn default() -> Self {
        Self { system: Arc::new(WengLin), store: Arc::new(RatingsInMemory::default()), rated: Vec::new() }
    }
}

impl Ratings {
    /// Returns a user's rating in a mode: the stored one, or the starting one.
    pub(crate) fn of(&self, user: &UserId, game: &'static str, mode: &Arc<str>) -> Rating {
        let key = RatingKey { user: user.clone(), game, mode: mode.clone() };
        self.store.rating(&key).unwrap_or_else(|| self.system.start())
    }

    /// Updates the ratings after a match, if its mode is rated and at least two sides had people.
    fn take(&self, result: &MatchResult) {
        let Some(rated) = self.rated.iter().find(|rated| rated.game == result.game && rated.mode == result.mode) else { return };
        let sides = sides(&result.players, rated.teams);
        if sides.len() < 2 {
            return;
        }
        let mode: Arc<str> = result.mode.as_str().into();
        let rating = |player: &&Player| self.of(&player.user, result.game, &mode);
        let placing = |side: &Vec<&Player>| Placing { ratings: side.iter().map(rating).collect(), place: place(side) };
        let after = self.system.after(&sides.iter().map(placing).collect::<Vec<_>>());
        let key = |player: &&Player| RatingKey { user: player.user.clone(), game: result.game, mode: mode.clone() };
        let players = sides.iter().flatten().map(key);
        self.store.save(&players.zip(after.into_iter().flatten()).collect::<Vec<_>>());
        tracing::debug!(room = %result.room, game = result.game, mode = result.mode, "ratings were updated");
    }
}

impl Recorder for Ratings {
    fn record(&self, record: &Record) {
        if let Record::Ended(result) = record {
            self.take(result);
        }
    }
}

/// Groups the players by team, or each alone without teams. Seats belong to the teams in turn.
fn sides(players: &[Player], teams: Option<usize>) -> Vec<Vec<&Player>> {
    let mut sides: BTreeMap<usize, Vec<&Player>> = BTreeMap::new();
    for (at, player) in players.iter().enumerate() {
        let side = teams.map_or(at, |teams| usize::from(player.seat.0.saturating_sub(1)) % teams);
        sides.entry(side).or_default().push(player);
    }
    sides.into_values().collect()
}

/// Returns a side's place: winners are first, losers second, players who gave up third. The best player counts for a team.
fn place(side: &[&Player]) -> usize {
    let place = |player: &&Player| match player {
        Player { won: true, .. } => 1,
        Player { stayed: true, .. } => 2,
        Player { stayed: false, .. } => 3,
    };
    side.iter().map(place).min().unwrap_or(3)
}
