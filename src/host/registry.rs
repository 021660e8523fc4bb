//! The host and its rooms: opening, finding, joining and closing them.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value as Json;
use tokio::{sync::broadcast, task::JoinSet, time::Instant};

use super::{
    admission::Admission,
    attempts::Attempts,
    board::{Board, ChangesSince, ListedRooms},
    builds::Builds,
    claim::Claim,
    driver::Driver,
    hub::Hub,
    limits::Limits,
    opener::{Opener, RoomOptions},
    pass::{Keys, Purpose},
    quota::{Asker, Kind, Quotas},
    record::{Record, Recorder},
    refusal::Refusal,
    running::Running,
    services::{LogPaces, Services},
    threads::RoomThreads,
    visitors::{Visitor, VisitorId, Visitors},
};
use crate::{
    game::GameDef,
    identity::{Admitted, Credentials, Gate},
    lobby::{Changes, Code, Identity, Listing, RoomId, Search, Totals, UserId},
    observe::{self, DropReason},
    protocol::{ErrorCode, Seat, Tick},
    room::{OverReason, Population, Room},
};

/// Hosts rooms: opens them, runs them, and hands out their seats. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Shared>);

struct Shared {
    games: BTreeMap<&'static str, GameDef>,
    services: Arc<Services>,
    rooms: Mutex<HashMap<RoomId, Arc<Running>>>,
    /// Rooms that were given up. One that is still referred to has not returned from its step.
    stuck: Mutex<Vec<Weak<Running>>>,
    builds: Builds,
    visitors: Visitors,
    /// `None` if rooms are stepped on the runtime.
    threads: Option<RoomThreads>,
    closing: AtomicBool,
    /// Background tasks, which end with the host.
    _tasks: JoinSet<()>,
}

impl Host {
    /// Starts a host of some games. The gate decides who may play, and the recorders are told what happens. Must be called within a
    /// Tokio runtime.
    pub fn start(
        games: impl IntoIterator<Item = GameDef>, limits: Limits, gate: Gate,
        recorders: impl IntoIterator<Item = Arc<dyn Recorder>>,
    ) -> Self {
        let (board, hub) = (Arc::new(Board::new(&limits)), Arc::new(Hub::new(limits.social())));
        let mut tasks = JoinSet::new();
        tasks.spawn(board.clone().tell_news());
        tasks.spawn(hub.clone().forget());
        let builds = Builds::new(&limits);
        let threads = (!limits.rooms_on_runtime).then(|| RoomThreads::start(&limits));
        if let Some(stops) = threads.as_ref().map(RoomThreads::stop_on_drop) {
            // Ends with the host, or with the runtime.
            tasks.spawn(async move {
                let _stops = stops;
                std::future::pending::<()>().await;
            });
        }
        Self(Arc::new(Shared {
            games: games.into_iter().map(|game| (game.name(), game)).collect(),
            services: Arc::new(Services {
                quotas: Quotas::new(&limits),
                codes: Attempts::new(&limits),
                reopening: Mutex::default(),
                limits,
                board,
                hub,
                keys: Keys::random(),
                gate,
                recorders: recorders.into_iter().collect(),
                log: LogPaces::default(),
            }),
            rooms: Mutex::default(),
            stuck: Mutex::default(),
            builds,
            visitors: Visitors::default(),
            threads,
            closing: AtomicBool::new(false),
            _tasks: tasks,
        }))
    }

    /// Returns the hosted games, in the order of their names.
    pub fn games(&self) -> impl Iterator<Item = &GameDef> {
        self.0.games.values()
    }

    /// Returns a hosted game.
    ///
    /// # Errors
    /// There is no game of that name.
    pub fn game(&self, name: &str) -> Result<&GameDef, Refusal> {
        self.0.games.get(name).ok_or_else(|| Refusal::unknown_game(name))
    }

