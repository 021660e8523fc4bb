//! The players' ratings, and how results change them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use super::{
    leaders::{Leader, Leaders},
    limits::Limits,
    record::{MatchResult, Player, Record, Recorder},
};
use crate::{
    lobby::UserId,
    matchmaking::{Placing, Rating, RatingKey, RatingStore, RatingSystem, RatingsInMemory, WengLin},
    observe::{self, DropReason},
};

/// How often ratings that were not loaded are asked for again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How skill is rated, where ratings are stored, and which modes are rated.
#[derive(Clone)]
pub(crate) struct Ratings {
    pub(crate) system: Arc<dyn RatingSystem>,
    pub(crate) store: Arc<dyn RatingStore>,
    /// The rated modes.
    pub(crate) rated: Vec<RatedMode>,
    pub(crate) limits: Limits,
    /// The players with the highest ratings.
    pub(crate) leaders: Arc<Leaders>,
    /// Results with a player whose rating is not loaded. To rate them by the start would overwrite what is stored.
    unrated: Arc<Unrated>,
}

/// Results that are rated later.
#[derive(Default)]
struct Unrated {
    results: Mutex<VecDeque<MatchResult>>,
    came: Notify,
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
        Self {
            system: Arc::new(WengLin),
            store: Arc::new(RatingsInMemory::default()),
            rated: Vec::new(),
            limits: Limits::default(),
            leaders: Arc::default(),
            unrated: Arc::default(),
        }
    }
}

impl Ratings {
    /// Returns a user's rating in a mode: the stored one, or the starting one, also while the stored one is not loaded.
    pub(crate) fn of(&self, user: &UserId, game: &'static str, mode: &Arc<str>) -> Rating {
        let key = RatingKey { user: user.clone(), game, mode: mode.clone() };
        if !self.store.is_loaded(&key) {
            self.store.load(user);
        }
        self.store.rating(&key).unwrap_or_else(|| self.system.start())
    }

    /// Rates the results that could not be rated at once, for as long as the server runs.
    pub(crate) async fn rate_later(self: Arc<Self>) {
        loop {
            self.unrated.came.notified().await;
            while self.rate_again() {
                sleep(RETRY_INTERVAL).await;
            }
        }
    }

    /// Tries to rate the results that wait. Returns whether some still do.
    fn rate_again(&self) -> bool {
        let mut results = self.take_unrated();
        results.retain(|result| !self.rate(result));
        let mut waiting = self.unrated();
        // Before those that came in the meantime.
        results.extend(waiting.drain(..));
        *waiting = results;
        !waiting.is_empty()
    }

    /// Takes the results that wait to be rated.
    pub(crate) fn take_unrated(&self) -> VecDeque<MatchResult> {
        std::mem::take(&mut *self.unrated())
    }

    fn unrated(&self) -> MutexGuard<'_, VecDeque<MatchResult>> {
        self.unrated.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the ratings after a match, if its mode is rated and at least two sides had people. Returns false if it has to be done
    /// later, because a rating is not loaded.
    fn rate(&self, result: &MatchResult) -> bool {
        let Some(rated) = self.rated.iter().find(|rated| rated.game == result.game && rated.mode == result.mode) else {
            return true;
        };
        let sides = sides(&result.players, rated.teams);
        if sides.len() < 2 {
            return true;
        }
        let mode: Arc<str> = result.mode.as_str().into();
        let missing = sides.iter().flatten().filter(|player| {
            !self.store.is_loaded(&RatingKey { user: player.user.clone(), game: rated.game, mode: mode.clone() })
        });
        // All of them are loaded at once.
        if missing.map(|player| self.store.load(&player.user)).count() > 0 {
            return false;
        }
        let rating = |player: &&Player| self.of(&player.user, rated.game, &mode);
        let placing = |side: &Vec<&Player>| Placing { ratings: side.iter().map(rating).collect(), place: place(side) };
        let after = self.system.after(&sides.iter().map(placing).collect::<Vec<_>>());
        let key = |player: &Player| RatingKey { user: player.user.clone(), game: rated.game, mode: mode.clone() };
        let after: Vec<(&Player, Rating)> = sides.iter().flatten().copied().zip(after.into_iter().flatten()).collect();
        self.store.save(&after.iter().map(|(player, rating)| (key(player), *rating)).collect::<Vec<_>>());
        let leader = |(player, rating): (&Player, Rating)| {
            Leader::new(player.user.clone(), player.name.as_str(), rating.rating, rating.deviation)
        };
        self.leaders.add(rated.game, &rated.mode, after.into_iter().map(leader));
        tracing::debug!(room = %result.room, game = result.game, mode = result.mode, "ratings were updated");
        true
    }
}

