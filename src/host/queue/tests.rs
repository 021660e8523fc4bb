use std::sync::Mutex;

use tokio::task::JoinSet;

use super::*;
use crate::{
    game::GameDef,
    host::{Ending, Full, Limits, Outlet, Welcome},
    identity::Gate,
    lobby::RoomId,
    matchmaking::RatingKey,
    prelude::*,
    protocol::{Blocks, Frame},
    room::Message,
};

/// A game for two that does nothing.
struct Duel;

#[derive(Component, Replicate, Clone)]
#[replicate(id = 1)]
struct Mark(u8);

#[derive(GameInput, Clone, Default)]
struct Pad {
    dir: Dir8,
}

impl Game for Duel {
    const NAME: &'static str = "duel";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(10).seats(2..=2).replicate::<(Mark,)>();
    }
}

/// Parties that a test arranges.
#[derive(Default)]
pub(super) struct Friends(pub(super) Mutex<FriendsState>);

#[derive(Default)]
pub(super) struct FriendsState {
    pub(super) party: Vec<UserId>,
    pub(super) regrouped: Vec<(UserId, Vec<UserId>)>,
    pub(super) queued: Vec<UserId>,
    /// How often the queue wanted to know who regrouped: whenever it is asked something.
    asked: usize,
}

impl Parties for Friends {
    fn members(&self, user: &UserId) -> Vec<UserId> {
        let party = self.0.lock().unwrap().party.clone();
        if party.contains(user) { party } else { Vec::new() }
    }

    fn set_queued(&self, who: &Identity, queued: bool) {
        let all = &mut self.0.lock().unwrap().queued;
        all.retain(|user| *user != who.user);
        all.extend(queued.then(|| who.user.clone()));
    }

    fn regrouped(&self) -> Vec<(UserId, Vec<UserId>)> {
        let mut friends = self.0.lock().unwrap();
        friends.asked += 1;
        std::mem::take(&mut friends.regrouped)
    }
}

/// A host with one mode and its queue.
pub(super) struct Service {
    pub(super) host: Host,
    pub(super) queue: MatchQueue,
    ratings: Arc<Ratings>,
    pub(super) friends: Arc<Friends>,
    _running: JoinSet<()>,
}

/// A user with one connection to the queue.
pub(super) struct Guest {
    pub(super) identity: Identity,
    pub(super) connection: QueueConnectionId,
    inbox: Arc<Inbox>,
}

/// A client that takes everything.
pub(super) struct Nobody;

impl Outlet for Nobody {
    fn welcome(&self, _: &Welcome<'_>) -> Result<(), Full> {
        Ok(())
    }

    fn show(&self, _: Frame<&Blocks>) -> Result<(), Full> {
        Ok(())
    }

    fn show_last(&self, _: Frame<&Blocks>) -> Result<(), Full> {
        Ok(())
    }

    fn send(&self, _: Message) -> Result<(), Full> {
        Ok(())
    }

    fn close(&self, _: Ending) {}
}

#[derive(Default)]
pub(super) struct Inbox(Mutex<Vec<QueueEvent>>);

