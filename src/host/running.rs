//! A running room: its seating under a lock, and what it needs.

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
    contest::{Contest, Opener},
    hold::SPECTATOR_SEAT,
    intake::Intake,
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
    /// How the matchmaker put the match together, if it did.
    pub(super) contest: Option<Contest>,
    pub(super) meters: GameMeters,
    /// Wakes a driver that waits because nobody plays.
    pub(super) wake: Notify,
    presence: PresenceReport,
    /// Where the inputs of its connections come in.
    pub(super) intake: Arc<Intake>,
    seating: Mutex<Seating>,
    clock: Mutex<Clock>,
    /// Who sat here when the lobby and the gauges were last told.
    told: Mutex<Population>,
    listed: AtomicBool,
    /// Who opened it, and may remove others.
    owner: Option<UserId>,
}

/// A room's time, for whoever asks between two steps.
struct Clock {
    newest: Tick,
    /// When the newest tick was due; `None` while the room is not stepped and its time stands still.
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
            contest: None,
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

    /// Names the mode of matchmaking that the room is for.
    pub(super) fn of_mode(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.mode);
        self
    }

    /// Says who opened it.
    pub(super) fn opened_by(mut self, opener: Opener) -> Self {
        match opener {
            Opener::Player(owner) => self.owner = Some(owner),
            Opener::Matchmaker(contest) => self.contest = Some(contest),
        }
        self
    }

    /// Does something under the room's lock, and tells the lobby if it changed who sits there.
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

    /// Steps the room once and publishes its tick; `due` is when the step was due, not when it was done.
    pub(super) fn step(&self, due: Instant) {
        let began = Instant::now();
        let (tick, played) = self.with_seating(|seating| (seating.step(&self.meters), seating.take_played()));
        if let Some(tick) = tick {
            *self.clock() = Clock { newest: tick, due: Some(due) };
        }
        if let Some(Played { began, ended, winners, players }) = played {
            let (room, game, mode) = (self.id.clone(), self.def.name(), self.mode.clone());
            // A room's id may come again some day; not in the same millisecond.
            let id = format!("{room}-{ended:x}");
            let result = Record::Ended(MatchResult { id, room, game, mode, began, ended, winners, players });
            self.services.record(&result);
        }
        self.meters.tick_seconds.record(began.elapsed());
    }

    /// When the room may begin to step.
    pub(super) fn next_phase(&self, now: Instant) -> Instant {
        next_phase(self.services.board.epoch, now, self.def.hz())
    }

    /// Time goes on from the newest tick.
    pub(super) fn go(&self, now: Instant) {
        self.clock().due = Some(now);
    }

    /// Time stands still, and nobody is asked for inputs.
    pub(super) fn stop(&self) {
        self.clock().due = None;
        self.seating().release();
    }

    pub(super) fn upkeep(&self, now: Instant) -> Activity {
        self.with_seating(|seating| seating.upkeep(now, &self.services.limits, &self.meters))
    }

    /// The same between two steps: what it changed is told with the next.
    pub(super) fn upkeep_in_play(&self, now: Instant) -> Activity {
        self.seating().upkeep(now, &self.services.limits, &self.meters)
    }

    /// Signs a ticket that lets somebody watch.
    pub(super) fn admit_spectator(&self, who: &Identity) -> Result<String, Refusal> {
        let life = self.services.limits.ticket_life;
        let ticket = self.with_seating(|seating| {
            self.services.gate.check_blocked(&who.user)?;
            seating.admit_spectator(who, life)
        })?;
        Ok(self.services.keys.ticket(&self.id, Grant { seat: SPECTATOR_SEAT, stay: ticket, ticket }, life))
    }

    /// Whether somebody opened the room.
    pub(super) fn is_owner(&self, user: &UserId) -> bool {
        self.owner.as_ref() == Some(user)
    }

    /// Reserves a seat, of a team if there are teams, and signs the ticket for it.
    pub(super) fn admit(&self, who: &Identity, team: Option<Team>) -> Result<Admission, Refusal> {
        let life = self.services.limits.ticket_life;
        let (grant, team) = self.with_seating(|seating| {
            // Under the seating's lock, so that nobody sits down behind the back of whoever blocks them.
            self.services.gate.check_blocked(&who.user)?;
            let grant = seating.reserve(who, team, life, &self.meters)?;
            Ok::<_, Refusal>((grant, seating.room().and_then(|room| room.team(grant.seat))))
        })?;
        self.wake.notify_one();
        let ticket = self.services.keys.ticket(&self.id, grant, life);
        Ok(Admission { ticket, url: String::new(), room: self.id.clone(), code: None, team: team.map(|team| team.0) })
    }

    /// Takes away the seats of somebody, if they have any.
    pub(super) fn evict(&self, user: &UserId, message: &str) {
        self.with_seating(|seating| seating.evict(user, message, &self.meters));
        self.wake.notify_one();
    }

    pub(super) fn close(&self, reason: OverReason, message: &str) {
        self.with_seating(|seating| seating.close(reason, message));
        self.wake.notify_one();
    }

    /// The room's time in ticks.
    pub(super) fn ticks(&self) -> f64 {
        let Clock { newest, due } = *self.clock();
        let since = due.map_or(Duration::ZERO, |due| due.elapsed());
        f64::from(newest.0) + since.as_secs_f64() * f64::from(self.def.hz())
    }

    pub(super) fn is_backfilled(&self) -> bool {
        self.contest.as_ref().is_some_and(|contest| contest.backfill)
    }

    pub(super) fn opening(&self) -> Option<Opening> {
        let Contest { mode, terms, .. } = self.contest.as_ref()?;
        let free = self.with_seating(|seating| seating.open_seats())?;
        let is_open = free.iter().any(|free| *free > 0);
        let (room, game) = (self.id.clone(), self.def.name());
        is_open.then(|| Opening { room, game, mode: mode.clone(), free, terms: terms.clone() })
    }

    /// Takes the room out of the gauges, and the lobby if it is still there. Called once, when the driver ends.
    pub(super) fn retire(&self) {
        let told = self.told();
        self.meters.players.decrement(told.players as f64);
        self.meters.bots.decrement(told.bots as f64);
        self.meters.rooms.decrement(1);
        self.presence.tell(&self.id, std::iter::empty());
        self.unlist();
    }

    /// A match that is over takes nobody in: it is off the listing before its room closes.
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
