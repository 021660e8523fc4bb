//! A running room: its seating under a lock, and all that belongs to it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    admission::Admission,
    hold::SPECTATOR_SEAT,
    intake::Intake,
    opener::{MatchInfo, Opener},
    pass::Grant,
    presence_report::PresenceReport,
    record::{MatchResult, Record},
    refusal::Refusal,
    schedule::next_phase,
    seating::{Activity, Played, Seating},
    services::Services,
};
use crate::{
    game::GameDef,
    lobby::{Identity, RoomId, UserId},
    matchmaking::Opening,
    observe::GameMeters,
    protocol::Tick,
    room::{OverReason, Population, Room},
    sim::Team,
};

pub(super) struct Running {
    pub(super) id: RoomId,
    pub(super) def: GameDef,
    pub(super) services: Arc<Services>,
    mode: String,
    /// The matchmaker's match, if the room was opened for one.
    pub(super) match_info: Option<MatchInfo>,
    pub(super) meters: GameMeters,
    /// Wakes the driver while it waits because nobody plays.
    pub(super) wake: Notify,
    presence: PresenceReport,
    /// The queue of inputs to this room.
    pub(super) intake: Arc<Intake>,
    seating: Mutex<Seating>,
    clock: Mutex<Clock>,
    /// The population that the lobby and the gauges were told of last.
    told: Mutex<Population>,
    listed: AtomicBool,
    /// The user who opened the room, and may remove others.
    owner: Option<UserId>,
}

/// A room's time, which clients ask for between two steps.
struct Clock {
    newest: Tick,
    /// When the newest tick was due. `None` while the room is not stepped: its time stands still.
    due: Option<Instant>,
}

impl Running {
    pub(super) fn new(id: RoomId, room: Room, services: Arc<Services>) -> Self {
        let (def, population) = (room.def().clone(), room.population());
        let (intake, meters) = (Arc::new(Intake::new(def.hz())), GameMeters::new(def.name()));
        meters.rooms.increment(1);
        meters.bots.increment(population.bots as f64);
        Self {
            id,
            def,
            mode: String::new(),
            match_info: None,
            meters,
            wake: Notify::new(),
            presence: PresenceReport::new(services.hub.clone()),
            services,
            clock: Mutex::new(Clock { newest: room.current_tick(), due: None }),
            told: Mutex::new(population),
            listed: AtomicBool::new(true),
            owner: None,
            seating: Mutex::new(Seating::new(room, &intake)),
            intake,
        }
    }

