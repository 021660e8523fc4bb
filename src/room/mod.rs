//! One match, without a socket or a clock: seats, `handle(seat, bytes)`, `tick() -> outbox`, stats.
//!
//! This room knows who sits where and what each seat has been sent. It refuses to know tokio, Socket.IO and connections. Its host tells
//! it when a seat enters, drops and leaves, and when a tick is due.

mod stats;
mod window;
mod delivery;
mod avatar;
mod seats;
mod bots;
mod outbox;
mod frames;
mod gallery;
mod votes;
mod turnover;
mod on_input;
mod commands;
mod saved;
pub mod testing;

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::{
    game::{ConfigError, GameDef, Hooks, Match, Outcome},
    prefetch::prefetch,
    protocol::{AckOrInput, ErrorCode, InputColumns, InputHead, Schema, Seat, Tick, decode_input, ticks},
    replication::{Replicator, View, Viewer},
    sim::{NewInput, Offered, Part, Progress, Sim, Team, Teams},
};

pub use delivery::Refused;
pub use outbox::{Frames, Message, Outbox, Over, OverReason, Scene, VoteInfo};
pub use saved::RestoreError;
pub use seats::{Population, SeatInfo, SeatPlan, SeatStatus};
pub use stats::RoomStats;
pub use votes::VOTE_SECONDS;

use bots::Bots;
use seats::{Occupant, Seats};

/// One running match.
pub struct Room {
    def: GameDef,
    sim: Sim,
    replicator: Replicator,
    hooks: Hooks,
    /// The input of a player who presses nothing.
    rest: Vec<i64>,
    config: Value,
    seats: Seats,
    bots: Bots,
    /// The seats whose entities are despawned in the next tick. Between two ticks the world does not change.
    leaving: Vec<Seat>,
    stats: RoomStats,
    vote: Option<votes::Vote>,
    gallery: Option<Box<gallery::Gallery>>,
    outcome: Option<Outcome>,
    /// Whether bots may fill seats and hold those of players who are away.
    bots_allowed: bool,
    max_entities: usize,
    /// Whether the newest tick changed something, so that the next one may, too. Only of interest in a match that steps on input.
    has_moved: bool,
}

/// The reason why a room refuses what a seat asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RoomError {
    /// Every seat is taken.
    #[error("every seat of the room is taken")]
    Full,
    /// The match is over.
    #[error("the match is over")]
    Over,
    /// Nobody has that seat.
    #[error("nobody has the seat {0}")]
    UnknownSeat(Seat),
    /// A player cannot vote about this seat: it is their own, free, or a bot's.
    #[error("seat {0} is not another player's")]
    NotVotable(Seat),
    /// A vote about another seat is open.
    #[error("a vote about seat {0} is open")]
    VoteOpen(Seat),
}

/// The start of a seat that has entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entered {
    /// The newest tick stepped.
    pub tick: Tick,
    /// The base of its first frame.
    pub baseline: Baseline,
}

/// The base from which a seat's next frame starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Nothing: the frame is a snapshot.
    Snapshot,
    /// The tick that the mirror holds: the frame is a diff.
    Diff,
}

impl Baseline {
    /// Returns the word for it in `welcome`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Diff => "diff",
        }
    }
}

impl Room {
    /// Makes a match before its first tick.
    ///
    /// # Errors
    /// The game refuses the configuration.
    pub fn new(def: &GameDef, config: Option<&Value>, seed: u64) -> Result<Self, ConfigError> {
        let Match { sim, replicator, hooks, rest, config } = def.make(config, seed)?;
        let seats = Seats::new(SeatPlan::new(*def.seats().end()).fill(def.options().fill));
        let bots = Bots::new(seed);
        let stats = RoomStats::default();
        Ok(Self {
            def: def.clone(),
            sim,
            replicator,
            hooks,
            rest,
            config,
            seats,
            bots,
            leaving: Vec::new(),
            stats,
            vote: None,
            gallery: None,
            outcome: None,
            bots_allowed: true,
            max_entities: usize::MAX,
            has_moved: true,
        })
    }

    /// Sets the number of seats, at most the game's, and deals them to teams. To be called before any seat is taken.
    pub fn plan(&mut self, plan: SeatPlan) {
        self.seats.plan = SeatPlan { seats: plan.seats.min(*self.def.seats().end()), ..plan };
        self.sim.world_mut().insert_resource(Teams::new(plan.teams));
    }

