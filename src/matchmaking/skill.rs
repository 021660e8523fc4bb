//! Skill ratings and the systems that update them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use skillratings::{
    MultiTeamOutcome, Outcomes,
    glicko2::{Glicko2Config, Glicko2Rating, glicko2_rating_period},
    weng_lin::{WengLinConfig, WengLinRating, weng_lin_multi_team},
};

use crate::lobby::UserId;

/// The rating of a new player, in both systems.
const START: f64 = 1500.0;

/// A skill rating: an estimate and its uncertainty. New players start at 1500.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The estimate.
    pub rating: f64,
    /// The standard deviation of the estimate. It usually falls with each match.
    pub deviation: f64,
    /// The volatility of the player's results. Only Glicko-2 uses it.
    pub volatility: f64,
}

/// A team's place in the result of a match.
#[derive(Debug, Clone, PartialEq)]
pub struct Placing {
    /// The players' ratings before the match.
    pub ratings: Vec<Rating>,
    /// The place: 1 is the best. Teams with the same place drew.
    pub place: usize,
}

/// A system that updates ratings from results.
pub trait RatingSystem: fmt::Debug + Send + Sync + 'static {
    /// Returns the rating of a new player.
    fn start(&self) -> Rating;

    /// Returns the ratings after a match, in the order of `teams` and their players.
    fn after(&self, teams: &[Placing]) -> Vec<Vec<Rating>>;
}

/// The Bayesian approximation of Weng and Lin (2011), for any number and size of teams. It is scaled so that ratings start at
/// 1500 with a deviation of 500.
#[derive(Debug, Clone, Copy, Default)]
pub struct WengLin;

/// Glickman's Glicko-2. A match is a rating period in which each player plays against the average of each other team.
#[derive(Debug, Clone, Copy, Default)]
pub struct Glicko2;

impl RatingSystem for WengLin {
    fn start(&self) -> Rating {
        Rating { rating: START, deviation: START / 3.0, volatility: 0.0 }
    }

    fn after(&self, teams: &[Placing]) -> Vec<Vec<Rating>> {
        let theirs = |rating: &Rating| WengLinRating { rating: rating.rating, uncertainty: rating.deviation };
        let before: Vec<Vec<_>> = teams.iter().map(|team| team.ratings.iter().map(theirs).collect()).collect();
        let groups: Vec<_> =
            before.iter().zip(teams).map(|(ratings, team)| (&ratings[..], MultiTeamOutcome::new(team.place))).collect();
        // Beta is the spread of performances around a skill. By convention it is half of the initial deviation.
        let config = WengLinConfig { beta: START / 6.0, ..WengLinConfig::new() };
        let after = weng_lin_multi_team(&groups, &config);
        let ours = |rating: &WengLinRating| Rating { rating: rating.rating, deviation: rating.uncertainty, volatility: 0.0 };
        after.iter().map(|team| team.iter().map(ours).collect()).collect()
    }
}

impl RatingSystem for Glicko2 {
    fn start(&self) -> Rating {
        ours(Glicko2Rating::new())
    }

    fn after(&self, teams: &[Placing]) -> Vec<Vec<Rating>> {
        let averages: Vec<_> = teams.iter().map(|team| average(&team.ratings)).collect();
        let after = |(at, team): (usize, &Placing)| {
            let others = averages.iter().zip(teams).enumerate().filter(|(other, _)| *other != at);
            let results: Vec<_> = others.map(|(_, (average, other))| (*average, outcome(team.place, other.place))).collect();
            let one = |rating: &Rating| ours(glicko2_rating_period(&theirs(rating), &results, &Glicko2Config::new()));
            team.ratings.iter().map(one).collect()
        };
        teams.iter().enumerate().map(after).collect()
    }
}

fn outcome(place: usize, other: usize) -> Outcomes {
    match place.cmp(&other) {
        std::cmp::Ordering::Less => Outcomes::WIN,
        std::cmp::Ordering::Equal => Outcomes::DRAW,
        std::cmp::Ordering::Greater => Outcomes::LOSS,
    }
}

/// Returns a team as a single opponent: the mean of its ratings and of their variances.
fn average(ratings: &[Rating]) -> Glicko2Rating {
    let mean = |of: &dyn Fn(&Rating) -> f64| ratings.iter().map(of).sum::<f64>() / ratings.len().max(1) as f64;
    Glicko2Rating {
        rating: mean(&|rating| rating.rating),
        deviation: mean(&|rating| rating.deviation * rating.deviation).sqrt(),
        volatility: mean(&|rating| rating.volatility),
    }
}

