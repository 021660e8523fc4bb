//! One queue a game, oldest first.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
    time::Duration,
};

use serde::Serialize;
use thiserror::Error;

use crate::protocol::ErrorCode;

/// Whoever waits; a number that the caller chose, one for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member(pub u64);

/// Why a queue refuses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// No queue for that game.
    #[error("there is no game \"{0}\" here")]
    UnknownGame(String),
    /// The member waits already, perhaps for another game.
    #[error("you are in the queue for \"{0}\" already, leave it first")]
    AlreadyQueued(&'static str),
    /// The member waits nowhere.
    #[error("you are in no queue")]
    NotQueued,
}

impl QueueError {
    /// The code that the member is told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownGame(_) => ErrorCode::UnknownGame,
            Self::AlreadyQueued(_) => ErrorCode::AlreadyQueued,
            Self::NotQueued => ErrorCode::NotQueued,
        }
    }
}

/// Where a member stands, as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The game that the member waits for.
    pub game: &'static str,
    /// The member's place in the queue, from 1.
    pub position: usize,
    /// How many wait.
    pub waiting: usize,
    /// How many a match needs.
    pub needed: usize,
}

/// Members who waited long enough for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The game that they play.
    pub game: &'static str,
    /// The members and when each began to wait, oldest first.
    pub members: Vec<(Member, Duration)>,
}

/// The queues of every game. A member is in one of them at most, and there once.
#[derive(Debug, Default)]
pub struct Queues {
    queues: BTreeMap<&'static str, Queue>,
    games: BTreeMap<Member, &'static str>,
}

#[derive(Debug)]
struct Queue {
    game: &'static str,
    players: RangeInclusive<usize>,
    waiting: VecDeque<(Member, Duration)>,
    moved: bool,
}

impl Queues {
    /// Opens a queue for a game whose matches take so many players.
    pub fn add_game(&mut self, game: &'static str, players: RangeInclusive<usize>) {
        self.queues.insert(game, Queue { game, players, waiting: VecDeque::new(), moved: false });
    }

    /// Puts a member at the end of a queue; its position there, from 1.
    pub fn enqueue(&mut self, member: Member, game: &str, now: Duration) -> Result<usize, QueueError> {
        let queue = self.queues.get_mut(game).ok_or_else(|| QueueError::UnknownGame(game.to_owned()))?;
        if let Some(other) = self.games.get(&member) {
            return Err(QueueError::AlreadyQueued(other));
        }
        self.games.insert(member, queue.game);
        queue.waiting.push_back((member, now));
        queue.moved = true;
        Ok(queue.waiting.len())
    }

    /// Takes a member out of the queue in which it waits.
    pub fn leave(&mut self, member: Member) -> Result<(), QueueError> {
        let game = self.games.remove(&member).ok_or(QueueError::NotQueued)?;
        if let Some(queue) = self.queues.get_mut(game) {
            queue.waiting.retain(|(waiting, _)| *waiting != member);
            queue.moved = true;
        }
        Ok(())
    }

    /// Makes every match that can be made, oldest members first: as soon as the game's minimum waits, with as many as it takes.
    pub fn pass(&mut self) -> Vec<Match> {
        let mut matches = Vec::new();
        for queue in self.queues.values_mut() {
            while queue.waiting.len() >= *queue.players.start() {
                let count = queue.waiting.len().min(*queue.players.end());
                let members: Vec<_> = queue.waiting.drain(..count).collect();
                for (member, _) in &members {
                    self.games.remove(member);
                }
                queue.moved = true;
                matches.push(Match { game: queue.game, members });
            }
        }
        matches
    }

    /// Puts the members of a match that could not be held back to where they were. Those who queued again meanwhile stay there.
    pub fn put_back(&mut self, unheld: Match) {
        let Some(queue) = self.queues.get_mut(unheld.game) else { return };
        for (member, since) in unheld.members.into_iter().rev() {
            if let std::collections::btree_map::Entry::Vacant(vacant) = self.games.entry(member) {
                vacant.insert(unheld.game);
                let place = queue.waiting.partition_point(|(_, waiting)| *waiting < since);
                queue.waiting.insert(place, (member, since));
                queue.moved = true;
            }
        }
    }

