//! A running room: its seating under a lock, and all that belongs to it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

use tokio::time::Instant;

mod on_input;
mod time;

use time::Clock;

use super::{
    admission::Admission,
    aside::aside,
    attendees::Played,
    budget::Usage,
    cpu,
    hold::{Audience, SPECTATOR_SEAT},
    intake::Intake,
    opener::{MatchInfo, Opener},
    pass::Grant,
    presence_report::PresenceReport,
    quota::{Asker, Held},
    record::{MatchResult, Record},
    refusal::Refusal,
    schedule::Activity,
    seating::Seating,
    services::Services,
};
use crate::{
    game::GameDef,
    lobby::{Identity, RoomId, UserId},
    matchmaking::Opening,
    observe::{self, DropReason, GameMeters},
    prefetch::prefetch,
    room::{Over, OverReason, Population, Room, RoomError},
    sim::{Part, Progress, Team},
};

/// One wait for the lock of a room that is being stepped. Between two of them a caller looks whether the step is late.
const LOCK_WAIT: Duration = Duration::from_millis(1);

/// The most waits for the lock of a room whose step is not late: nearly all of that time its thread waits for a CPU.
const MAX_LOCK_WAITS: u32 = 2000;

/// A step that takes longer is charged without the time that its thread waited for a CPU.
const UNCHECKED_STEP: Duration = Duration::from_millis(2);

/// The most errands that wait for a room's lock. There is one for each connection that was lost, and few others.
const MAX_ERRANDS: usize = 1024;

/// Something to do under a room's lock.
type Errand = Box<dyn FnOnce(&Running, &mut Seating) + Send>;

pub(super) struct Running {
    pub(super) id: RoomId,
    pub(super) def: GameDef,
    pub(super) services: Arc<Services>,
    mode: String,
    /// The matchmaker's match, if the room was opened for one.
    pub(super) match_info: Option<MatchInfo>,
    pub(super) meters: GameMeters,
    /// Wakes the driver while it waits because nobody plays.
    waker: OnceLock<Waker>,
    presence: PresenceReport,
    /// The queue of inputs to this room.
    pub(super) intake: Arc<Intake>,
    /// The room's connections.
    pub(super) audience: Arc<Audience>,
    seating: parking_lot::Mutex<Seating>,
    /// Errands for the next holder of the lock.
    errands: Mutex<Vec<Errand>>,
    /// Whether the current step takes so long that nobody should wait for the lock.
    is_late: AtomicBool,
    /// The progress of the match's current step.
    progress: Arc<Progress>,
    /// The part of a step in which the watchdog has seen the match last.
    seen: Mutex<Part>,
    clock: Mutex<Clock>,
    told: Mutex<Told>,
    listed: AtomicBool,
    /// The user who opened the room, and may remove others.
    owner: Option<UserId>,
    /// The room in the count of its owner, until the match is over or the owner has left the room to others.
    opened: Mutex<Option<Held>>,
}

/// The last report to the lobby and the gauges.
struct Told {
    population: Population,
    /// They were told that the room has ended.
    retired: bool,
}

impl Running {
    pub(super) fn new(id: RoomId, room: Room, services: Arc<Services>) -> Self {
        let (def, population) = (room.def().clone(), room.population());
        let (intake, audience) = (Arc::new(Intake::new(def.hz())), Arc::<Audience>::default());
        let (meters, progress) = (GameMeters::new(def.name()), room.progress().clone());
        meters.rooms.increment(1);
        meters.bots.increment(population.bots as f64);
        Self {
            id,
            def,
            mode: String::new(),
            match_info: None,
            meters,
            waker: OnceLock::new(),
            presence: PresenceReport::new(services.hub.clone()),
            clock: Mutex::new(Clock::new(room.current_tick())),
            told: Mutex::new(Told { population, retired: false }),
            listed: AtomicBool::new(true),
            owner: None,
            opened: Mutex::default(),
            seating: parking_lot::Mutex::new(Seating::new(room, &intake, &audience, &services.quotas)),
            errands: Mutex::default(),
            is_late: AtomicBool::new(false),
            progress,
            seen: Mutex::new(Part::NONE),
            intake,
            audience,
            services,
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
            Opener::Player(owner, held) => {
                self.owner = Some(owner);
                self.opened = Mutex::new(Some(held));
            }
            Opener::Matchmaker(info) => self.match_info = Some(info),
        }
        self
    }

