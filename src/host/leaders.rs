//! The players with the highest ratings, by mode.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::lobby::UserId;

/// How many players are known for each mode. More than are told, so that those who fall behind make room.
pub(crate) const KEPT: usize = 200;

/// How many players are told.
const TOLD: usize = 50;

/// A player with a high rating.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Leader {
    /// The user.
    pub user: UserId,
    /// The name under which they played last.
    pub name: String,
    /// The rating.
    pub rating: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

impl Leader {
    /// Makes an entry.
    pub fn new(user: UserId, name: impl Into<String>, rating: f64, deviation: f64) -> Self {
        Self { user, name: name.into(), rating, deviation }
    }
}

/// The leaders of all rated modes. Everybody who was rated since the start is considered, and what [`add`](Self::add) adds.
#[derive(Debug, Default)]
pub(crate) struct Leaders(Mutex<BTreeMap<(String, String), Vec<Leader>>>);

impl Leaders {
    /// Adds players of a mode, or replaces what is known of them.
    pub(crate) fn add(&self, game: &str, mode: &str, players: impl IntoIterator<Item = Leader>) {
        let mut modes = self.modes();
        let leaders = modes.entry((game.to_owned(), mode.to_owned())).or_default();
        for player in players {
            leaders.retain(|known| known.user != player.user);
            leaders.push(player);
        }
        leaders.sort_by(|a, b| b.rating.total_cmp(&a.rating).then_with(|| a.user.cmp(&b.user)));
        leaders.truncate(KEPT);
    }

    /// Returns the leaders of a mode, the highest first.
    pub(crate) fn of(&self, game: &str, mode: &str) -> Vec<Leader> {
        let modes = self.modes();
        let leaders = modes.get(&(game.to_owned(), mode.to_owned()));
        leaders.into_iter().flatten().take(TOLD).cloned().collect()
    }

    fn modes(&self) -> MutexGuard<'_, BTreeMap<(String, String), Vec<Leader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leader(number: usize, rating: f64) -> Leader {
        Leader::new(UserId::parse(&format!("u{number:03}")).unwrap(), format!("U{number}"), rating, 80.0)
    }

    #[test]
    fn the_highest_come_first_and_each_player_once() {
        let leaders = Leaders::default();
        leaders.add("duel", "1v1", [leader(1, 1500.0), leader(2, 1700.0), leader(3, 1700.0)]);
        leaders.add("duel", "1v1", [leader(1, 1800.0)]);
        leaders.add("duel", "2v2", [leader(9, 1900.0)]);
        let told = leaders.of("duel", "1v1");
        assert_eq!(told, [leader(1, 1800.0), leader(2, 1700.0), leader(3, 1700.0)]);
        assert_eq!(leaders.of("chess", "1v1"), []);
    }

    #[test]
    fn a_list_is_bounded_and_keeps_the_highest() {
        let leaders = Leaders::default();
        (0..2 * KEPT).for_each(|number| leaders.add("duel", "1v1", [leader(number, number as f64)]));
        assert_eq!(leaders.of("duel", "1v1").len(), TOLD);
        assert_eq!(leaders.of("duel", "1v1")[0].rating, (2 * KEPT - 1) as f64);
        assert_eq!(leaders.modes().values().map(Vec::len).sum::<usize>(), KEPT);
    }
}