    /// Allows or forbids bots to fill seats and to hold the seats of players who are away. They do so as the game says. Default: allowed.
    ///
    /// Bots that fill seats leave in the next tick once they are forbidden.
    pub fn allow_bots(&mut self, allowed: bool) {
        self.bots_allowed = allowed;
    }

    /// Limits the entities of the match, including one for each resource. With more the match ends. Default: no limit.
    pub fn limit_entities(&mut self, most: usize) {
        self.max_entities = most;
    }

    /// Returns what the match is doing, for other threads to read.
    pub fn progress(&self) -> &Arc<Progress> {
        self.sim.progress()
    }

    /// Returns the number of teams; 0 if everybody plays for themselves.
    pub fn teams(&self) -> u8 {
        self.seats.plan.teams
    }

    /// Returns the team of a seat, if seats are dealt to teams.
    pub fn team(&self, seat: Seat) -> Option<Team> {
        Teams::new(self.seats.plan.teams).of(seat)
    }

    /// Returns how many seats of each team a person can take. A room without teams counts as one team.
    pub fn open_seats(&self) -> Vec<usize> {
        match self.seats.plan.teams {
            0 => vec![self.seats.open(None)],
            teams => (1..=teams).map(|team| self.seats.open(Some(Team(team)))).collect(),
        }
    }

    /// Reserves a seat for a person. A bot makes room if no seat is free. The seat joins the match when it first enters.
    ///
    /// # Errors
    /// Every seat is taken by a person, or the match is over.
    pub fn reserve(&mut self, name: &str) -> Result<Seat, RoomError> {
        self.reserve_on(None, name)
    }

    /// Reserves a seat of a team, or of any team.
    ///
    /// # Errors
    /// Every seat of the team is taken by a person, or the match is over.
    pub fn reserve_on(&mut self, team: Option<Team>, name: &str) -> Result<Seat, RoomError> {
        if self.outcome.is_some() {
            return Err(RoomError::Over);
        }
        if self.seats.first_free(team).is_none() {
            let bot = self.seats.last_bot(team).ok_or(RoomError::Full)?;
            self.leave(bot);
        }
        let seat = self.seats.first_free(team).ok_or(RoomError::Full)?;
        self.seats.take(seat, Occupant::reserved(name));
        Ok(seat)
    }

    /// Cancels a reservation that was never used. A seat that has entered stays taken.
    pub fn release(&mut self, seat: Seat) {
        if self.seats.get(seat).is_some_and(|occupant| !occupant.entered) {
            self.seats.free(seat);
        }
    }

    /// Connects a seat, for the first time or again. `held` is the tick that its mirror holds.
    ///
    /// # Errors
    /// The seat is not reserved any more, or the match is over.
    pub fn enter(&mut self, seat: Seat, held: Option<Tick>) -> Result<Entered, RoomError> {
        if self.outcome.is_some() {
            return Err(RoomError::Over);
        }
        let now = self.sim.tick();
        let memory = ticks(crate::replication::MEMORY_SECONDS, self.def.hz());
        let occupant = self.seats.get_mut(seat).ok_or(RoomError::UnknownSeat(seat))?;
        let holds = occupant.delivery.resume(held, now, memory);
        occupant.entered = true;
        occupant.active_at = now;
        self.bots.dismiss(seat);
        self.seats.set_status(seat, SeatStatus::Playing);
        self.stats.entered += 1;
        Ok(Entered { tick: now, baseline: if holds { Baseline::Diff } else { Baseline::Snapshot } })
    }

    /// Notes that a seat's connection is gone. The seat is kept for the game's grace time, and its avatar stands still as if nothing were
    /// pressed.
    pub fn disconnect(&mut self, seat: Seat) {
        let grace = self.def.options().reconnect_grace.as_secs_f32();
        if grace == 0.0 {
            return self.leave(seat);
        }
        let until = Tick(self.sim.tick().0 + ticks(grace, self.def.hz()));
        if let Some(occupant) = self.seats.get_mut(seat) {
            occupant.away_until = Some(until);
            self.seats.set_status(seat, SeatStatus::Away);
            let now = self.sim.tick();
            self.sim.inputs().rest(seat, now, InputColumns::from_slice(&self.rest));
            if let Some(brain) = self.hooks.bot.filter(|_| self.def.options().bots_hold_seats && self.bots_allowed) {
                self.bots.employ(seat, brain());
            }
        }
    }

