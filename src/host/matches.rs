//! Matches that the matchmaker put together: how they are seated, and where seats are free.

use std::sync::Arc;

use super::{
    admission::Admission,
    contest::{Contest, Opener},
    refusal::Refusal,
    registry::{Host, RoomOptions},
    running::Running,
};
use crate::{
    lobby::{Entrance, Identity, RoomId},
    matchmaking::{Opening, Terms},
    room::{OverReason, SeatPlan},
    sim::Team,
};

/// A match to be held.
#[derive(Debug, Clone)]
pub struct MatchPlan {
    /// The game.
    pub game: &'static str,
    /// The mode.
    pub mode: Arc<str>,
    /// Who plays, by team; everybody in one if they play for themselves.
    pub teams: Vec<Vec<Identity>>,
    /// The most players.
    pub seats: usize,
    /// How many seats are filled with bots until people take them; as many as the game says if not told.
    pub fill: Option<usize>,
    /// Whether free seats are given to others.
    pub backfill: bool,
    /// Whom a free seat is for.
    pub terms: Terms,
}

impl Host {
    /// Opens a room for people who were matched, with a seat for each; their admissions, by team and in order.
    pub fn seat_match(&self, matched: &MatchPlan) -> Result<Vec<Vec<Admission>>, Refusal> {
        let MatchPlan { game, mode, teams, seats, fill, backfill, terms } = matched;
        let contest = Contest { mode: mode.clone(), backfill: *backfill, terms: terms.clone() };
        let options = RoomOptions { entrance: Entrance::Ticket, mode: mode.to_string(), ..RoomOptions::default() };
        let (running, ..) = self.open(game, &options, Opener::Matchmaker(contest), |_| ())?;
        let plan = SeatPlan {
            seats: number(*seats),
            fill: fill.map_or(running.def.options().fill, number),
            teams: if teams.len() > 1 { number(teams.len()) } else { 0 },
        };
        running.with_seating(|seating| seating.with(&running.meters, |room| room.plan(plan)))?;
        let admissions: Result<Vec<_>, _> = teams.iter().zip(1..).map(|(people, team)| admit(&running, team, people)).collect();
        if admissions.is_err() {
            running.close(OverReason::Closed, "not everybody who was matched found a seat");
        }
        admissions
    }

    /// Seats people in a running match, all in one team (counted from 1) or none of them.
    pub fn fill_match(&self, room: &RoomId, team: u8, people: &[Identity]) -> Result<Vec<Admission>, Refusal> {
        self.check_open()?;
        let running = self.find(room)?;
        let admissions = admit(&running, team, people);
        if admissions.is_err() {
            let reserved = "not everybody in the party found a seat";
            people.iter().for_each(|who| running.evict(&who.user, reserved));
        }
        admissions
    }

    /// The running matches whose free seats are to be given to others, and where they are free.
    pub fn openings(&self) -> Vec<Opening> {
        let rooms: Vec<_> = self.running().values().filter(|running| running.is_backfilled()).cloned().collect();
        let mut openings: Vec<_> = rooms.iter().filter_map(|running| running.opening()).collect();
        openings.sort_by(|a, b| a.room.cmp(&b.room));
        openings
    }
}

fn admit(running: &Running, team: u8, people: &[Identity]) -> Result<Vec<Admission>, Refusal> {
    people.iter().map(|who| running.admit(who, Some(Team(team)))).collect()
}

fn number(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