fn theirs(Rating { rating, deviation, volatility }: &Rating) -> Glicko2Rating {
    Glicko2Rating { rating: *rating, deviation: *deviation, volatility: *volatility }
}

fn ours(Glicko2Rating { rating, deviation, volatility }: Glicko2Rating) -> Rating {
    Rating { rating, deviation, volatility }
}

/// The key of a rating. A user has a separate rating in each mode of each game.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RatingKey {
    /// The user.
    pub user: UserId,
    /// The game.
    pub game: &'static str,
    /// The mode.
    pub mode: Arc<str>,
}

/// A store for ratings. Its methods must not block: a store with a database keeps the ratings that it was told to
/// [`load`](Self::load) in memory, and writes in the background.
pub trait RatingStore: fmt::Debug + Send + Sync + 'static {
    /// Prepares the ratings of a user who is likely to play soon. Called again while they are not loaded. Does nothing by default.
    fn load(&self, _user: &UserId) {}

    /// Returns whether [`rating`](Self::rating) knows this rating, or knows that there is none. While it does not, no result of the
    /// user's is rated. The default is `true`.
    fn is_loaded(&self, _key: &RatingKey) -> bool {
        true
    }

    /// Returns a rating, or `None` if the user has not played or the rating is not loaded.
    fn rating(&self, key: &RatingKey) -> Option<Rating>;

    /// Saves the ratings after a match. Only ratings that are loaded are saved.
    fn save(&self, ratings: &[(RatingKey, Rating)]);
}

/// A store that keeps ratings in memory until the process ends. It holds at most 100,000, because guests can make up any number
/// of ids. Further players' ratings are not saved.
#[derive(Debug, Default)]
pub struct RatingsInMemory(Mutex<BTreeMap<RatingKey, Rating>>);

/// The largest number of ratings in memory. It is higher than the number of players who are ever connected.
const MAX_IN_MEMORY: usize = 100_000;

impl RatingStore for RatingsInMemory {
    fn rating(&self, key: &RatingKey) -> Option<Rating> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    fn save(&self, ratings: &[(RatingKey, Rating)]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, rating) in ratings {
            if all.len() < MAX_IN_MEMORY || all.contains_key(key) {
                all.insert(key.clone(), *rating);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placings(system: &dyn RatingSystem, places: &[usize]) -> Vec<Placing> {
        places.iter().map(|place| Placing { ratings: vec![system.start(); 2], place: *place }).collect()
    }

    #[test]
    fn winners_gain_what_losers_lose_and_deviations_fall() {
        for system in [&WengLin as &dyn RatingSystem, &Glicko2] {
            let start = system.start();
            assert_eq!(start.rating, START);
            let after = system.after(&placings(system, &[1, 2]));
            assert_eq!(after.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
            for (won, lost) in after[0].iter().zip(&after[1]) {
                assert!(won.rating > START + 50.0 && lost.rating < START - 50.0, "{system:?}: {won:?} {lost:?}");
                assert!((won.rating - START + lost.rating - START).abs() < 1e-6);
                assert!(won.deviation < start.deviation && lost.deviation < start.deviation);
            }
        }
    }

    #[test]
    fn a_draw_between_equals_changes_no_rating() {
        for system in [&WengLin as &dyn RatingSystem, &Glicko2] {
            for rating in system.after(&placings(system, &[1, 1])).iter().flatten() {
                assert!((rating.rating - START).abs() < 1e-6, "{system:?}: {rating:?}");
            }
        }
    }

    #[test]
    fn free_for_all_ratings_follow_the_places() {
        for system in [&WengLin as &dyn RatingSystem, &Glicko2] {
            let after = system.after(&placings(system, &[2, 1, 3]));
            assert!(after[1][0].rating > after[0][0].rating && after[0][0].rating > after[2][0].rating, "{system:?}");
        }
    }

    #[test]
    fn each_mode_has_its_own_rating() {
        let store = RatingsInMemory::default();
        let key = |mode: &str| RatingKey { user: UserId::parse("ada").unwrap(), game: "duel", mode: mode.into() };
        store.save(&[(key("2v2"), WengLin.start())]);
        assert_eq!(store.rating(&key("2v2")), Some(WengLin.start()));
        assert_eq!(store.rating(&key("1v1")), None);
    }
}