    /// Frees a seat at once. Its entities are despawned in the next tick.
    pub fn leave(&mut self, seat: Seat) {
        if self.seats.free(seat).is_some_and(|occupant| occupant.joined) {
            self.leaving.push(seat);
        }
        self.bots.dismiss(seat);
        self.sim.forget(seat);
        self.replicator.forget(seat);
    }

    /// Takes the bytes that a seat sent as event `i`. Faults are counted, and told to the seat in an outbox.
    ///
    /// # Errors
    /// The code of the fault.
    pub fn handle(&mut self, seat: Seat, bytes: &[u8]) -> Result<(), ErrorCode> {
        let (now, hz) = (self.sim.tick(), u32::from(self.def.hz()));
        let occupant = self.seats.get_mut(seat).ok_or(ErrorCode::ResumeExpired)?;
        let taken = if occupant.delivery.spend_input() {
            match decode_input(self.def.schema(), bytes) {
                Err(_) => Err(ErrorCode::BadInput),
                Ok(AckOrInput::Ack { ack }) => occupant.delivery.acknowledge(ack, now, hz).map(|()| None),
                Ok(AckOrInput::Input { head, .. }) if head.tick.since(now) > hz => Err(ErrorCode::InputTooEarly),
                Ok(AckOrInput::Input { head: InputHead { ack, seq, tick, behind }, columns }) => {
                    occupant.delivery.acknowledge(ack, now, hz).map(|()| {
                        let meant = if tick == Tick(0) { Tick(now.0 + 1) } else { tick };
                        let behind = behind.map_or(0, |behind| occupant.delivery.bound_behind(meant, behind, hz));
                        Some(self.sim.inputs().offer(seat, now, NewInput { seq, tick, behind, columns }))
                    })
                }
            }
        } else {
            Err(ErrorCode::RateLimited)
        };
        let counter = match taken {
            Ok(None) => &mut self.stats.acks,
            Ok(Some(Offered::Waits)) => {
                occupant.active_at = now;
                &mut self.stats.inputs
            }
            Ok(Some(Offered::Late)) => &mut self.stats.inputs_late,
            Ok(Some(Offered::Duplicate)) => &mut self.stats.inputs_duplicate,
            Ok(Some(Offered::Full)) => self.stats.refused(ErrorCode::RateLimited),
            Err(code) => self.stats.refused(code),
        };
        *counter += 1;
        let taken = taken.and_then(|offered| if offered == Some(Offered::Full) { Err(ErrorCode::RateLimited) } else { Ok(()) });
        if let Err(code) = taken {
            occupant.delivery.refuse(code);
        }
        taken
    }

    /// Makes a seat's next frame a snapshot, because its mirror is wrong.
    pub fn resync(&mut self, seat: Seat) {
        if let Some(occupant) = self.seats.get_mut(seat) {
            occupant.delivery.restart();
            self.stats.resyncs += 1;
        }
    }

    /// Notes that the newest frame did not reach a seat. Its next frame starts from the base before that.
    pub fn missed(&mut self, seat: Seat) {
        let (now, hz) = (self.sim.tick(), u32::from(self.def.hz()));
        if let Some(occupant) = self.seats.get_mut(seat) {
            occupant.delivery.missed(now, hz);
            self.stats.missed += 1;
        }
    }

    /// Notes ticks that were due and will not be stepped, because the host is too late. Clients that know nothing of that send inputs for
    /// them, which are no flood.
    pub fn lapse(&mut self, ticks: u32) {
        let hz = u32::from(self.def.hz());
        self.seats.playing_mut().for_each(|(_, occupant)| occupant.delivery.allow_inputs(ticks, hz));
    }