impl EventSink<QueueEvent> for Inbox {
    fn send(&self, event: &QueueEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Service {
    pub(super) fn start(mode: Mode) -> Self {
        Self::start_limited(mode, Limits::default())
    }

    pub(super) fn start_limited(mode: Mode, mut limits: Limits) -> Self {
        // Rooms obey the paused clock.
        limits.rooms_on_runtime = true;
        let host = Host::start([GameDef::new::<Duel>().unwrap()], limits, Gate::default(), []);
        let (ratings, friends) = (Arc::new(Ratings::default()), Arc::new(Friends::default()));
        let modes = vec![("duel", "ranked".to_owned(), mode)];
        let rules = MatchRules { modes, ratings: ratings.clone(), parties: Some(friends.clone()) };
        let queue = MatchQueue::new(host.clone(), rules);
        let mut running = JoinSet::new();
        running.spawn(queue.clone().run());
        Self { host, queue, ratings, friends, _running: running }
    }

    pub(super) fn guest(&self) -> Guest {
        let (identity, inbox) = (Identity::guest(None, &mut rand::rng()), Arc::new(Inbox::default()));
        let connection = self.queue.connect(&identity, inbox.clone());
        Guest { identity, connection, inbox }
    }

    /// The same user on another connection.
    pub(super) fn back(&self, guest: &Guest) -> Guest {
        let inbox = Arc::new(Inbox::default());
        let connection = self.queue.connect(&guest.identity, inbox.clone());
        Guest { identity: guest.identity.clone(), connection, inbox }
    }

    pub(super) fn rated(&self, rating: f64) -> Guest {
        let guest = self.guest();
        let key = RatingKey { user: guest.user().clone(), game: "duel", mode: "ranked".into() };
        self.ratings.store.save(&[(key, Rating { rating, deviation: 50.0, volatility: 0.06 })]);
        guest
    }

    /// How often the queue was asked something.
    pub(super) fn asked(&self) -> usize {
        self.friends.0.lock().unwrap().asked
    }

    pub(super) fn enqueue(&self, guest: &Guest) -> Result<usize, ErrorCode> {
        let request = QueueRequest { game: "duel".into(), ..QueueRequest::default() };
        self.queue.enqueue(guest.user(), &request).map_err(|refusal| refusal.code)
    }

    pub(super) fn enqueue_all<const N: usize>(&self) -> [Guest; N] {
        std::array::from_fn(|_| {
            let guest = self.guest();
            self.enqueue(&guest).unwrap();
            guest
        })
    }
}

impl Guest {
    pub(super) fn user(&self) -> &UserId {
        &self.identity.user
    }

    pub(super) fn events(&self) -> Vec<QueueEvent> {
        let events = self.inbox.0.lock().unwrap().clone();
        events.into_iter().filter(|event| !matches!(event, QueueEvent::Status(_))).collect()
    }

    pub(super) fn admission(&self) -> Option<Admission> {
        self.events()
            .into_iter()
            .find_map(|event| if let QueueEvent::Matched { admission, .. } = event { Some(admission) } else { None })
    }

    pub(super) fn room(&self) -> Option<RoomId> {
        self.admission().map(|admission| admission.room)
    }

    pub(super) fn check(&self) -> CheckId {
        let check = |event| if let QueueEvent::ReadyCheck { check, .. } = event { Some(check) } else { None };
        self.events().into_iter().rev().find_map(check).unwrap()
    }
}

pub(super) fn duel() -> Mode {
    Mode::free_for_all(2..=2)
}

pub(super) async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn two_who_queue_get_seats_in_one_room() {
    let service = Service::start(duel());
    let [ada, bob] = service.enqueue_all();
    seconds(1).await;
    assert!(ada.room().is_some());
    assert_eq!(ada.room(), bob.room());
    for guest in [&ada, &bob] {
        service.host.claim(&guest.admission().unwrap().ticket).unwrap();
    }
    assert!(service.friends.0.lock().unwrap().queued.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_user_who_waits_is_told_where_they_stand() {
    let service = Service::start(duel());
    let ada = service.guest();
    assert_eq!([service.enqueue(&ada), service.enqueue(&ada)], [Ok(1), Ok(1)]);
    seconds(3).await;
    let events = ada.inbox.0.lock().unwrap();
    let Some(QueueEvent::Status(status)) = events.last() else { panic!("no status: {events:?}") };
    assert_eq!((status.position, status.waiting, status.needed), (1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn the_skill_window_widens_with_time() {
    let service = Service::start(duel().skill([(secs(0.0), 100.0), (secs(10.0), f64::INFINITY)]));
    let (ada, bob) = (service.rated(1000.0), service.rated(2000.0));
    service.enqueue(&ada).unwrap();
    service.enqueue(&bob).unwrap();
    seconds(9).await;
    assert_eq!((ada.room(), bob.room()), (None, None));
    seconds(3).await;
    assert!(ada.room().is_some());
    assert_eq!(ada.room(), bob.room());
}

#[tokio::test(start_paused = true)]
async fn a_match_is_seated_once_everybody_has_accepted() {
    let service = Service::start(duel().ready_check(secs(5.0)));
    let [ada, bob] = service.enqueue_all();
    seconds(1).await;
    assert_eq!(ada.check(), bob.check());
    service.queue.accept(ada.user(), ada.check()).unwrap();
    seconds(1).await;
    assert_eq!(ada.room(), None);
    service.queue.accept(bob.user(), bob.check()).unwrap();
    seconds(1).await;
    assert!(ada.room().is_some());
    assert_eq!(ada.room(), bob.room());
    assert!(bob.events().contains(&QueueEvent::Ready { check: bob.check(), accepted: 1, players: 2 }));
}

#[tokio::test(start_paused = true)]
async fn a_missed_ready_check_requeues_those_who_accepted() {
    let service = Service::start(duel().ready_check(secs(5.0)));
    let [ada, bob] = service.enqueue_all();
    seconds(1).await;
    let check = ada.check();
    service.queue.accept(ada.user(), check).unwrap();
    seconds(6).await;
    let unready = |requeued| QueueEvent::Unready { check, reason: UnreadyReason::TimedOut, requeued };
    assert!(ada.events().contains(&unready(true)) && bob.events().contains(&unready(false)));
    let _cleo = service.enqueue_all::<1>();
    seconds(1).await;
    assert_ne!(ada.check(), check, "the one who accepted is asked with the next player");
    assert_eq!(bob.check(), check);
}

#[tokio::test(start_paused = true)]
async fn a_declined_ready_check_takes_the_decliner_out() {
    let service = Service::start(duel().ready_check(secs(5.0)));
    let [ada, bob] = service.enqueue_all();
    seconds(1).await;
    service.queue.accept(ada.user(), ada.check()).unwrap();
    service.queue.decline(bob.user(), bob.check()).unwrap();
    assert_eq!(*service.friends.0.lock().unwrap().queued, [ada.user().clone()]);
    assert_eq!(service.queue.leave(bob.user()).map_err(|refusal| refusal.code), Err(ErrorCode::NotQueued));
}

#[tokio::test(start_paused = true)]
async fn a_player_who_declines_may_not_queue_for_a_while() {
    let service = Service::start(duel().ready_check(secs(5.0)));
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    service.queue.decline(ada.user(), ada.check()).unwrap();
    let request = QueueRequest { game: "duel".into(), ..QueueRequest::default() };
    let refusal = service.queue.enqueue(ada.user(), &request).unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after), (ErrorCode::QueuePaused, Some(Duration::from_secs(10))));
    seconds(10).await;
    assert!(service.enqueue(&ada).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_player_who_comes_back_is_asked_again_whether_they_are_ready() {
    let service = Service::start(duel().ready_check(secs(5.0)));
    let [ada, bob] = service.enqueue_all();
    seconds(2).await;
    let check = ada.check();
    // The network changed: the old connection is half open, and nobody reads it.
    let back = service.back(&ada);
    assert_eq!(service.enqueue(&back), Ok(1));
    let [QueueEvent::ReadyCheck { check: asked, seconds, players: 2, .. }] = back.events()[..] else {
        panic!("{:?}", back.events())
    };
    assert!(asked == check && (2.0..5.0).contains(&seconds), "{seconds}");
    for guest in [&back, &bob] {
        service.queue.accept(guest.user(), check).unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    assert!(back.room().is_some());
    assert_eq!(back.room(), bob.room());
}

#[tokio::test(start_paused = true)]
async fn a_user_leaves_the_queue_with_their_last_connection() {
    let service = Service::start(duel());
    let [ada] = service.enqueue_all();
    let second = service.queue.connect(&ada.identity, ada.inbox.clone());
    service.queue.disconnect(ada.user(), ada.connection);
    assert_eq!(service.friends.0.lock().unwrap().queued.len(), 1);
    service.queue.disconnect(ada.user(), second);
    let [bob] = service.enqueue_all();
    seconds(2).await;
    assert_eq!((ada.room(), bob.room()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_party_that_regroups_leaves_the_queue() {
    let service = Service::start(duel());
    let (ada, bob) = (service.guest(), service.guest());
    service.friends.0.lock().unwrap().party = vec![ada.user().clone(), bob.user().clone()];
    assert_eq!(service.enqueue(&bob), Err(ErrorCode::NotLeader));
    service.enqueue(&ada).unwrap();
    {
        let mut friends = service.friends.0.lock().unwrap();
        assert_eq!(friends.queued.len(), 2);
        friends.party.clear();
        friends.regrouped = vec![(ada.user().clone(), Vec::new()), (bob.user().clone(), Vec::new())];
    }
    seconds(2).await;
    for guest in [&ada, &bob] {
        assert_eq!(guest.events(), [QueueEvent::Left { reason: "party" }]);
    }
    assert!(service.friends.0.lock().unwrap().queued.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_party_queues_only_when_all_members_are_connected() {
    let service = Service::start(duel());
    let (ada, bob) = (service.guest(), service.guest());
    service.friends.0.lock().unwrap().party = vec![ada.user().clone(), bob.user().clone()];
    service.queue.disconnect(bob.user(), bob.connection);
    assert_eq!(service.enqueue(&ada), Err(ErrorCode::PartyAbsent));
}