    /// Identifies a user by their credentials.
    ///
    /// # Errors
    /// The host is stopping, the credentials are not valid, or the user is blocked.
    pub async fn identify(&self, credentials: Credentials) -> Result<Admitted, Refusal> {
        self.check_open()?;
        let is_known = credentials.token.is_some();
        let identity = self.0.services.gate.identify(credentials).await?;
        if is_known && self.0.services.gate.refresh_block(&identity.user).await {
            self.turn_out(&identity.user);
        }
        let admitted = self.0.services.gate.permit(identity).await?;
        // Anyone can make up guests, so they are recorded only once they have played.
        if !admitted.identity.guest {
            self.0.services.record(&Record::Seen(admitted.identity.clone()));
        }
        Ok(admitted)
    }

    /// Checks that a user is not blocked.
    ///
    /// # Errors
    /// The user is blocked.
    pub fn check_blocked(&self, user: &UserId) -> Result<(), Refusal> {
        Ok(self.0.services.gate.check_blocked(user)?)
    }

    /// Blocks a user. They lose their seats, and their connections end.
    pub fn block(&self, user: &UserId) {
        if self.0.services.gate.block(user) {
            self.0.services.record(&Record::Blocked(user.clone()));
        }
        self.turn_out(user);
    }

    fn turn_out(&self, user: &UserId) {
        let rooms: Vec<_> = self.running().values().cloned().collect();
        for room in rooms {
            room.evict(user, "you are blocked on this server");
        }
        if let Err(refusal) = self.check_blocked(user) {
            self.0.visitors.disconnect(user, &refusal);
        }
    }

    /// Adds a connection outside of rooms, so that blocking its user ends it. It ends at once if the user is blocked already. If
    /// the user has more connections than they may, the oldest ones end. [`remove_visitor`](Self::remove_visitor) is the opposite.
    pub fn add_visitor(&self, user: &UserId, visitor: Arc<dyn Visitor>) -> VisitorId {
        let most = self.0.services.limits.connections_per_person;
        let (id, surplus) = self.0.visitors.add(user, visitor, most);
        for visitor in surplus {
            observe::dropped(DropReason::Visitor);
            let message = format!("you have more than {most} connections, so the oldest one was closed");
            visitor.disconnect(&Refusal::new(ErrorCode::QuotaExceeded, message));
        }
        // Checked after adding it: `block` marks the user first and looks for connections then.
        if let Err(refusal) = self.check_blocked(user) {
            self.0.visitors.disconnect(user, &refusal);
        }
        id
    }

    /// Removes a connection outside of rooms that has ended.
    pub fn remove_visitor(&self, user: &UserId, id: VisitorId) {
        self.0.visitors.remove(user, id);
    }

    /// Unblocks a user. Returns false if they were not blocked.
    pub fn unblock(&self, user: &UserId) -> bool {
        let was_blocked = self.0.services.gate.unblock(user);
        if was_blocked {
            self.0.services.record(&Record::Unblocked(user.clone()));
        }
        was_blocked
    }

    /// Opens a room and reserves a seat in it.
    ///
    /// This runs the game's [`check`](crate::game::Game::check) and [`build`](crate::game::Game::build), and returns when they have. On a
    /// worker of a Tokio runtime the other tasks of that worker go on meanwhile, which is not possible within a `LocalSet`.
    ///
    /// # Errors
    /// The host is stopping or full, there is no such game, the configuration is not valid, the game's bots do not have the strength, or
    /// the user has as many rooms, seats or unused tickets as they may.
    pub fn create(&self, game: &str, options: &RoomOptions, who: &Identity) -> Result<Admission, Refusal> {
        if let Some(strength) = options.strength {
            let checked = self.game(game)?.check_strength(strength);
            checked.map_err(|error| Refusal::new(ErrorCode::BadConfig, error.to_string()))?;
        }
        let opener = self.opener(who)?;
        let room = self.make(game, options.config.as_ref())?;
        self.open_for(room, options, opener, who)
    }

