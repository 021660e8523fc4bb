//! A cache of ratings in front of the database, so that the matchmaker never waits for it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::runtime::Handle;

use super::{database::Store, queries::StoredRating, write_queue::WriteQueue};
use crate::{
    lobby::UserId,
    matchmaking::{Rating, RatingKey, RatingStore},
};

/// Users of one generation. The cache holds two.
const GENERATION: usize = 50_000;

/// Ratings that are read and changed without waiting for the database. Cheap to clone.
#[derive(Clone)]
pub struct RatingCache {
    store: Store,
    queue: WriteQueue,
    known: Arc<Mutex<Known>>,
    /// Where the database is read.
    runtime: Handle,
}

/// A cache of two generations. When the young one is full, it becomes the old one, and users who were only in the old one are
/// evicted.
#[derive(Default)]
struct Known {
    young: HashMap<UserId, Entry>,
    old: HashMap<UserId, Entry>,
}

#[derive(Default)]
struct Entry {
    ratings: Vec<StoredRating>,
    /// Whether the database has been read.
    complete: bool,
    /// Whether it is being read.
    loading: bool,
}

impl RatingCache {
    /// Caches the ratings of a store and writes changes through its queue. Must be called within a Tokio runtime.
    pub fn new(store: Store, queue: WriteQueue) -> Self {
        Self { store, queue, known: Arc::default(), runtime: Handle::current() }
    }

    /// Reads a user's ratings ahead of use, in a task of its own. Does nothing if they are loaded or being read.
    ///
    /// Ratings that wait to be written are written first, also those of an earlier process, so what is read is the newest.
    pub fn load(&self, user: &UserId) {
        let mut known = self.known();
        let entry = known.entry(user);
        if entry.complete || std::mem::replace(&mut entry.loading, true) {
            return;
        }
        drop(known);
        let (ratings, user) = (self.clone(), user.clone());
        self.runtime.spawn(async move {
            ratings.queue.settled().await;
            let read = ratings.store.ratings(&user).await;
            let mut known = ratings.known();
            let entry = known.entry(&user);
            entry.loading = false;
            match read {
                Ok(kept) => entry.complete_with(kept),
                Err(error) => tracing::debug!(%user, %error, "ratings could not be read"),
            }
        });
    }

    /// Returns whether a rating is known, or known not to be there.
    pub fn is_loaded(&self, user: &UserId, game: &str, mode: &str) -> bool {
        let mut known = self.known();
        let entry = known.entry(user);
        entry.complete || entry.find(game, mode).is_some()
    }

    /// Returns a user's rating in a mode of a game, if it has been loaded or saved.
    pub fn rating(&self, user: &UserId, game: &str, mode: &str) -> Option<StoredRating> {
        let mut known = self.known();
        known.entry(user).find(game, mode).cloned()
    }

    /// Changes ratings after a match and queues them for the database.
    pub fn save(&self, ratings: Vec<StoredRating>) {
        let mut known = self.known();
        for rating in &ratings {
            known.entry(&rating.user).put(rating.clone());
        }
        drop(known);
        self.queue.save_ratings(ratings);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RatingCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RatingCache").finish_non_exhaustive()
    }
}

impl RatingStore for RatingCache {
    fn load(&self, user: &UserId) {
        Self::load(self, user);
    }

    fn is_loaded(&self, key: &RatingKey) -> bool {
        Self::is_loaded(self, &key.user, key.game, &key.mode)
    }

    fn rating(&self, key: &RatingKey) -> Option<Rating> {
        let StoredRating { rating, deviation, volatility, .. } = Self::rating(self, &key.user, key.game, &key.mode)?;
        Some(Rating { rating, deviation, volatility })
    }

    fn save(&self, ratings: &[(RatingKey, Rating)]) {
        let kept = ratings.iter().map(|(key, Rating { rating, deviation, volatility })| StoredRating {
            user: key.user.clone(),
            game: key.game.to_owned(),
            mode: key.mode.to_string(),
            rating: *rating,
            deviation: *deviation,
            volatility: *volatility,
        });
        Self::save(self, kept.collect());
    }
}

impl Known {
    fn entry(&mut self, user: &UserId) -> &mut Entry {
        if self.young.len() >= GENERATION && !self.young.contains_key(user) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young.entry(user.clone()).or_insert_with(|| old.remove(user).unwrap_or_default())
    }
}

impl Entry {
    fn find(&self, game: &str, mode: &str) -> Option<&StoredRating> {
        self.ratings.iter().find(|rating| rating.game == game && rating.mode == mode)
    }

    fn put(&mut self, rating: StoredRating) {
        match self.ratings.iter_mut().find(|other| other.game == rating.game && other.mode == rating.mode) {
            Some(other) => *other = rating,
            None => self.ratings.push(rating),
        }
    }

    /// Adds what the database returned. Ratings that were saved in the meantime are newer and stay.
    fn complete_with(&mut self, kept: Vec<StoredRating>) {
        let newer = std::mem::replace(&mut self.ratings, kept);
        newer.into_iter().for_each(|rating| self.put(rating));
        self.complete = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(user: &UserId, mode: &str, height: f64) -> StoredRating {
        let (user, game, mode) = (user.clone(), "duel".to_owned(), mode.to_owned());
        StoredRating { user, game, mode, rating: height, deviation: 1.0, volatility: 0.0 }
    }

    #[test]
    fn a_rating_saved_during_a_read_is_kept() {
        let ada = UserId::parse("ada").unwrap();
        let mut entry = Entry::default();
        entry.put(rating(&ada, "2v2", 1600.0));
        entry.complete_with(vec![rating(&ada, "2v2", 1500.0), rating(&ada, "ffa", 1400.0)]);
        assert!(entry.complete);
        assert_eq!(entry.ratings, [rating(&ada, "2v2", 1600.0), rating(&ada, "ffa", 1400.0)]);
    }

    #[test]
    fn users_in_use_stay_cached_and_the_cache_is_bounded() {
        let mut known = Known::default();
        let user = |number: usize| UserId::parse(&format!("u{number}")).unwrap();
        known.entry(&user(0)).put(rating(&user(0), "2v2", 1600.0));
        for number in 1..GENERATION * 5 {
            known.entry(&user(number));
            if number % 1000 == 0 {
                assert_eq!(known.entry(&user(0)).ratings.len(), 1);
            }
            assert!(known.young.len() + known.old.len() <= 2 * GENERATION);
        }
    }
}
