//! Users who were matched lately. Whoever comes back is told of the match again; whoever does not come must pause.

use std::sync::Arc;

use tokio::time::Instant;

use super::{QueueEvent, Queues, Shared};
use crate::{
    host::refusal::Refusal,
    lobby::{RoomId, UserId},
};

/// A match that a user was told of, but whose seat they may not have taken: the line may have broken before.
#[derive(Clone)]
pub(super) struct Matched {
    /// Later matches have higher numbers.
    pub(super) number: u64,
    pub(super) room: RoomId,
    pub(super) game: &'static str,
    pub(super) mode: Arc<str>,
    pub(super) until: Instant,
}

impl Shared {
    /// Returns the match that a user was told of, with another ticket for their seat, if they have not taken it yet.
    ///
    /// This and [`judge`](Self::judge) may wait for the room's step, so the queues must not be locked.
    ///
    /// # Errors
    /// The room's step takes too long, so it is not known whether the seat is taken.
    pub(super) fn renew(&self, matched: &Matched, user: &UserId) -> Result<Option<QueueEvent>, Refusal> {
        let Matched { room, game, mode, .. } = matched;
        let admission = self.host.renew(room, user)?;
        Ok(admission.map(|admission| QueueEvent::Matched { game, mode: mode.to_string(), admission }))
    }

    /// Pauses a user who was matched and did not take the seat: that breaks a match for the others like a missed ready check.
    pub(super) fn judge(&self, user: &UserId) {
        let Some(Matched { room, number, .. }) = self.queues().matched.get(user).cloned() else { return };
        let Some(came) = self.host.has_come(&room, user) else { return };
        let mut queues = self.queues();
        // Another request may have been quicker.
        if queues.matched.get(user).is_some_and(|matched| matched.number == number) {
            queues.matched.remove(user);
            if !came {
                queues.matchmaker.blame(user, self.now());
            }
        }
    }

    /// Tells users of their match whose room was busy when they came back. Returns whether some of the rooms still are.
    pub(super) fn tell_untold(&self) -> bool {
        let untold = self.queues().untold.clone();
        for user in untold {
            let matched = self.queues().matched.get(&user).filter(|matched| Instant::now() < matched.until).cloned();
            match matched.map_or(Ok(None), |matched| self.renew(&matched, &user)) {
                Ok(Some(matched)) => self.queues().tell_back(&user, &matched),
                Ok(None) => _ = self.queues().untold.remove(&user),
                Err(_) => {}
            }
        }
        !self.queues().untold.is_empty()
    }
}

impl Queues {
    /// Tells a user who came back of their match.
    pub(super) fn tell_back(&mut self, user: &UserId, matched: &QueueEvent) {
        self.untold.remove(user);
        self.tell([user], matched);
    }
}
