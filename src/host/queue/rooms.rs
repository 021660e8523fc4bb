//! Seats the people of matches that were found: in new rooms, or in running ones.
//!
//! The queues are not locked while a game makes a room, and while a room is asked for seats. Both may take long, and people may
//! leave the match meanwhile.

use std::sync::Arc;

use tokio::time::Instant;

use super::{QueueEvent, Queues, Shared, matched::Matched};
use crate::{
    host::{admission::Admission, forming::FormingId, matches::MatchPlan, refusal::Refusal, stay::MAX_RESERVATIONS},
    lobby::{Identity, RoomId, UserId},
    matchmaking::{EntryId, Match, QueueRequest},
};

/// The people of one queue entry, with what a running match said when it was asked for seats.
struct Asked {
    entry: EntryId,
    people: Vec<Identity>,
    seats: Result<Vec<Admission>, Refusal>,
}

impl Shared {
    /// Seats the people of a match that was found. Those who get no seat wait again.
    pub(super) fn seat(&self, id: FormingId) {
        let (game, room) = match self.queues().forming.get(id) {
            Some((found, _)) => (found.game, found.room.clone()),
            None => return,
        };
        match room {
            Some(room) => self.fill_room(id, &room),
            None => self.open_room(id, game),
        }
    }

    /// Makes a room for a match. If somebody has left meanwhile, the others wait again.
    fn open_room(&self, id: FormingId, game: &'static str) {
        let seated = self.host.make(game, None).and_then(|room| {
            let Some(plan) = self.plan(id)? else { return Ok(Vec::new()) };
            let admissions = self.host.seat_match_in(room, &plan)?;
            Ok(plan.teams.into_iter().flatten().zip(admissions.into_iter().flatten()).collect())
        });
        let mut queues = self.up_to_date();
        let Some((found, is_whole)) = queues.forming.end(id) else { return };
        let users: Vec<UserId> = found.users().cloned().collect();
        let mut unwanted = None;
        match seated {
            Ok(seated) if is_whole => self.tell_matched(&mut queues, (found.game, &found.mode), seated),
            Ok(seated) => {
                unwanted = seated.into_iter().next().map(|(_, admission)| admission.room);
                queues.matchmaker.put_back(found);
                self.changed.notify_one();
            }
            Err(refusal) => self.put_back(&mut queues, found, &refusal),
        }
        self.tell_parties(&queues, &users);
        drop(queues);
        if let Some(room) = unwanted {
            // A room that is gone needs no end.
            let _ = self.host.close_room(&room, "a player left before the match began");
        }
    }

    /// Returns how to seat a match in a new room, or `None` if somebody has left it.
    fn plan(&self, id: FormingId) -> Result<Option<MatchPlan>, Refusal> {
        let queues = self.up_to_date();
        let Some((found, true)) = queues.forming.get(id) else { return Ok(None) };
        let request = QueueRequest { game: found.game.to_owned(), mode: Some(found.mode.to_string()), ..QueueRequest::default() };
        let (_, _, mode) = queues.matchmaker.mode(&request)?;
        let teams: Vec<_> = found.teams.iter().map(|team| queues.identities(team)).collect();
        let people: usize = teams.iter().map(Vec::len).sum();
        Ok(Some(MatchPlan {
            game: found.game,
            mode: found.mode.clone(),
            teams,
            seats: *mode.players().end(),
            // A match in teams has no bots beyond those that were planned; the game's own fill may exceed the mode's seats.
            fill: (found.bots > 0).then_some(people + found.bots).or(mode.sides().map(|_| 0)),
            strength: mode.bot_strength(),
            backfill: mode.is_backfilled(),
            terms: found.terms(),
        }))
    }

    /// Asks a running match for seats, for each entry by itself.
    fn fill_room(&self, id: FormingId, room: &RoomId) {
        let asked = self.ask(id, room);
        let mut queues = self.up_to_date();
        let Some((mut found, _)) = queues.forming.end(id) else { return };
        let users: Vec<UserId> = found.users().cloned().collect();
        let (mut gone, mut last_refusal) = (Vec::new(), None);
        for Asked { entry, people, seats } in asked {
            match seats {
                Ok(admissions) if take(&mut found, entry) => {
                    self.tell_matched(&mut queues, (found.game, &found.mode), people.into_iter().zip(admissions));
                }
                Ok(_) => gone.extend(people),
                Err(refusal) => last_refusal = Some(refusal),
            }
        }
        if let Some(refusal) = last_refusal {
            self.put_back(&mut queues, found, &refusal);
        }
        self.tell_parties(&queues, &users);
        drop(queues);
        self.host.give_back(room, &gone, "the player left before they came");
    }

    fn ask(&self, id: FormingId, room: &RoomId) -> Vec<Asked> {
        let entries: Vec<_> = {
            let queues = self.up_to_date();
            let teams = queues.forming.get(id).into_iter().flat_map(|(found, _)| (1..).zip(&found.teams));
            let entries = teams.flat_map(|(team, entries)| entries.iter().map(move |entry| (team, entry)));
            entries.map(|(team, entry)| (team, entry.id, queues.identities(std::slice::from_ref(entry)))).collect()
        };
        let ask = |(team, entry, people): (u8, EntryId, Vec<Identity>)| {
            let seats = self.host.fill_match(room, team, &people);
            Asked { entry, people, seats }
        };
        entries.into_iter().map(ask).collect()
    }

    /// Has those who got no seat wait again.
    fn put_back(&self, queues: &mut Queues, unseated: Match, refusal: &Refusal) {
        tracing::debug!(game = unseated.game, %refusal, "a match found no room");
        let users: Vec<UserId> = unseated.users().cloned().collect();
        queues.matchmaker.put_back(unseated);
        // A blocked user would keep the others of the match from playing.
        for user in users.iter().filter(|user| self.host.check_blocked(user).is_err()) {
            let _ = queues.matchmaker.leave(user, self.now());
        }
    }

    /// Tells people that they have seats, and remembers it for those whose line breaks now.
    fn tell_matched(
        &self, queues: &mut Queues, (game, mode): (&'static str, &Arc<str>),
        admitted: impl IntoIterator<Item = (Identity, Admission)>,
    ) {
        let until = Instant::now() + self.host.services().limits.ticket_life * MAX_RESERVATIONS;
        for (who, admission) in admitted {
            let matched = Matched { number: queues.count(), room: admission.room.clone(), game, mode: mode.clone(), until };
            queues.matched.insert(who.user.clone(), matched);
            queues.tell([&who.user], &QueueEvent::Matched { game, mode: mode.to_string(), admission });
        }
    }
}

/// Takes an entry out of a match. Returns false if it has left already.
fn take(found: &mut Match, entry: EntryId) -> bool {
    found.teams.iter_mut().any(|team| team.extract_if(.., |other| other.id == entry).next().is_some())
}

#[cfg(test)]
mod tests;
