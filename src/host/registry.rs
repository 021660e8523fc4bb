//! The rooms of a host: opened, found, joined and closed.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::broadcast, task::JoinSet};

use super::{
    admission::Admission,
    board::{Board, ChangesSince, ListedRooms},
    claim::Claim,
    contest::Opener,
    driver,
    hub::Hub,
    limits::Limits,
    pass::{Keys, Purpose},
    record::{Record, Recorder},
    refusal::Refusal,
    running::Running,
    services::Services,
    visitors::{Visitor, VisitorId, Visitors},
};
use crate::{
    game::GameDef,
    identity::{Admitted, Credentials, Gate},
    lobby::{Changes, Code, Entrance, Identity, Listing, RoomId, Search, Totals, UserId},
    protocol::{ErrorCode, Seat, Tick},
    room::{OverReason, Population, Room},
};

/// A running server's rooms. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Shared>);

struct Shared {
    games: BTreeMap<&'static str, GameDef>,
    services: Arc<Services>,
    rooms: Mutex<HashMap<RoomId, Arc<Running>>>,
    visitors: Visitors,
    closing: AtomicBool,
    /// What goes on beside the rooms; ends with this.
    _tasks: JoinSet<()>,
}

impl Host {
    /// Starts to host games for whom the gate lets in, and tells the recorders. Must be called within a Tokio runtime.
    pub fn start(
        games: impl IntoIterator<Item = GameDef>, limits: Limits, gate: Gate,
        recorders: impl IntoIterator<Item = Arc<dyn Recorder>>,
    ) -> Self {
        let (board, hub) = (Arc::new(Board::new()), Arc::new(Hub::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(board.clone().tell_news());
        tasks.spawn(hub.clone().forget());
        Self(Arc::new(Shared {
            games: games.into_iter().map(|game| (game.name(), game)).collect(),
            services: Arc::new(Services {
                limits,
                board,
                hub,
                keys: Keys::random(),
                gate,
                recorders: recorders.into_iter().collect(),
            }),
            rooms: Mutex::default(),
            visitors: Visitors::default(),
            closing: AtomicBool::new(false),
            _tasks: tasks,
        }))
    }

    /// The hosted games, by name.
    pub fn games(&self) -> impl Iterator<Item = &GameDef> {
        self.0.games.values()
    }

    /// One of the hosted games.
    pub fn game(&self, name: &str) -> Result<&GameDef, Refusal> {
        self.0.games.get(name).ok_or_else(|| Refusal::unknown_game(name))
    }

    /// Says who somebody is who shows these credentials, if they are let in.
    pub async fn identify(&self, credentials: Credentials) -> Result<Admitted, Refusal> {
        self.check_open()?;
        let is_known = credentials.token.is_some();
        let identity = self.0.services.gate.identify(credentials).await?;
        if is_known && self.0.services.gate.refresh_block(&identity.user).await {
            self.turn_out(&identity.user);
        }
        let admitted = self.0.services.gate.permit(identity).await?;
        // Guests are made up at will; they are remembered once they have played.
        if !admitted.identity.guest {
            self.0.services.record(&Record::Seen(admitted.identity.clone()));
        }
        Ok(admitted)
    }

    /// Refuses somebody who is blocked.
    pub fn check_blocked(&self, user: &UserId) -> Result<(), Refusal> {
        Ok(self.0.services.gate.check_blocked(user)?)
    }

    /// Blocks somebody: they lose their seats, and their connections end.
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

    /// Notes a connection that is not to a room. It ends at once if its person was blocked meanwhile.
    pub fn add_visitor(&self, user: &UserId, visitor: Arc<dyn Visitor>) -> VisitorId {
        let id = self.0.visitors.add(user, visitor);
        // Looked at behind that: whoever blocks them does so before it looks for connections.
        if let Err(refusal) = self.check_blocked(user) {
            self.0.visitors.disconnect(user, &refusal);
        }
        id
    }

    /// Forgets a connection that has ended.
    pub fn remove_visitor(&self, user: &UserId, id: VisitorId) {
        self.0.visitors.remove(user, id);
    }

    /// Lets somebody in again who was blocked. False if they were not.
    pub fn unblock(&self, user: &UserId) -> bool {
        let was_blocked = self.0.services.gate.unblock(user);
        if was_blocked {
            self.0.services.record(&Record::Unblocked(user.clone()));
        }
        was_blocked
    }

    /// Opens a room and takes a seat in it.
    pub fn create(&self, game: &str, options: &RoomOptions, who: &Identity) -> Result<Admission, Refusal> {
        let opener = Opener::Player(who.user.clone());
        let (_, code, admission) = self.open(game, options, opener, |running| running.admit(who, None))?;
        Ok(Admission { code, ..admission? })
    }

    /// Takes a seat in a room. Who has one gets a new ticket for it.
    pub fn join(&self, room: &RoomId, who: &Identity) -> Result<Admission, Refusal> {
        self.check_open()?;
        let running = self.find(room)?;
        running.admit(who, None)
    }

    /// Takes a seat in a private room.
    pub fn join_private(&self, typed: &str, who: &Identity) -> Result<Admission, Refusal> {
        self.join(&self.room_of_code(typed)?, who)
    }

    fn room_of_code(&self, typed: &str) -> Result<RoomId, Refusal> {
        let room = Code::parse(typed).and_then(|code| self.0.services.board.lobby().by_code(&code));
        room.ok_or_else(|| Refusal::new(ErrorCode::UnknownCode, format!("there is no private room with the code \"{typed}\"")))
    }

    /// Lets somebody watch a room.
    pub fn spectate(&self, room: &RoomId, who: &Identity) -> Result<Admission, Refusal> {
        self.check_open()?;
        let running = self.find(room)?;
        Ok(Admission { ticket: running.admit_spectator(who)?, url: String::new(), room: room.clone(), code: None, team: None })
    }

    /// Lets somebody watch a private room.
    pub fn spectate_private(&self, typed: &str, who: &Identity) -> Result<Admission, Refusal> {
        self.spectate(&self.room_of_code(typed)?, who)
    }

    /// Removes who has a seat from a match; they cannot come back to it.
    ///
    /// # Errors
    /// There is no such room, or nobody has that seat.
    pub fn kick(&self, room: &RoomId, seat: Seat) -> Result<(), Refusal> {
        let running = self.find(room)?;
        let kicked = running.with_seating(|seating| seating.kick(seat, &running.meters));
        running.wake.notify_one();
        let nobody = || Refusal::new(ErrorCode::UnknownSeat, format!("nobody has the seat {seat} of that room"));
        if kicked { Ok(()) } else { Err(nobody()) }
    }

    /// Removes who has a seat from a match, for whoever opened the room.
    ///
    /// # Errors
    /// As of [`Host::kick`], or the room is somebody else's.
    pub fn kick_as(&self, owner: &UserId, room: &RoomId, seat: Seat) -> Result<(), Refusal> {
        if !self.find(room)?.is_owner(owner) {
            return Err(Refusal::new(ErrorCode::NotOwner, "only who opened a room removes others from it"));
        }
        self.kick(room, seat)
    }

    /// Takes a seat in the fullest open room that has one, else in a new one.
    pub fn quick(&self, game: &str, who: &Identity) -> Result<Admission, Refusal> {
        self.check_open()?;
        self.game(game)?;
        // The last seat may go to somebody else between the pick and the reservation; then the listing has changed.
        for _ in 0..4 {
            let Some(room) = self.0.services.board.lobby().quick(game) else { break };
            if let Ok(admission) = self.join(&room, who) {
                return Ok(admission);
            }
        }
        self.create(game, &RoomOptions::default(), who)
    }

    /// Claims a seat with a ticket.
    pub fn claim(&self, ticket: &str) -> Result<Claim, Refusal> {
        self.check_open()?;
        let pass = self.0.services.keys.verify(Purpose::Ticket, ticket);
        let pass = pass.ok_or_else(|| Refusal::new(ErrorCode::BadTicket, "this is no ticket of this server's"))?;
        let running = self.find(&RoomId::named(&pass.room));
        let running = running.map_err(|_| Refusal::new(ErrorCode::TicketExpired, "the room of this ticket has ended"))?;
        Claim::from_ticket(running, &pass)
    }

    /// Claims the seat that a resume token keeps. `held` is the newest tick that the client's mirror holds.
    pub fn claim_back(&self, resume: &str, held: Option<Tick>) -> Result<Claim, Refusal> {
        self.check_open()?;
        let pass = self.0.services.keys.verify(Purpose::Resume, resume);
        let pass = pass.ok_or_else(|| Refusal::new(ErrorCode::BadResume, "this is no resume token of this server's"))?;
        let running = self.find(&RoomId::named(&pass.room));
        let running = running.map_err(|_| Refusal::new(ErrorCode::ResumeExpired, "the room of this token has ended"))?;
        Claim::from_resume(running, &pass, held)
    }

    /// Who is here, who talks to whom and who plays together.
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

    /// Returns the changes of the listing after number `seq`, which [`ListedRooms::seq`] and [`Changes::seq`] tell.
    pub fn changes_since(&self, seq: u64) -> ChangesSince {
        self.0.services.board.changes_since(seq)
    }

    /// Subscribes to the changes of the listing from now on.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Changes>> {
        self.0.services.board.subscribe()
    }

    /// Counts the rooms of a game, private ones included, and the people in them.
    pub fn totals(&self, game: &str) -> Totals {
        self.0.services.board.lobby().totals(game)
    }

    /// Ends a room.
    pub fn close_room(&self, room: &RoomId, message: &str) -> Result<(), Refusal> {
        self.find(room)?.close(OverReason::Closed, message);
        Ok(())
    }

    /// Refuses everything from now on and ends every room.
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

    /// Refuses if the host is stopping.
    pub fn check_open(&self) -> Result<(), Refusal> {
        if self.is_closing() { Err(Refusal::new(ErrorCode::ShuttingDown, "the server is stopping")) } else { Ok(()) }
    }

    /// Opens a room, and seats whoever has a seat in it from the first, before others see it.
    pub(super) fn open<R>(
        &self, game: &str, options: &RoomOptions, opener: Opener, seat: impl FnOnce(&Running) -> R,
    ) -> Result<(Arc<Running>, Option<Code>, R), Refusal> {
        self.check_open()?;
        let def = self.game(game)?;
        let most = self.0.services.limits.max_rooms;
        let full = || Refusal::new(ErrorCode::ServerFull, format!("the server runs {most} rooms already, its most"));
        if self.running().len() >= most {
            return Err(full());
        }
        // The rules run in there: what they panic about is no reason to stop serving others.
        let room = catch_unwind(AssertUnwindSafe(|| Room::new(def, options.config.as_ref(), rand::random())));
        let room = room
            .map_err(|_| Refusal::rules_panicked())?
            .map_err(|error| Refusal::new(ErrorCode::BadConfig, error.to_string()))?;
        let (id, unseated, config) = (RoomId::random(&mut rand::rng()), room.population(), Arc::new(room.config().clone()));
        let running = Running::new(id.clone(), room, self.0.services.clone());
        let running = Arc::new(running.of_mode(&options.mode).opened_by(opener));
        match &mut *self.running() {
            rooms if rooms.len() >= most => return Err(full()),
            rooms => rooms.insert(id.clone(), running.clone()),
        };
        let seated = seat(&running);
        let Population { players, bots, seats, .. } = running.with_seating(|seating| seating.population()).unwrap_or(unseated);
        let listing = Listing { room: id, game: def.name(), players, bots, seats, config };
        let code = self.0.services.board.change(|lobby| lobby.open(listing, options.entrance, &mut rand::rng()));
        tracing::info!(room = %running.id, game, "room opened");
        tokio::spawn(Retiring(self.clone(), running.clone()).drive());
        if self.is_closing() {
            running.close(OverReason::Closed, "the server is stopping");
        }
        Ok((running, code, seated))
    }

    pub(super) fn find(&self, room: &RoomId) -> Result<Arc<Running>, Refusal> {
        self.running().get(room).cloned().ok_or_else(|| Refusal::unknown_room(room.as_str()))
    }

    pub(super) fn running(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Running>>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a new room is like.
#[derive(Debug, Clone, Default)]
pub struct RoomOptions {
    /// The game's configuration; what it leaves out has its default.
    pub config: Option<serde_json::Value>,
    /// How people find it.
    pub entrance: Entrance,
    /// The mode of matchmaking that it is for, to tell with its result; empty for none.
    pub mode: String,
}

/// Takes a room off the host's books when its driver ends, however it ends.
struct Retiring(Host, Arc<Running>);

impl Retiring {
    async fn drive(self) {
        driver::drive(self.1.clone()).await;
    }
}

impl Drop for Retiring {
    fn drop(&mut self) {
        self.0.running().remove(&self.1.id);
        self.1.retire();
        tracing::info!(room = %self.1.id, "room closed");
    }
}