    /// Lets a user open a room.
    pub(super) fn opener(&self, who: &Identity) -> Result<Opener, Refusal> {
        let quotas = &self.0.services.quotas;
        // Checked before a room is made for nothing.
        [Kind::Seat, Kind::Ticket].into_iter().try_for_each(|kind| quotas.check(kind, who))?;
        Ok(Opener::Player(who.user.clone(), quotas.take(Kind::Room, who)?))
    }

    /// Opens a room for a user, and reserves a seat in it.
    pub(super) fn open_for(
        &self, room: Room, options: &RoomOptions, opener: Opener, who: &Identity,
    ) -> Result<Admission, Refusal> {
        let (_, code, admission) = self.open(room, options, opener, |running| running.admit(who, Asker::Person))?;
        Ok(Admission { code, ..admission? })
    }

    /// Reserves a seat in a room. A user who has a seat there gets a new ticket for it.
    ///
    /// # Errors
    /// The host is stopping, there is no such room, it is full or over, the user was removed from it, has as many seats or unused
    /// tickets as they may, or its step takes too long.
    pub fn join(&self, room: &RoomId, who: &Identity) -> Result<Admission, Refusal> {
        self.check_open()?;
        let running = self.find(room)?;
        running.admit(who, Asker::Person)
    }

    /// Gives out a ticket to spectate in a room.
    ///
    /// # Errors
    /// The host is stopping, there is no such room, it is over, has too many spectators, the user was removed from it, watches from as
    /// many places as they may, or its step takes too long.
    pub fn spectate(&self, room: &RoomId, who: &Identity) -> Result<Admission, Refusal> {
        self.check_open()?;
        let running = self.find(room)?;
        Ok(Admission { ticket: running.admit_spectator(who)?, url: String::new(), room: room.clone(), code: None, team: None })
    }

    /// Removes a player from a match for good.
    ///
    /// # Errors
    /// There is no such room, nobody has that seat, or the room's step takes too long.
    pub fn kick(&self, room: &RoomId, seat: Seat) -> Result<(), Refusal> {
        let running = self.find(room)?;
        let kicked = running.with_seating(|seating| seating.kick(seat, &running.meters))?;
        running.wake();
        let nobody = || Refusal::new(ErrorCode::UnknownSeat, format!("nobody has the seat {seat} of that room"));
        if kicked { Ok(()) } else { Err(nobody()) }
    }

    /// Removes a player from a match for good, on behalf of the user who opened the room.
    ///
    /// # Errors
    /// As for [`kick`](Self::kick), or the user did not open this room.
    pub fn kick_as(&self, owner: &UserId, room: &RoomId, seat: Seat) -> Result<(), Refusal> {
        if !self.find(room)?.is_owner(owner) {
            return Err(Refusal::new(ErrorCode::NotOwner, "only the user who opened this room may remove players from it"));
        }
        self.kick(room, seat)
    }

    /// Reserves a seat in the fullest room with a free one, or in a new room.
    ///
    /// # Errors
    /// The host is stopping, there is no such game, or a new room is needed and the host is full.
    pub fn quick(&self, game: &str, who: &Identity) -> Result<Admission, Refusal> {
        self.check_open()?;
        self.game(game)?;
        // Somebody else may take the last seat between the pick and the reservation. Then the next pick is another room.
        for _ in 0..4 {
            let Some(room) = self.0.services.board.lobby().quick(game) else { break };
            if let Ok(admission) = self.join(&room, who) {
                return Ok(admission);
            }
        }
        self.create(game, &RoomOptions::default(), who)
    }

    /// Claims the seat, or the place to spectate, of a ticket.
    ///
    /// # Errors
    /// The host is stopping, the ticket is not valid, was used by a client that has sent something since, or has expired, its room has
    /// ended, or its room's step takes too long.
    pub fn claim(&self, ticket: &str) -> Result<Claim, Refusal> {
        self.check_open()?;
        let pass = self.0.services.keys.verify(Purpose::Ticket, ticket);
        let pass = pass.ok_or_else(|| Refusal::new(ErrorCode::BadTicket, "this ticket was not issued by this server"))?;
        let running = self.find(&RoomId::named(&pass.room));
        let running = running.map_err(|_| Refusal::new(ErrorCode::TicketExpired, "the room of this ticket has ended"))?;
        Claim::from_ticket(running, &pass)
    }