    /// Calls `act` under the room's lock, and tells the lobby if the players changed.
    ///
    /// # Errors
    /// A step of the room takes too long, or the room was given up.
    pub(super) fn with_seating<R>(&self, act: impl FnOnce(&mut Seating) -> R) -> Result<R, Refusal> {
        let mut seating = self.try_seating().ok_or_else(Refusal::room_busy)?;
        if self.is_given_up() {
            return Err(RoomError::Over.into());
        }
        let result = self.act_in_time(&mut seating, act);
        drop(seating);
        if self.steps_on_input() {
            self.wake();
        }
        Ok(result)
    }

    /// Calls `act` under the room's lock: now, or after the current step if that takes long. Then wakes the driver. Returns whether it
    /// was now.
    pub(super) fn post(&self, act: impl FnOnce(&Self, &mut Seating) + Send + 'static) -> bool {
        let seating = self.try_seating();
        let is_done = seating.is_some();
        match seating {
            Some(mut seating) => self.act_in_time(&mut seating, |seating| act(self, seating)),
            None => {
                let mut errands = self.errands();
                if errands.len() < MAX_ERRANDS {
                    errands.push(Box::new(act));
                } else {
                    observe::dropped(DropReason::Errand);
                }
            }
        }
        self.wake();
        is_done
    }

    /// Does the same as [`with_seating`](Self::with_seating) for the room's driver, which waits for the lock.
    fn drive<R>(&self, act: impl FnOnce(&mut Seating) -> R) -> R {
        self.act(&mut self.seating.lock(), act)
    }

    fn act<R>(&self, seating: &mut Seating, act: impl FnOnce(&mut Seating) -> R) -> R {
        self.do_errands(seating);
        let result = act(seating);
        let mut told = self.told();
        if !told.retired {
            match seating.population() {
                Some(population) if seating.over_at.is_none() => {
                    let is_left = || seating.stays.iter().all(|stay| !self.is_owner(&stay.who.user));
                    if self.tell(&mut told, population) && population.players > 0 && is_left() {
                        self.uncount();
                    }
                }
                _ => self.unlist(Some(seating)),
            }
            self.presence.tell(&self.id, &seating.stays);
        }
        result
    }

    fn do_errands(&self, seating: &mut Seating) {
        let errands = std::mem::take(&mut *self.errands());
        errands.into_iter().for_each(|errand| errand(self, seating));
    }