impl Recorder for Ratings {
    fn record(&self, record: &Record) {
        let Record::Ended(result) = record else { return };
        if self.rate(result) {
            return;
        }
        let mut waiting = self.unrated();
        let players: usize = waiting.iter().map(|result| result.players.len()).sum();
        if players + result.players.len() > self.limits.unrated_players {
            drop(waiting);
            tracing::debug!(id = result.id, "a result is not rated: too many wait for ratings to be loaded");
            return observe::dropped(DropReason::Unrated);
        }
        waiting.push_back(result.clone());
        drop(waiting);
        self.unrated.came.notify_one();
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::{lobby::RoomId, protocol::Seat};

    /// A store that has not told its ratings yet.
    #[derive(Debug, Default)]
    struct Slow {
        known: RatingsInMemory,
        told: AtomicBool,
    }

    impl RatingStore for Slow {
        fn is_loaded(&self, _: &RatingKey) -> bool {
            self.told.load(Ordering::Relaxed)
        }

        fn rating(&self, key: &RatingKey) -> Option<Rating> {
            self.known.rating(key).filter(|_| self.is_loaded(key))
        }

        fn save(&self, ratings: &[(RatingKey, Rating)]) {
            self.known.save(ratings);
        }
    }

    fn key(user: &str) -> RatingKey {
        RatingKey { user: UserId::parse(user).unwrap(), game: "duel", mode: "1v1".into() }
    }

    fn result(players: u8) -> Record {
        let player = |seat: u8| {
            let user = UserId::parse(&format!("user{seat}")).unwrap();
            Player { seat: Seat(seat), user, name: "Somebody".to_owned(), guest: false, won: seat == 1, stayed: true }
        };
        Record::Ended(MatchResult {
            id: "m1".to_owned(),
            room: RoomId::named("abc"),
            game: "duel".to_owned(),
            mode: "1v1".to_owned(),
            began: 1,
            ended: 2,
            winners: vec![Seat(1)],
            players: (1..=players).map(player).collect(),
        })
    }

    fn ratings(store: &Arc<Slow>) -> Ratings {
        let rated = vec![RatedMode { game: "duel", mode: "1v1".to_owned(), teams: None }];
        Ratings { store: store.clone(), rated, ..Ratings::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_is_rated_once_the_ratings_are_loaded() {
        let store = Arc::new(Slow::default());
        let stored = Rating { rating: 2200.0, deviation: 80.0, volatility: 0.0 };
        store.known.save(&[(key("user1"), stored)]);
        let ratings = Arc::new(ratings(&store));
        let task = tokio::spawn(ratings.clone().rate_later());
        ratings.record(&result(2));
        sleep(RETRY_INTERVAL * 10).await;
        assert_eq!(store.known.rating(&key("user1")), Some(stored), "it is not overwritten by a start");
        assert_eq!(store.known.rating(&key("user2")), None);
        store.told.store(true, Ordering::Relaxed);
        sleep(RETRY_INTERVAL * 2).await;
        let after = store.known.rating(&key("user1")).unwrap();
        assert!(after.rating > 2200.0 && after.rating < 2210.0, "{after:?}");
        assert!(store.known.rating(&key("user2")).unwrap().rating < 1500.0);
        sleep(RETRY_INTERVAL * 2).await;
        assert_eq!(store.known.rating(&key("user1")), Some(after), "once");
        assert!(ratings.take_unrated().is_empty());
        task.abort();
    }

    #[tokio::test]
    async fn results_that_wait_to_be_rated_are_bounded() {
        let store = Arc::new(Slow::default());
        let mut ratings = ratings(&store);
        ratings.limits.unrated_players = 100;
        (0..50).for_each(|_| ratings.record(&result(9)));
        assert_eq!(ratings.take_unrated().len(), 11);
    }
}
