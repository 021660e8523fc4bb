//! Seats the people of matches that were found: in new rooms, or in running ones.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Matched, QueueEvent, Queues, Shared};
use crate::{
    host::{admission::Admission, forming::FormingId, matches::MatchPlan, refusal::Refusal, stay::MAX_RESERVATIONS},
    lobby::{Identity, UserId},
    matchmaking::{Match, QueueRequest},
    room::Room,
};

/// A match whose people, or some of them, got no seat, and why.
struct Unseated {
    found: Match,
    refusal: Refusal,
}

impl Shared {
    /// Seats parties in a running match. Those who get no seat wait again; then it returns false.
    pub(super) fn fill_room(&self, queues: &mut Queues, found: Match) -> bool {
        let users: Vec<UserId> = found.users().cloned().collect();
        let unseated = self.backfill(queues, found);
        let all_seated = unseated.is_none();
        self.end_seating(queues, &users, unseated);
        all_seated
    }

    /// Makes a room for a match that was found, and seats its people. If that fails, or somebody has left meanwhile, they wait again.
    ///
    /// The game's code runs before the queues are locked, because it may take long.
    pub(super) fn open_room(&self, id: FormingId, game: &'static str) {
        let room = self.host.make(game, None);
        let mut queues = self.up_to_date();
        let Some((found, is_whole)) = queues.forming.end(id) else { return };
        let users: Vec<UserId> = found.users().cloned().collect();
        let unseated = match room {
            Ok(room) if is_whole => self.seat(&mut queues, found, room),
            Ok(_) => {
                queues.matchmaker.put_back(found);
                self.changed.notify_one();
                None
            }
            Err(refusal) => Some(Unseated { found, refusal }),
        };
        self.end_seating(&mut queues, &users, unseated);
    }

    /// Has those who got no seat wait again, and tells the lobby who waits.
    fn end_seating(&self, queues: &mut Queues, users: &[UserId], unseated: Option<Unseated>) {
        if let Some(Unseated { found, refusal }) = unseated {
            tracing::debug!(game = found.game, %refusal, "a match found no room");
            queues.matchmaker.put_back(found);
            // A blocked user would keep the others of the match from playing.
            for user in users.iter().filter(|user| self.host.check_blocked(user).is_err()) {
                let _ = queues.matchmaker.leave(user, self.now());
            }
        }
        self.tell_parties(queues, users);
    }

    /// Seats the people of a match in its new room. Returns the match if that failed.
    fn seat(&self, queues: &mut Queues, found: Match, room: Room) -> Option<Unseated> {
        let request = QueueRequest { game: found.game.to_owned(), mode: Some(found.mode.to_string()), ..QueueRequest::default() };
        let mode = match queues.matchmaker.mode(&request) {
            Ok((_, _, mode)) => mode,
            Err(error) => return Some(Unseated { found, refusal: error.into() }),
        };
        let teams: Vec<_> = found.teams.iter().map(|team| queues.identities(team)).collect();
        let people: usize = teams.iter().map(Vec::len).sum();
        let plan = MatchPlan {
            game: found.game,
            mode: found.mode.clone(),
            teams,
            seats: *mode.players().end(),
            // A match in teams has no bots beyond those that were planned; the game's own fill may exceed the mode's seats.
            fill: (found.bots > 0).then_some(people + found.bots).or(mode.sides().map(|_| 0)),
            strength: mode.bot_strength(),
            backfill: mode.is_backfilled(),
            terms: found.terms(),
        };
        match self.host.seat_match_in(room, &plan) {
            Ok(admissions) => {
                let people: Vec<_> = plan.teams.iter().flatten().collect();
                self.tell_matched(queues, (found.game, &found.mode), people.into_iter().zip(admissions.into_iter().flatten()));
                None
            }
            Err(refusal) => Some(Unseated { found, refusal }),
        }
    }

    /// Seats parties in a running match. Returns those that got no seats.
    fn backfill(&self, queues: &mut Queues, found: Match) -> Option<Unseated> {
        let room = found.room.clone()?;
        let (game, mode) = (found.game, found.mode.clone());
        let mut last_refusal = None;
        let mut unseated = Match { teams: Vec::new(), ..found.clone() };
        for (team, entries) in (1..).zip(found.teams) {
            let mut left = Vec::new();
            for entry in entries {
                let people = queues.identities(std::slice::from_ref(&entry));
                match self.host.fill_match(&room, team, &people) {
                    Ok(admissions) => self.tell_matched(queues, (game, &mode), people.iter().zip(admissions)),
                    Err(refusal) => {
                        last_refusal = Some(refusal);
                        left.push(entry);
                    }
                }
            }
            unseated.teams.push(left);
        }
        last_refusal.map(|refusal| Unseated { found: unseated, refusal })
    }

    /// Tells people that they have seats, and remembers it for those whose line breaks now.
    fn tell_matched<'i>(
        &self, queues: &mut Queues, (game, mode): (&'static str, &Arc<str>),
        admitted: impl IntoIterator<Item = (&'i Identity, Admission)>,
    ) {
        let until = Instant::now() + self.host.services().limits.ticket_life * MAX_RESERVATIONS;
        for (who, admission) in admitted {
            let matched = Matched { room: admission.room.clone(), game, mode: mode.clone(), until };
            queues.matched.insert(who.user.clone(), matched);
            queues.tell([&who.user], &QueueEvent::Matched { game, mode: mode.to_string(), admission });
        }
    }
}