    /// Claims the seat of a resume token. `held` is the tick of the client's mirror, if it has one.
    ///
    /// # Errors
    /// The host is stopping, the token is not valid or not the newest, the seat was given up, its room has ended, or its room's step
    /// takes too long.
    pub fn claim_back(&self, resume: &str, held: Option<Tick>) -> Result<Claim, Refusal> {
        self.check_open()?;
        let pass = self.0.services.keys.verify(Purpose::Resume, resume);
        let pass = pass.ok_or_else(|| Refusal::new(ErrorCode::BadResume, "this resume token was not issued by this server"))?;
        let running = self.find(&RoomId::named(&pass.room));
        let running = running.map_err(|_| Refusal::new(ErrorCode::ResumeExpired, "the room of this token has ended"))?;
        Claim::from_resume(running, &pass, held)
    }

    /// Returns the presence, chat and parties of the people in the lobby.
    pub fn social(&self) -> &Hub {
        &self.0.services.hub
    }

    /// Returns the listed rooms, of one game or of all.
    pub fn rooms(&self, game: Option<&str>) -> ListedRooms {
        self.search(&Search { game: game.map(str::to_owned), ..Search::default() })
    }

    /// Returns the listed rooms that match a search.
    pub fn search(&self, search: &Search) -> ListedRooms {
        self.0.services.board.rooms(search)
    }

    /// Returns the changes of the list after number `seq`, as found in [`ListedRooms`] or [`Changes`].
    pub fn changes_since(&self, seq: u64) -> ChangesSince {
        self.0.services.board.changes_since(seq)
    }

