//! The matchmaker's matches: seating them, and finding free seats in them.

use std::sync::Arc;

use super::{
    admission::Admission,
    opener::{MatchInfo, Opener, RoomOptions},
    quota::Asker,
    refusal::Refusal,
    registry::Host,
    running::Running,
};
use crate::{
    game::Strength,
    lobby::{Entrance, Identity, RoomId, UserId},
    matchmaking::{Opening, Terms},
    room::{OverReason, Room, SeatPlan},
    sim::Team,
};

/// A match to open a room for.
#[derive(Debug, Clone)]
pub struct MatchPlan {
    /// The game.
    pub game: &'static str,
    /// The mode.
    pub mode: Arc<str>,
    /// The players by team. All in one team if everybody plays for themselves.
    pub teams: Vec<Vec<Identity>>,
    /// The most players.
    pub seats: usize,
    /// How many seats are filled, with bots where people are missing. `None`: as many as the game fills by itself.
    pub fill: Option<usize>,
    /// How strong the bots play. `None`: as [`Strength::by_people`] says.
    pub strength: Option<Strength>,
    /// Whether seats that become free are given to other players.
    pub backfill: bool,
    /// The conditions for a player to get a free seat.
    pub terms: Terms,
}

impl Host {
    /// Opens a room for a match and reserves a seat for each player. Returns their admissions by team, in the plan's order.
    ///
    /// # Errors
    /// The host is stopping or full, there is no such game, or not every player can be seated; then the room is closed.
    pub fn seat_match(&self, matched: &MatchPlan) -> Result<Vec<Vec<Admission>>, Refusal> {
        let room = self.make(matched.game, None)?;
        self.seat_match_in(room, matched)
    }

    /// Opens this room for a match and reserves a seat for each player.
    pub(super) fn seat_match_in(&self, room: Room, matched: &MatchPlan) -> Result<Vec<Vec<Admission>>, Refusal> {
        let MatchPlan { mode, teams, seats, fill, strength, backfill, terms, .. } = matched;
        let info = MatchInfo { mode: mode.clone(), backfill: *backfill, terms: terms.clone() };
        let options =
            RoomOptions { entrance: Entrance::Ticket, mode: mode.to_string(), strength: *strength, ..RoomOptions::default() };
        let (running, ..) = self.open(room, &options, Opener::Matchmaker(info), |_| ())?;
        let plan = SeatPlan {
            seats: number(*seats),
            fill: fill.map_or(running.def.options().fill, number),
            teams: if teams.len() > 1 { number(teams.len()) } else { 0 },
            strength: *strength,
        };
        running.with_seating(|seating| seating.with(&running.meters, |room| room.plan(plan)))??;
        let admissions: Result<Vec<_>, _> = teams.iter().zip(1..).map(|(people, team)| admit(&running, team, people)).collect();
        if admissions.is_err() {
            running.close(OverReason::Closed, "not every player of the match could be seated");
        }
        admissions
    }

    /// Reserves seats in a running match for people, all of them in one team (from 1).
    ///
    /// # Errors
    /// The host is stopping, there is no such room, or not every one of them can be seated; then none of them is.
    pub fn fill_match(&self, room: &RoomId, team: u8, people: &[Identity]) -> Result<Vec<Admission>, Refusal> {
        self.check_open()?;
        let running = self.find(room)?;
        let admissions = admit(&running, team, people);
        if admissions.is_err() {
            self.give_back(room, people, "not every member of the party could be seated");
        }
        admissions
    }

    /// Takes back the seats of these people in a match.
    pub(super) fn give_back(&self, room: &RoomId, people: &[Identity], why: &'static str) {
        // A room that is gone has no seats to take back.
        let Ok(running) = self.find(room) else { return };
        people.iter().for_each(|who| running.evict(&who.user, why));
    }

    /// Returns another ticket for a user's reserved seat in a match, if they have not taken it yet.
    ///
    /// # Errors
    /// The room's step takes too long.
    pub(super) fn renew(&self, room: &RoomId, user: &UserId) -> Result<Option<Admission>, Refusal> {
        self.find(room).map_or(Ok(None), |running| running.renew(user))
    }

    /// Returns whether a user who had a seat in a match has taken it. `None` while it is reserved, and once the match is gone.
    pub(super) fn has_come(&self, room: &RoomId, user: &UserId) -> Option<bool> {
        self.find(room).ok()?.has_come(user)
    }

    /// Returns the running matches with free seats to give to other players.
    pub fn openings(&self) -> Vec<Opening> {
        let rooms: Vec<_> = self.running().values().filter(|running| running.is_backfilled()).cloned().collect();
        let mut openings: Vec<_> = rooms.iter().filter_map(|running| running.opening()).collect();
        openings.sort_by(|a, b| a.room.cmp(&b.room));
        openings
    }
}

fn admit(running: &Running, team: u8, people: &[Identity]) -> Result<Vec<Admission>, Refusal> {
    people.iter().map(|who| running.admit(who, Asker::Matchmaker(Team(team)))).collect()
}

fn number(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