    /// Waits for the room's lock as long as a step may take.
    fn try_seating(&self) -> Option<parking_lot::MutexGuard<'_, Seating>> {
        let wait = |most| {
            let waits = (0..most).take_while(|_| !self.is_late.load(Ordering::Relaxed));
            waits.filter_map(|_| self.seating.try_lock_for(LOCK_WAIT)).next()
        };
        let waited = wait(1).or_else(|| aside(|| wait(MAX_LOCK_WAITS)));
        waited.or_else(|| self.seating.try_lock())
    }

    /// Notes whether the current step takes so long that nobody should wait for the lock.
    pub(super) fn set_late(&self, is_late: bool) {
        self.is_late.store(is_late, Ordering::Relaxed);
    }

    /// Sets how the driver is woken. Only the first call has an effect.
    pub(super) fn wakes(&self, waker: &Waker) {
        self.waker.get_or_init(|| waker.clone());
        if self.steps_on_input() {
            self.intake.wakes(waker);
        }
    }

    /// Has the driver look at the room now, in case that it waits because nobody plays.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Tells everybody in the room that it is over, without the room's lock.
    pub(super) fn give_up(&self, reason: OverReason, message: &str) {
        self.audience.end(Over { reason, message: message.to_owned(), winners: Vec::new() });
    }

    /// Leaves out steps that were due. To be called before the next step, which takes the inputs that came in the meantime.
    pub(super) fn drop_steps(&self, steps: u64) {
        self.meters.ticks_dropped.increment(steps);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        // A room that has ended takes no inputs.
        let _ = self.seating.lock().with(&self.meters, |room| room.lapse(steps));
    }

    /// Begins to fetch what the next step looks at into the CPU's caches.
    pub(super) fn prefetch(&self) {
        prefetch(self);
        if let Some(seating) = self.seating.try_lock() {
            seating.prefetch();
        }
    }

    /// Steps the room once and publishes its tick. `due` is when the step was due, which may be earlier than now. Returns what the step
    /// used.
    pub(super) fn step(&self, due: Instant) -> Usage {
        self.step_after(due, |_| {})
    }

    /// Does the same after `before`, which is called under the room's lock.
    fn step_after(&self, due: Instant, before: impl FnOnce(&mut Seating)) -> Usage {
        let began = Instant::now();
        let stepped = self.drive(|seating| {
            before(seating);
            seating.step(&self.meters, |played| self.record(played))
        });
        if let Some((tick, _)) = stepped {
            self.stepped(tick, due);
        }
        let took = began.elapsed();
        self.meters.tick_seconds.record(took);
        // A busy machine is not the room's fault.
        let waited = if took > UNCHECKED_STEP { cpu::waited_lately() } else { Duration::ZERO };
        Usage { time: took.saturating_sub(waited), bytes: stepped.map_or(0, |(_, bytes)| bytes) }
    }

    /// Notes what the match is doing, so that it can be said why it took too long.
    pub(super) fn look(&self) {
        let part = self.progress.part();
        if part != Part::NONE {
            *self.seen() = part;
        }
    }

    /// Returns a message for the players with the part of the rules that was seen last, if any was.
    pub(super) fn explain(&self, excess: &str) -> String {
        match self.progress.name(*self.seen()) {
            Some(part) => format!("{excess} (seen last: {part})"),
            None => excess.to_owned(),
        }
    }

    /// Ends a room that was over its budget for too long.
    pub(super) fn end_over_budget(&self, excess: &str) {
        let message = self.explain(excess);
        tracing::warn!(room = %self.id, game = self.def.name(), message, "a room was over its budget");
        observe::dropped(DropReason::RoomOverBudget);
        self.drive(|seating| seating.close(OverReason::OverBudget, &message));
    }

    /// Whether everybody was told that it is over, without the room's lock.
    pub(super) fn is_given_up(&self) -> bool {
        self.audience.is_over()
    }

    /// Gives up a room that does not return from a step.
    pub(super) fn give_up_stuck(&self) {
        let message = self.explain(&format!("a step of this match did not end within {:?}", self.services.limits.stuck_after));
        tracing::error!(room = %self.id, game = self.def.name(), message, "a room is given up");
        observe::dropped(DropReason::RoomStuck);
        self.give_up(OverReason::OverBudget, &message);
    }

    fn record(&self, Played { began, ended, winners, players }: Played) {
        let (room, game, mode) = (self.id.clone(), self.def.name().to_owned(), self.mode.clone());
        // A room's id may be drawn again one day, but not with the same end.
        let id = format!("{room}-{ended:x}");
        self.services.record(&Record::Ended(MatchResult { id, room, game, mode, began, ended, winners, players }));
    }

    pub(super) fn upkeep(&self, now: Instant) -> Activity {
        self.drive(|seating| seating.upkeep(now, &self.services.limits, &self.meters))
    }

    /// Does the same between two steps. The lobby is told of changes with the next step.
    pub(super) fn upkeep_in_play(&self, now: Instant) -> Activity {
        let mut seating = self.seating.lock();
        self.do_errands(&mut seating);
        seating.upkeep(now, &self.services.limits, &self.meters)
    }

    /// Signs a ticket to spectate.
    pub(super) fn admit_spectator(&self, who: &Identity) -> Result<String, Refusal> {
        let life = self.services.limits.ticket_life;
        let ticket = self.with_seating(|seating| {
            self.services.gate.check_blocked(&who.user)?;
            seating.admit_spectator(who, life)
        })??;
        Ok(self.services.keys.ticket(&self.id, Grant { seat: SPECTATOR_SEAT, stay: ticket, ticket }, life))
    }

    /// Whether this user opened the room.
    pub(super) fn is_owner(&self, user: &UserId) -> bool {
        self.owner.as_ref() == Some(user)
    }

    /// Reserves a seat and signs a ticket for it.
    pub(super) fn admit(&self, who: &Identity, by: Asker) -> Result<Admission, Refusal> {
        let life = self.services.limits.ticket_life;
        let (grant, team) = self.with_seating(|seating| {
            // Checked under the lock, so that a user who is blocked at the same time gets no seat.
            self.services.gate.check_blocked(&who.user)?;
            let grant = seating.reserve(who, by, life, &self.meters)?;
            Ok::<_, Refusal>((grant, seating.room().and_then(|room| room.team(grant.seat))))
        })??;
        self.wake();
        Ok(self.admission(grant, team))
    }

    /// Signs another ticket for the seat of a user who has not taken it yet.
    ///
    /// # Errors
    /// The room's step takes too long.
    pub(super) fn renew(&self, user: &UserId) -> Result<Option<Admission>, Refusal> {
        let life = self.services.limits.ticket_life;
        let renewed = self.with_seating(|seating| {
            let grant = seating.renew(user, life)?;
            Some((grant, seating.room().and_then(|room| room.team(grant.seat))))
        });
        match renewed {
            Ok(renewed) => Ok(renewed.map(|(grant, team)| self.admission(grant, team))),
            Err(_) if self.is_given_up() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Returns whether a user who had a seat has taken it. `None` while it is reserved, and if the room cannot tell.
    pub(super) fn has_come(&self, user: &UserId) -> Option<bool> {
        self.with_seating(|seating| seating.has_come(user)).ok()?
    }

    fn admission(&self, grant: Grant, team: Option<Team>) -> Admission {
        let ticket = self.services.keys.ticket(&self.id, grant, self.services.limits.ticket_life);
        Admission { ticket, url: String::new(), room: self.id.clone(), code: None, team: team.map(|team| team.0) }
    }

    /// Takes a user's seat away, if they have one.
    pub(super) fn evict(&self, user: &UserId, message: &'static str) {
        let user = user.clone();
        self.post(move |running, seating| seating.evict(&user, message, &running.meters));
    }

    /// Ends the room. If its current step takes long, its players are told at once, and the room ends after the step.
    pub(super) fn close(&self, reason: OverReason, message: &str) {
        let text = message.to_owned();
        if !self.post(move |_, seating| seating.close(reason, &text)) {
            self.give_up(reason, message);
        }
    }

    pub(super) fn is_backfilled(&self) -> bool {
        self.match_info.as_ref().is_some_and(|info| info.backfill)
    }

    pub(super) fn opening(&self) -> Option<Opening> {
        let MatchInfo { mode, terms, .. } = self.match_info.as_ref()?;
        let free = self.with_seating(|seating| seating.open_seats()).ok()??;
        let is_open = free.iter().any(|free| *free > 0);
        let (room, game) = (self.id.clone(), self.def.name());
        is_open.then(|| Opening { room, game, mode: mode.clone(), free, terms: terms.clone() })
    }

    /// Removes the room from the gauges and the lobby. Called once, when the driver ends or the room is given up.
    pub(super) fn retire(&self) {
        let mut told = self.told();
        told.retired = true;
        self.meters.players.decrement(told.population.players as f64);
        self.meters.bots.decrement(told.population.bots as f64);
        self.meters.rooms.decrement(1);
        self.presence.tell_empty(&self.id);
        self.unlist(self.seating.try_lock().as_deref());
    }

    /// Takes the room off the list. This is before it closes, because nobody can join a match that is over.
    fn unlist(&self, seating: Option<&Seating>) {
        if self.listed.swap(false, Ordering::Relaxed) {
            self.uncount();
            let removed = seating.map(|seating| seating.banned.clone()).unwrap_or_default();
            self.services.board.change(|lobby| lobby.close(&self.id, removed));
        }
    }

    /// Takes the room out of the count of its owner.
    fn uncount(&self) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Tells the lobby and the gauges who is here. Returns whether that has changed.
    fn tell(&self, told: &mut Told, population: Population) -> bool {
        let known = told.population;
        let has_changed = known != population;
        if has_changed {
            self.meters.players.increment(population.players as f64 - known.players as f64);
            self.meters.bots.increment(population.bots as f64 - known.bots as f64);
            told.population = population;
            self.services.board.update(&self.id, population);
        }
        has_changed
    }

    fn errands(&self) -> MutexGuard<'_, Vec<Errand>> {
        self.errands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Part> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
