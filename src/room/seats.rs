//! Keeps who sits in which seat.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{avatar::Avatar, delivery::Delivery};
use crate::{
    game::Strength,
    protocol::{Id, Seat, Tick},
    sim::{Team, Teams},
};

/// A taken seat, as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeatInfo {
    /// The seat.
    pub seat: Seat,
    /// The player's display name.
    pub name: String,
    /// The status of the seat.
    pub status: SeatStatus,
}

/// The status of a taken seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SeatStatus {
    /// Reserved, but nobody has come yet. Other players do not see it.
    Reserved,
    /// A connected person.
    Playing,
    /// A person whose connection is gone, within the grace time.
    Away,
    /// A bot.
    Bot,
}

/// The number of people and bots in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Population {
    /// Seats of people, with reserved ones.
    pub players: usize,
    /// Seats of bots.
    pub bots: usize,
    /// All seats.
    pub seats: usize,
    /// Seats that a person can still take: the free ones and the bots'.
    pub free: usize,
    /// People who are connected.
    pub connected: usize,
}

/// The seats of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeatPlan {
    /// The number of seats.
    pub seats: u8,
    /// The number of seats that bots fill until people take them.
    pub fill: u8,
    /// The number of teams to which the seats are dealt; 0 if everybody plays for themselves.
    pub teams: u8,
    /// How strong the bots play. `None`: as [`Strength::by_people`] says.
    pub strength: Option<Strength>,
}

impl SeatPlan {
    /// Plans this many seats, without bots and teams.
    pub fn new(seats: u8) -> Self {
        Self { seats, fill: 0, teams: 0, strength: None }
    }

    /// Sets the number of seats that bots fill until people take them.
    #[must_use]
    pub fn fill(mut self, fill: u8) -> Self {
        self.fill = fill;
        self
    }

    /// Sets the number of teams to which the seats are dealt.
    #[must_use]
    pub fn teams(mut self, teams: u8) -> Self {
        self.teams = teams;
        self
    }

    /// Sets how strong the bots play. Bots that do not have this strength play as if none were set.
    #[must_use]
    pub fn strength(mut self, strength: Strength) -> Self {
        self.strength = Some(strength);
        self
    }

    fn is_of(self, seat: Seat, team: Option<Team>) -> bool {
        team.is_none() || Teams::new(self.teams).of(seat) == team
    }
}

/// A taken seat.
pub(super) struct Occupant {
    pub name: String,
    pub status: SeatStatus,
    /// Whether a connection has entered, so that it is more than a reservation.
    pub entered: bool,
    /// Whether the rules have seen it join.
    pub joined: bool,
    /// The tick of the newest input, or of entering.
    pub active_at: Tick,
    /// The tick at which the grace time of an away seat ends.
    pub away_until: Option<Tick>,
    pub avatar: Avatar,
    pub delivery: Delivery,
}

impl Occupant {
    pub fn reserved(name: &str) -> Self {
        Self {
            name: name.into(),
            status: SeatStatus::Reserved,
            entered: false,
            joined: false,
            active_at: Tick(0),
            away_until: None,
            avatar: Avatar::default(),
            delivery: Delivery::default(),
        }
    }

    pub fn bot(seat: Seat) -> Self {
        Self { status: SeatStatus::Bot, entered: true, ..Self::reserved(&format!("Bot {seat}")) }
    }
}

/// All seats of a room.
pub(super) struct Seats {
    pub plan: SeatPlan,
    taken: BTreeMap<Seat, Occupant>,
    /// The number of seats by status, so that a tick in which nobody comes or goes looks at no seat.
    tally: [u8; 4],
    changed: bool,
    /// Whether somebody came whom the rules may not have seen.
    arrived: bool,
}

impl Seats {
    pub fn new(plan: SeatPlan) -> Self {
        Self { plan, taken: BTreeMap::new(), tally: [0; 4], changed: false, arrived: false }
    }

    pub fn get(&self, seat: Seat) -> Option<&Occupant> {
        self.taken.get(&seat)
    }

    pub fn get_mut(&mut self, seat: Seat) -> Option<&mut Occupant> {
        self.taken.get_mut(&seat)
    }

    pub fn len(&self) -> usize {
        self.taken.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Seat, &Occupant)> {
        self.taken.iter().map(|(seat, occupant)| (*seat, occupant))
    }

    /// Iterates over the seats of connected people.
    pub fn playing_mut(&mut self) -> impl Iterator<Item = (Seat, &mut Occupant)> {
        let taken = self.taken.iter_mut().map(|(seat, occupant)| (*seat, occupant));
        taken.filter(|(_, occupant)| occupant.status == SeatStatus::Playing)
    }