    /// Steps the match once.
    ///
    /// # Panics
    /// If the rules panic. The host must then end the room and tell its seats.
    pub fn tick(&mut self) -> Outbox {
        let mut out = Outbox::default();
        if self.outcome.is_some() {
            return out;
        }
        let on_input = self.def.options().on_input;
        if on_input {
            self.sim.forget_deadline();
        }
        self.count_votes(&mut out);
        self.evict_idle(&mut out);
        self.enter_part(Part::SEATS);
        self.seat_changes();
        self.enter_part(Part::BOTS);
        self.bots.think(&self.seats, &self.replicator, &mut self.sim, self.def.schema());
        if let Err((reason, message)) = self.step() {
            out.over = Some(Over { reason, message, winners: Vec::new() });
            self.outcome = Some(Outcome::draw());
            return out;
        }
        self.enter_part(Part::FRAMES);
        self.stats.ticks += 1;
        let now = self.sim.tick();
        self.replicator.collect(self.sim.world_mut(), now);
        let avatars = self.sim.find_avatars().into_iter();
        let avatars = avatars.filter_map(|(seat, avatar)| Some((seat, self.replicator.ids().get(avatar)?)));
        self.seats.note_avatars(avatars.collect(), now);
        if self.seats.take_changed() {
            out.seats(&self.seats);
        }
        let events = self.sim.take_events();
        out.events(&self.seats, now, &events);
        if on_input {
            self.note_moved(!events.is_empty());
        }
        self.enter_part(Part::FINISH);
        let outcome = self.hooks.finished(&mut self.sim);
        self.enter_part(Part::FRAMES);
        self.frames(&mut out, outcome.is_some());
        self.stats.blocks = self.replicator.blocks_made();
        self.enter_part(Part::NONE);
        if self.gallery.is_some() {
            self.show(&mut out, outbox::encode(&events, now, None), outcome.is_some());
        }
        if let Some(outcome) = outcome {
            let winners = outcome.winners.clone();
            out.over = Some(Over { reason: OverReason::Finished, message: "the match is over".into(), winners });
            self.outcome = Some(outcome);
        }
        out
    }

    /// Steps the world. The error says why the match ends.
    fn step(&mut self) -> Result<(), (OverReason, String)> {
        self.sim.step().map_err(|error| (OverReason::RulesError, error.to_string()))?;
        let (entities, most) = (self.sim.entities(self.max_entities), self.max_entities);
        if entities > most {
            return Err((OverReason::OverBudget, format!("the match has {entities} entities, and {most} are allowed")));
        }
        Ok(())
    }

    /// Begins to fetch what the next tick looks at into the CPU's caches.
    pub fn prefetch(&self) {
        self.seats.iter().for_each(|(_, occupant)| prefetch(occupant));
        self.replicator.prefetch();
        self.sim.prefetch();
    }

    fn enter_part(&self, part: Part) {
        self.sim.progress().enter(part);
    }

    /// Returns the newest tick that was stepped.
    pub fn current_tick(&self) -> Tick {
        self.sim.tick()
    }

    /// Returns all taken seats.
    pub fn seats(&self) -> Arc<[SeatInfo]> {
        self.seats.infos()
    }

    /// Returns how many people and bots sit here.
    pub fn population(&self) -> Population {
        self.seats.population()
    }

    /// Returns the room's configuration, with its defaults filled in.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Returns the game.
    pub fn def(&self) -> &GameDef {
        &self.def
    }

    /// Returns the schema that clients need to follow the match.
    pub fn schema(&self) -> &Arc<Schema> {
        self.def.schema()
    }

    /// Returns the counters.
    pub fn stats(&self) -> &RoomStats {
        &self.stats
    }

    /// Returns whether the match is over. No seat can enter then.
    pub fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    /// Returns how the match ended.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Returns the match as a seat sees it.
    pub fn view(&self, seat: Seat) -> View<'_> {
        self.replicator.view(Viewer { seat, team: self.replicator.team_of(seat) }, &self.sim.avatars())
    }

    /// Returns a checksum of the whole match. Two matches that agree have the same future under the same inputs.
    pub fn checksum(&self) -> u64 {
        self.sim.checksum()
    }
}

impl Hooks {
    fn finished(&mut self, sim: &mut Sim) -> Option<Outcome> {
        let rule = self.finish.as_mut()?;
        match rule.run((), sim.world_mut()) {
            Ok(outcome) => outcome,
            Err(error) => panic!("the rule that ends the match cannot run: {error}"),
        }
    }
}