    /// Where each member of the queues that moved since the last call stands.
    pub fn moved(&mut self) -> Vec<(Member, Status)> {
        let mut statuses = Vec::new();
        for queue in self.queues.values_mut().filter(|queue| queue.moved) {
            queue.moved = false;
            let (game, waiting, needed) = (queue.game, queue.waiting.len(), *queue.players.start());
            let stand =
                |(at, (member, _)): (usize, &(Member, Duration))| (*member, Status { game, position: at + 1, waiting, needed });
            statuses.extend(queue.waiting.iter().enumerate().map(stand));
        }
        statuses
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn queues() -> Queues {
        let mut queues = Queues::default();
        queues.add_game("arena", 3..=4);
        queues.add_game("duel", 2..=2);
        queues
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn members(found: &Match) -> Vec<u64> {
        found.members.iter().map(|(member, _)| member.0).collect()
    }

    #[test]
    fn a_match_is_made_when_the_minimum_waits() {
        let mut queues = queues();
        assert_eq!(queues.enqueue(Member(1), "arena", at(0)), Ok(1));
        assert_eq!(queues.enqueue(Member(2), "arena", at(1)), Ok(2));
        assert_eq!(queues.pass(), []);
        assert_eq!(queues.enqueue(Member(3), "arena", at(2)), Ok(3));
        let matches = queues.pass();
        assert_eq!((matches.len(), matches[0].game, members(&matches[0])), (1, "arena", vec![1, 2, 3]));
        assert_eq!(queues.pass(), []);
        assert_eq!(queues.leave(Member(1)), Err(QueueError::NotQueued), "a matched member waits no more");
    }

    #[test]
    fn the_oldest_play_first_and_a_match_is_never_too_large() {
        let mut queues = queues();
        for member in 0..9 {
            queues.enqueue(Member(member), "arena", at(member)).unwrap();
        }
        let matches = queues.pass();
        assert_eq!(matches.iter().map(members).collect::<Vec<_>>(), [vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
        assert_eq!(queues.moved(), [(Member(8), Status { game: "arena", position: 1, waiting: 1, needed: 3 })]);
        assert_eq!(queues.moved(), []);
    }

    #[test]
    fn a_member_waits_once() {
        let mut queues = queues();
        queues.enqueue(Member(1), "arena", at(0)).unwrap();
        assert_eq!(queues.enqueue(Member(1), "arena", at(1)), Err(QueueError::AlreadyQueued("arena")));
        assert_eq!(queues.enqueue(Member(1), "duel", at(1)), Err(QueueError::AlreadyQueued("arena")));
        assert_eq!(queues.enqueue(Member(1), "chess", at(1)), Err(QueueError::UnknownGame("chess".into())));
        assert_eq!(queues.leave(Member(1)), Ok(()));
        assert_eq!(queues.leave(Member(1)), Err(QueueError::NotQueued));
        assert_eq!(queues.enqueue(Member(1), "duel", at(2)), Ok(1));
    }

    #[test]
    fn members_of_a_match_that_fell_through_keep_their_places() {
        let mut queues = queues();
        queues.enqueue(Member(1), "duel", at(0)).unwrap();
        queues.enqueue(Member(2), "duel", at(1)).unwrap();
        let unheld = queues.pass().remove(0);
        queues.enqueue(Member(3), "duel", at(2)).unwrap();
        queues.put_back(unheld);
        assert_eq!(queues.pass().iter().map(members).collect::<Vec<_>>(), [vec![1, 2]]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Enqueue(u64, bool),
        Leave(u64),
        Pass,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let member = 0u64..8;
        vec(
            prop_oneof![
                (member.clone(), any::<bool>()).prop_map(|(member, duel)| Step::Enqueue(member, duel)),
                member.prop_map(Step::Leave),
                Just(Step::Pass),
            ],
            0..80,
        )
    }

    proptest! {
        #[test]
        fn everybody_who_waits_is_matched_or_waits_still(steps in steps()) {
            let mut queues = queues();
            let mut waiting: Vec<(u64, &str)> = Vec::new();
            for (now, step) in (0..).zip(steps) {
                match step {
                    Step::Enqueue(member, duel) => {
                        let game = if duel { "duel" } else { "arena" };
                        let known = waiting.iter().any(|(other, _)| *other == member);
                        prop_assert_eq!(queues.enqueue(Member(member), game, at(now)).is_ok(), !known);
                        if !known {
                            waiting.push((member, game));
                        }
                    }
                    Step::Leave(member) => {
                        let known = waiting.iter().any(|(other, _)| *other == member);
                        prop_assert_eq!(queues.leave(Member(member)).is_ok(), known);
                        waiting.retain(|(other, _)| *other != member);
                    }
                    Step::Pass => {
                        for found in queues.pass() {
                            for member in members(&found) {
                                let oldest = waiting.iter().position(|(_, game)| *game == found.game).unwrap();
                                prop_assert_eq!(waiting.remove(oldest), (member, found.game));
                            }
                        }
                        for (game, least) in [("arena", 3), ("duel", 2)] {
                            prop_assert!(waiting.iter().filter(|(_, of)| *of == game).count() < least);
                        }
                    }
                }
            }
        }
    }
}