    /// Subscribes to the changes of the list from now on.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Changes>> {
        self.0.services.board.subscribe()
    }

    /// Counts the rooms of a game, private ones included, and the people in them.
    pub fn totals(&self, game: &str) -> Totals {
        self.0.services.board.lobby().totals(game)
    }

    /// Ends a room. Its players are told the message.
    ///
    /// # Errors
    /// There is no such room.
    pub fn close_room(&self, room: &RoomId, message: &str) -> Result<(), Refusal> {
        self.find(room)?.close(OverReason::Closed, message);
        Ok(())
    }

    /// Ends every room, and refuses all requests from now on.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
        let rooms: Vec<_> = self.running().values().cloned().collect();
        for room in rooms {
            room.close(OverReason::Closed, "the server is stopping");
        }
    }

    /// Whether the host is stopping.
    pub fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    /// Checks that the host is not stopping.
    ///
    /// # Errors
    /// The host is stopping.
    pub fn check_open(&self) -> Result<(), Refusal> {
        if self.is_closing() { Err(Refusal::new(ErrorCode::ShuttingDown, "the server is stopping")) } else { Ok(()) }
    }

    /// Makes a match of a game. This runs code of the game, which may panic and take long, so no lock may be held.
    pub(super) fn make(&self, game: &str, config: Option<&Json>) -> Result<Room, Refusal> {
        self.check_open()?;
        let def = self.game(game)?;
        if self.running().len() >= self.0.services.limits.max_rooms {
            return Err(self.full());
        }
        self.check_stuck(def)?;
        let make = || catch_unwind(AssertUnwindSafe(|| Room::new(def, config, rand::random())));
        let room = self.0.builds.run(def.name(), make)?;
        let mut room = room
            .map_err(|_| Refusal::rules_panicked())?
            .map_err(|error| Refusal::new(ErrorCode::BadConfig, error.to_string()))?;
        room.limit_entities(self.0.services.limits.max_entities);
        Ok(room)
    }

    fn full(&self) -> Refusal {
        let most = self.0.services.limits.max_rooms;
        Refusal::new(ErrorCode::ServerFull, format!("the server is full: it runs {most} rooms, the most it may"))
    }

    /// Opens a room. `seat` reserves its first seats before others can see it.
    pub(super) fn open<R>(
        &self, mut room: Room, options: &RoomOptions, opener: Opener, seat: impl FnOnce(&Running) -> R,
    ) -> Result<(Arc<Running>, Option<Code>, R), Refusal> {
        self.check_open()?;
        room.set_strength(options.strength);
        let game = room.def().name();
        let (id, unseated, config) = (RoomId::random(&mut rand::rng()), room.population(), Arc::new(room.config().clone()));
        let running = Running::new(id.clone(), room, self.0.services.clone());
        let running = Arc::new(running.of_mode(&options.mode).opened_by(opener));
        match &mut *self.running() {
            rooms if rooms.len() >= self.0.services.limits.max_rooms => return Err(self.full()),
            rooms => rooms.insert(id.clone(), running.clone()),
        };
        if let Some(closed) = &options.reopens {
            running.with_seating(|seating| seating.banned.clone_from(&closed.removed))?;
        }
        let seated = seat(&running);
        let Population { players, bots, seats, .. } =
            running.with_seating(|seating| seating.population()).ok().flatten().unwrap_or(unseated);
        let listing = Listing { room: id, game, players, bots, seats, strength: options.strength, config };
        let code = self.0.services.board.change(|lobby| match &options.reopens {
            Some(closed) => lobby.reopen(listing, closed.code.clone(), &mut rand::rng()),
            None => lobby.open(listing, options.entrance, &mut rand::rng()),
        });
        if let Some(left_out) = self.0.services.log.opened.take(Instant::now()) {
            tracing::info!(room = %running.id, game, left_out, "room opened");
        }
        let (driver, retiring) = (Driver::new(running.clone()), Retiring(self.clone(), running.clone()));
        match &self.0.threads {
            Some(threads) => threads.add(driver, retiring),
            None => drop(tokio::spawn(async move {
                let _retiring = retiring;
                driver.drive().await;
            })),
        }
        if self.is_closing() {
            running.close(OverReason::Closed, "the server is stopping");
        }
        Ok((running, code, seated))
    }

    pub(super) fn services(&self) -> &Services {
        &self.0.services
    }

    /// Checks that a user may have one more seat.
    pub(super) fn check_seats(&self, who: &Identity) -> Result<(), Refusal> {
        self.0.services.quotas.check(Kind::Seat, who)
    }

    /// Refuses a game of which too many rooms do not return from a step.
    fn check_stuck(&self, def: &GameDef) -> Result<(), Refusal> {
        let most = self.0.services.limits.max_stuck_rooms;
        let mut stuck = self.stuck();
        stuck.retain(|room| room.strong_count() > 0);
        let rooms = stuck.iter().filter_map(Weak::upgrade).filter(|room| room.def.name() == def.name()).count();
        let count = rooms + self.0.builds.stuck(def.name());
        if count < most {
            return Ok(());
        }
        Err(Refusal::new(
            ErrorCode::ServerFull,
            format!("{count} rooms of this game do not return from a step or from being made, {most} is the limit"),
        ))
    }

    fn stuck(&self) -> MutexGuard<'_, Vec<Weak<Running>>> {
        self.0.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, room: &RoomId) -> Result<Arc<Running>, Refusal> {
        self.running().get(room).cloned().ok_or_else(|| Refusal::unknown_room(room.as_str()))
    }

    pub(super) fn running(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Running>>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a room from the host when it is dropped: when its driver ends, also by a panic, or when the room is given up.
struct Retiring(Host, Arc<Running>);

impl Drop for Retiring {
    fn drop(&mut self) {
        if self.1.is_given_up() {
            self.0.stuck().push(Arc::downgrade(&self.1));
        }
        self.0.running().remove(&self.1.id);
        self.1.retire();
        if let Some(left_out) = self.0.0.services.log.closed.take(Instant::now()) {
            tracing::info!(room = %self.1.id, left_out, "room closed");
        }
    }
}