    /// Notes the seats' avatars at a tick. A seat with several has the one with the least id.
    pub fn note_avatars(&mut self, mut avatars: Vec<(Seat, Id)>, now: Tick) {
        avatars.sort_unstable();
        avatars.dedup_by_key(|(seat, _)| *seat);
        let mut avatars = avatars.into_iter().peekable();
        for (&seat, occupant) in &mut self.taken {
            while avatars.next_if(|(other, _)| *other < seat).is_some() {}
            let own = avatars.next_if(|(other, _)| *other == seat);
            occupant.avatar.note(own.map(|(_, id)| id), now);
        }
    }

    /// Takes the seats that the rules have not seen yet.
    pub fn take_joining(&mut self) -> Vec<Seat> {
        if !std::mem::take(&mut self.arrived) {
            return Vec::new();
        }
        let joining = self.taken.iter_mut().filter(|(_, occupant)| occupant.entered && !occupant.joined);
        let heard = |(seat, occupant): (&Seat, &mut Occupant)| {
            occupant.joined = true;
            *seat
        };
        joining.map(heard).collect()
    }

    pub fn playing(&self) -> impl Iterator<Item = Seat> {
        self.iter().filter(|(_, occupant)| occupant.status == SeatStatus::Playing).map(|(seat, _)| seat)
    }

    pub fn take(&mut self, seat: Seat, occupant: Occupant) {
        self.free(seat);
        self.tally[occupant.status as usize] += 1;
        self.taken.insert(seat, occupant);
        self.arrived = true;
    }

    pub fn free(&mut self, seat: Seat) -> Option<Occupant> {
        self.changed = true;
        let occupant = self.taken.remove(&seat)?;
        self.tally[occupant.status as usize] -= 1;
        Some(occupant)
    }

    fn count(&self, status: SeatStatus) -> usize {
        self.tally[status as usize].into()
    }

    pub fn set_status(&mut self, seat: Seat, status: SeatStatus) {
        if let Some(occupant) = self.taken.get_mut(&seat) {
            let before = std::mem::replace(&mut occupant.status, status);
            self.tally[before as usize] -= 1;
            self.tally[status as usize] += 1;
            self.arrived = true;
            if status != SeatStatus::Away {
                occupant.away_until = None;
            }
            self.changed = true;
        }
    }

    /// Returns the first free seat, of a team or of any team.
    pub fn first_free(&self, team: Option<Team>) -> Option<Seat> {
        let mut all = (1..=self.plan.seats).map(Seat);
        all.find(|seat| !self.taken.contains_key(seat) && self.plan.is_of(*seat, team))
    }

    /// Returns how many seats of a team, or of any team, a person can take: the free ones and the bots'.
    pub fn open(&self, team: Option<Team>) -> usize {
        let taken = |seat: &Seat| self.taken.get(seat).is_some_and(|occupant| occupant.status != SeatStatus::Bot);
        (1..=self.plan.seats).map(Seat).filter(|seat| !taken(seat) && self.plan.is_of(*seat, team)).count()
    }

    /// Returns the last bot, of a team or of any team.
    pub fn last_bot(&self, team: Option<Team>) -> Option<Seat> {
        let bots = self.iter().filter(|(_, occupant)| occupant.status == SeatStatus::Bot).map(|(seat, _)| seat);
        bots.filter(|seat| self.plan.is_of(*seat, team)).last()
    }

    /// Returns a bot that is not needed to fill `wanted` seats.
    pub fn surplus_bot(&self, wanted: usize) -> Option<Seat> {
        if self.taken.len() > wanted && self.count(SeatStatus::Bot) > 0 { self.last_bot(None) } else { None }
    }

    /// Returns a free seat for a bot that is needed to fill `wanted` seats.
    pub fn wanted_bot(&self, wanted: usize) -> Option<Seat> {
        if self.taken.len() < wanted { self.first_free(None) } else { None }
    }

    /// Returns the number of people who play here, or are away for a moment.
    pub fn people(&self) -> usize {
        self.count(SeatStatus::Playing) + self.count(SeatStatus::Away)
    }

    /// Returns the seats whose grace time is over.
    pub fn away_since(&self, now: Tick) -> Vec<Seat> {
        if self.count(SeatStatus::Away) == 0 {
            return Vec::new();
        }
        let over = self.iter().filter(|(_, occupant)| occupant.away_until.is_some_and(|until| until <= now));
        over.map(|(seat, _)| seat).collect()
    }

    /// Returns whether somebody came, went or changed since the last tick.
    pub fn is_changing(&self) -> bool {
        self.changed || self.arrived
    }

    /// Returns whether the list of seats changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub fn infos(&self) -> Arc<[SeatInfo]> {
        let seen = self.iter().filter(|(_, occupant)| occupant.status != SeatStatus::Reserved);
        seen.map(|(seat, occupant)| SeatInfo { seat, name: occupant.name.clone(), status: occupant.status }).collect()
    }

    pub fn population(&self) -> Population {
        let bots = self.count(SeatStatus::Bot);
        let players = self.taken.len() - bots;
        let seats = usize::from(self.plan.seats);
        Population { players, bots, seats, free: seats - players, connected: self.count(SeatStatus::Playing) }
    }
}
