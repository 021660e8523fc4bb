//! How good people are, as far as results tell.

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

/// Where everybody starts, in both systems.
const START: f64 = 1500.0;

/// A skill: an estimate and how sure it is. Everybody starts at 1500.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The estimate.
    pub rating: f64,
    /// Its standard deviation: falls with each match.
    pub deviation: f64,
    /// How erratic the results are. Glicko-2 alone uses it.
    pub volatility: f64,
}

/// A team's part in a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Placing {
    /// The ratings of its players before the match.
    pub ratings: Vec<Rating>,
    /// Its place: 1 is the best, equals drew.
    pub place: usize,
}

/// How results move ratings.
pub trait RatingSystem: fmt::Debug + Send + Sync + 'static {
    /// Of somebody who has not played.
    fn start(&self) -> Rating;

    /// Everybody's ratings after a match, as they came.
    fn after(&self, teams: &[Placing]) -> Vec<Vec<Rating>>;
}

/// The Bayesian approximation of Weng and Lin (2011), for any number of teams of any sizes; scaled so that ratings start at 1500
/// with a deviation of 500.
#[derive(Debug, Clone, Copy, Default)]
pub struct WengLin;

/// Glickman's Glicko-2, in which a match is a rating period: everybody plays against each other team's average.
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
        // The width of the performance around a skill: a sixth of the start, as the deviation is a third.
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

/// A team as one opponent: the mean of its ratings, and of their variances.
fn average(ratings: &[Rating]) -> Glicko2Rating {
    let mean = |of: &dyn Fn(&Rating) -> f64| ratings.iter().map(of).sum::<f64>() / ratings.len().max(1) as f64;
    Glicko2Rating {
        rating: mean(&|rating| rating.rating),
        deviation: mean(&|rating| rating.deviation.powi(2)).sqrt(),
        volatility: mean(&|rating| rating.volatility),
    }
}

fn theirs(Rating { rating, deviation, volatility }: &Rating) -> Glicko2Rating {
    Glicko2Rating { rating: *rating, deviation: *deviation, volatility: *volatility }
}

fn ours(Glicko2Rating { rating, deviation, volatility }: Glicko2Rating) -> Rating {
    Rating { rating, deviation, volatility }
}

/// Whose rating, and in what: each mode of each game has its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RatingKey {
    /// Who.
    pub user: UserId,
    /// The game.
    pub game: &'static str,
    /// The mode.
    pub mode: Arc<str>,
}

/// Where ratings are kept. It answers at once: one that keeps them in a database holds in memory what it was told to
/// [`load`](Self::load), and writes later.
pub trait RatingStore: fmt::Debug + Send + Sync + 'static {
    /// Somebody will want to play soon.
    fn load(&self, _user: &UserId) {}

    /// A rating, of somebody who has played.
    fn rating(&self, key: &RatingKey) -> Option<Rating>;

    /// Ratings after a match.
    fn save(&self, ratings: &[(RatingKey, Rating)]);
}

/// Ratings in memory, for as long as the process lives, and no more than 100,000: the ids of guests are made up at will.
#[derive(Debug, Default)]
pub struct RatingsInMemory(Mutex<BTreeMap<RatingKey, Rating>>);

/// More than are ever connected.
const MOST_IN_MEMORY: usize = 100_000;

impl RatingStore for RatingsInMemory {
    fn rating(&self, key: &RatingKey) -> Option<Rating> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    fn save(&self, ratings: &[(RatingKey, Rating)]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, rating) in ratings {
            if all.len() < MOST_IN_MEMORY || all.contains_key(key) {
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
    fn winners_gain_what_losers_lose_and_all_are_better_known() {
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
    fn equals_who_draw_stay_where_they_are() {
        for system in [&WengLin as &dyn RatingSystem, &Glicko2] {
            for rating in system.after(&placings(system, &[1, 1])).iter().flatten() {
                assert!((rating.rating - START).abs() < 1e-6, "{system:?}: {rating:?}");
            }
        }
    }

    #[test]
    fn everybody_for_themselves_ranks_by_place() {
        for system in [&WengLin as &dyn RatingSystem, &Glicko2] {
            let after = system.after(&placings(system, &[2, 1, 3]));
            assert!(after[1][0].rating > after[0][0].rating && after[0][0].rating > after[2][0].rating, "{system:?}");
        }
    }

    #[test]
    fn memory_keeps_the_modes_apart() {
        let store = RatingsInMemory::default();
        let key = |mode: &str| RatingKey { user: UserId::parse("ada").unwrap(), game: "duel", mode: mode.into() };
        store.save(&[(key("2v2"), WengLin.start())]);
        assert_eq!(store.rating(&key("2v2")), Some(WengLin.start()));
        assert_eq!(store.rating(&key("1v1")), None);
    }
}