    /// Sets the matchmaking mode that the room is for.
    pub(super) fn of_mode(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.mode);
        self
    }

    /// Sets who opened the room.
    pub(super) fn opened_by(mut self, opener: Opener) -> Self {
        match opener {
            Opener::Player(owner) => self.owner = Some(owner),
            Opener::Matchmaker(info) => self.match_info = Some(info),
        }
        self
    }

    /// Calls `act` under the room's lock, and tells the lobby if the players changed.
    pub(super) fn with_seating<R>(&self, act: impl FnOnce(&mut Seating) -> R) -> R {
        let mut seating = self.seating();
        let result = act(&mut seating);
        match seating.population() {
            Some(population) if seating.over_at.is_none() => self.tell(population),
            _ => self.unlist(),
        }
        self.presence.tell(&self.id, seating.stays());
        result
    }

    /// Steps the room once and publishes its tick. `due` is when the step was due, which may be earlier than now.
    pub(super) fn step(&self, due: Instant) {
        let began = Instant::now();
        let (tick, played) = self.with_seating(|seating| (seating.step(&self.meters), seating.take_played()));
        if let Some(tick) = tick {
            *self.clock() = Clock { newest: tick, due: Some(due) };
        }
        if let Some(Played { began, ended, winners, players }) = played {
            let (room, game, mode) = (self.id.clone(), self.def.name(), self.mode.clone());
            // A room's id may be drawn again one day, but not with the same end.
            let id = format!("{room}-{ended:x}");
            let result = Record::Ended(MatchResult { id, room, game, mode, began, ended, winners, players });
            self.services.record(&result);
        }
        self.meters.tick_seconds.record(began.elapsed());
    }

    /// Returns when the room may begin to step.
    pub(super) fn next_phase(&self, now: Instant) -> Instant {
        next_phase(self.services.board.epoch, now, self.def.hz())
    }

    /// Lets time go on from the newest tick.
    pub(super) fn go(&self, now: Instant) {
        self.clock().due = Some(now);
    }

    /// Stops time, and stops reading the clients.
    pub(super) fn stop(&self) {
        self.clock().due = None;
        self.seating().release();
    }

    pub(super) fn upkeep(&self, now: Instant) -> Activity {
        self.with_seating(|seating| seating.upkeep(now, &self.services.limits, &self.meters))
    }

    /// Does the same between two steps. The lobby is told of changes with the next step.
    pub(super) fn upkeep_in_play(&self, now: Instant) -> Activity {
        self.seating().upkeep(now, &self.services.limits, &self.meters)
    }

    /// Signs a ticket to spectate.
    pub(super) fn admit_spectator(&self, who: &Identity) -> Result<String, Refusal> {
        let life = self.services.limits.ticket_life;
        let ticket = self.with_seating(|seating| {
            self.services.gate.check_blocked(&who.user)?;
            seating.admit_spectator(who, life)
        })?;
        Ok(self.services.keys.ticket(&self.id, Grant { seat: SPECTATOR_SEAT, stay: ticket, ticket }, life))
    }

    /// Whether this user opened the room.
    pub(super) fn is_owner(&self, user: &UserId) -> bool {
        self.owner.as_ref() == Some(user)
    }

    /// Reserves a seat, in this team if the match has teams, and signs a ticket for it.
    pub(super) fn admit(&self, who: &Identity, team: Option<Team>) -> Result<Admission, Refusal> {
        let life = self.services.limits.ticket_life;
        let (grant, team) = self.with_seating(|seating| {
            // Checked under the lock, so that a user who is blocked at the same time gets no seat.
            self.services.gate.check_blocked(&who.user)?;
            let grant = seating.reserve(who, team, life, &self.meters)?;
            Ok::<_, Refusal>((grant, seating.room().and_then(|room| room.team(grant.seat))))
        })?;
        self.wake.notify_one();
        let ticket = self.services.keys.ticket(&self.id, grant, life);
        Ok(Admission { ticket, url: String::new(), room: self.id.clone(), code: None, team: team.map(|team| team.0) })
    }

    /// Takes a user's seat away, if they have one.
    pub(super) fn evict(&self, user: &UserId, message: &str) {
        self.with_seating(|seating| seating.evict(user, message, &self.meters));
        self.wake.notify_one();
    }

    pub(super) fn close(&self, reason: OverReason, message: &str) {
        self.with_seating(|seating| seating.close(reason, message));
        self.wake.notify_one();
    }

    /// Returns the room's time in ticks.
    pub(super) fn ticks(&self) -> f64 {
        let Clock { newest, due } = *self.clock();
        let since = due.map_or(Duration::ZERO, |due| due.elapsed());
        f64::from(newest.0) + since.as_secs_f64() * f64::from(self.def.hz())
    }

    pub(super) fn is_backfilled(&self) -> bool {
        self.match_info.as_ref().is_some_and(|info| info.backfill)
    }

    pub(super) fn opening(&self) -> Option<Opening> {
        let MatchInfo { mode, terms, .. } = self.match_info.as_ref()?;
        let free = self.with_seating(|seating| seating.open_seats())?;
        let is_open = free.iter().any(|free| *free > 0);
        let (room, game) = (self.id.clone(), self.def.name());
        is_open.then(|| Opening { room, game, mode: mode.clone(), free, terms: terms.clone() })
    }

    /// Removes the room from the gauges and the lobby. Called once, when the driver ends.
    pub(super) fn retire(&self) {
        let told = self.told();
        self.meters.players.decrement(told.players as f64);
        self.meters.bots.decrement(told.bots as f64);
        self.meters.rooms.decrement(1);
        self.presence.tell(&self.id, std::iter::empty());
        self.unlist();
    }

    /// Takes the room off the list. This is before it closes, because nobody can join a match that is over.
    fn unlist(&self) {
        if self.listed.swap(false, Ordering::Relaxed) {
            self.services.board.change(|lobby| lobby.close(&self.id));
        }
    }

    fn tell(&self, population: Population) {
        let mut told = self.told();
        if *told != population {
            self.meters.players.increment(population.players as f64 - told.players as f64);
            self.meters.bots.increment(population.bots as f64 - told.bots as f64);
            *told = population;
            self.services.board.update(&self.id, population);
        }
    }

    fn seating(&self) -> MutexGuard<'_, Seating> {
        self.seating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Population> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
