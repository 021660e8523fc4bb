//! Votes to remove a player. One vote is open at a time.

use std::collections::BTreeSet;

use super::{Outbox, OverReason, Room, RoomError, SeatStatus, VoteInfo};
use crate::protocol::{Seat, Tick};

/// The seconds for which a vote is open.
pub const VOTE_SECONDS: u32 = 30;

/// The fewest votes that remove a player.
const MIN_VOTES: usize = 2;

#[derive(Debug)]
pub(super) struct Vote {
    target: Seat,
    voters: BTreeSet<Seat>,
    until: Tick,
    /// Whether somebody voted or left since everyone was last told.
    changed: bool,
}

impl Room {
    /// Counts the vote of a seat to remove another.
    ///
    /// # Errors
    /// One of them is no person in this room, both are the same, or a vote about somebody else is open.
    pub fn vote_kick(&mut self, voter: Seat, target: Seat) -> Result<(), RoomError> {
        let is_person =
            |seat| self.seats.get(seat).is_some_and(|occupant| occupant.entered && occupant.status != SeatStatus::Bot);
        if voter == target || !is_person(voter) || !is_person(target) {
            return Err(RoomError::NotVotable(target));
        }
        let until = Tick(self.sim.tick().0 + VOTE_SECONDS * u32::from(self.def.hz()));
        let vote = self.vote.get_or_insert(Vote { target, voters: BTreeSet::new(), until, changed: true });
        if vote.target != target {
            return Err(RoomError::VoteOpen(vote.target));
        }
        vote.changed |= vote.voters.insert(voter);
        Ok(())
    }

    /// Returns the tick in which the open vote is counted, if there is one.
    pub(super) fn next_count(&self) -> Option<Tick> {
        let vote = self.vote.as_ref()?;
        Some(if vote.changed { Tick(0) } else { Tick(vote.until.0 + 1) })
    }

    /// Counts the open vote, and removes the player if it passed.
    pub(super) fn count_votes(&mut self, out: &mut Outbox) {
        let now = self.sim.tick();
        let Some(mut vote) = self.vote.take() else { return };
        let playing: BTreeSet<Seat> = self.seats.playing().filter(|seat| *seat != vote.target).collect();
        let before = vote.voters.len();
        vote.voters.retain(|voter| playing.contains(voter));
        let needed = (playing.len() / 2 + 1).max(MIN_VOTES);
        let has_gone = self.seats.get(vote.target).is_none();
        let is_over = vote.until <= now || vote.voters.is_empty() || has_gone;
        let passed = if vote.voters.len() >= needed && !has_gone { Some(true) } else { is_over.then_some(false) };
        if vote.changed || vote.voters.len() != before || passed.is_some() {
            out.vote(&self.seats, VoteInfo { seat: vote.target, votes: vote.voters.len(), needed, passed });
        }
        match passed {
            Some(true) => self.evict(vote.target, OverReason::Kicked, out),
            Some(false) => {}
            None => self.vote = Some(Vote { changed: false, ..vote }),
        }
    }
}
