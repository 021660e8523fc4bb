use std::sync::Mutex;

use tokio::task::JoinSet;

use super::*;
use crate::{
    game::GameDef,
    host::{Ending, Full, Limits, Outlet, RoomOptions, Welcome},
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
struct Friends(Mutex<FriendsState>);

#[derive(Default)]
struct FriendsState {
    party: Vec<UserId>,
    regrouped: Vec<(UserId, Vec<UserId>)>,
    queued: Vec<UserId>,
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
        std::mem::take(&mut self.0.lock().unwrap().regrouped)
    }
}

/// A host with one mode and its queue.
struct Service {
    host: Host,
    queue: MatchQueue,
    ratings: Arc<Ratings>,
    friends: Arc<Friends>,
    _running: JoinSet<()>,
}

/// A user with one connection to the queue.
struct Guest {
    identity: Identity,
    connection: QueueConnectionId,
    inbox: Arc<Inbox>,
}

/// A client that takes everything.
struct Nobody;

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
struct Inbox(Mutex<Vec<QueueEvent>>);

impl EventSink<QueueEvent> for Inbox {
    fn send(&self, event: &QueueEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Service {
    fn start(mode: Mode) -> Self {
        Self::start_limited(mode, Limits::default())
    }

    fn start_limited(mode: Mode, mut limits: Limits) -> Self {
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

    fn guest(&self) -> Guest {
        let (identity, inbox) = (Identity::guest(None, &mut rand::rng()), Arc::new(Inbox::default()));
        let connection = self.queue.connect(&identity, inbox.clone());
        Guest { identity, connection, inbox }
    }

    /// The same user on another connection.
    fn back(&self, guest: &Guest) -> Guest {
        let inbox = Arc::new(Inbox::default());
        let connection = self.queue.connect(&guest.identity, inbox.clone());
        Guest { identity: guest.identity.clone(), connection, inbox }
    }

    fn rated(&self, rating: f64) -> Guest {
        let guest = self.guest();
        let key = RatingKey { user: guest.user().clone(), game: "duel", mode: "ranked".into() };
        self.ratings.store.save(&[(key, Rating { rating, deviation: 50.0, volatility: 0.06 })]);
        guest
    }

    fn enqueue(&self, guest: &Guest) -> Result<usize, ErrorCode> {
        let request = QueueRequest { game: "duel".into(), ..QueueRequest::default() };
        self.queue.enqueue(guest.user(), &request).map_err(|refusal| refusal.code)
    }

    fn enqueue_all<const N: usize>(&self) -> [Guest; N] {
        std::array::from_fn(|_| {
            let guest = self.guest();
            self.enqueue(&guest).unwrap();
            guest
        })
    }
}

impl Guest {
    fn user(&self) -> &UserId {
        &self.identity.user
    }

    fn events(&self) -> Vec<QueueEvent> {
        let events = self.inbox.0.lock().unwrap().clone();
        events.into_iter().filter(|event| !matches!(event, QueueEvent::Status(_))).collect()
    }

    fn admission(&self) -> Option<Admission> {
        self.events()
            .into_iter()
            .find_map(|event| if let QueueEvent::Matched { admission, .. } = event { Some(admission) } else { None })
    }

    fn room(&self) -> Option<RoomId> {
        self.admission().map(|admission| admission.room)
    }

    fn check(&self) -> CheckId {
        let check = |event| if let QueueEvent::ReadyCheck { check, .. } = event { Some(check) } else { None };
        self.events().into_iter().rev().find_map(check).unwrap()
    }
}

fn duel() -> Mode {
    Mode::free_for_all(2..=2)
}

async fn seconds(seconds: u64) {
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
async fn a_player_may_leave_while_the_room_is_made() {
    let service = Service::start(duel().ready_check(secs(5.0)));
    let found = async || {
        let [ada, bob] = service.enqueue_all();
        seconds(1).await;
        for guest in [&ada, &bob] {
            service.queue.accept(guest.user(), ada.check()).unwrap();
        }
        (ada, bob)
    };
    let (ada, bob) = found().await;
    assert_eq!(service.enqueue(&ada), Ok(1), "one who asks again keeps their place");
    assert_eq!(service.friends.0.lock().unwrap().queued.len(), 2);
    service.queue.leave(ada.user()).unwrap();
    assert_eq!(service.queue.leave(ada.user()).map_err(|refusal| refusal.code), Err(ErrorCode::NotQueued));
    seconds(1).await;
    assert_eq!((ada.room(), bob.room()), (None, None));
    assert_eq!(*service.friends.0.lock().unwrap().queued, [bob.user().clone()], "the other one waits again");
    service.queue.disconnect(bob.user(), bob.connection);
    let (cleo, dan) = found().await;
    service.friends.0.lock().unwrap().regrouped = vec![(dan.user().clone(), vec![dan.user().clone(), ada.user().clone()])];
    seconds(1).await;
    assert_eq!((cleo.room(), dan.room()), (None, None));
    assert_eq!(dan.events().last(), Some(&QueueEvent::Left { reason: "party" }));
    assert_eq!(*service.friends.0.lock().unwrap().queued, [cleo.user().clone()]);
}

#[tokio::test(start_paused = true)]
async fn a_match_is_told_again_while_its_seat_is_reserved() {
    let service = Service::start(duel());
    let [ada, bob] = service.enqueue_all();
    seconds(1).await;
    let first = ada.admission().unwrap();
    service.queue.disconnect(ada.user(), ada.connection);
    seconds(25).await;
    let back = service.back(&ada);
    let told = back.admission().unwrap();
    assert_eq!((&told.room, told.ticket == first.ticket), (&first.room, false), "a fresh ticket for the same seat");
    // A page that was loaded anew does not listen yet, and queues again.
    assert_eq!(service.enqueue(&back), Ok(1));
    assert_eq!(back.events().len(), 2);
    assert!(service.friends.0.lock().unwrap().queued.is_empty(), "nobody is in two places");
    seconds(20).await;
    let seat = service.host.claim(&back.admission().unwrap().ticket).unwrap();
    assert!(service.host.claim(&bob.admission().unwrap().ticket).is_err(), "bob has not come back");
    seconds(31).await;
    let late = service.back(&ada);
    assert_eq!(late.events(), [], "the reservation is over");
    drop(seat);
}

#[tokio::test(start_paused = true)]
async fn a_player_who_comes_back_in_time_is_not_refused_before_they_are_told_again() {
    for away in [0, 10, 28] {
        let service = Service::start(duel());
        let [ada, _bob] = service.enqueue_all();
        seconds(1).await;
        let first = ada.admission().unwrap();
        service.queue.disconnect(ada.user(), ada.connection);
        seconds(away).await;
        // The line breaks again before the client hears this.
        let unheard = service.back(&ada);
        service.queue.disconnect(ada.user(), unheard.connection);
        seconds(29).await;
        // A client comes back to both namespaces at once, with the ticket that it has.
        for ticket in [first.ticket, unheard.admission().unwrap().ticket] {
            assert_eq!(service.host.claim(&ticket).map(drop), Ok(()), "after {away} s");
        }
        let back = service.back(&ada);
        let told = back.events();
        let [QueueEvent::Matched { game: "duel", mode, admission }] = &told[..] else { panic!("{told:?}") };
        assert_eq!((&**mode, &admission.room), ("ranked", &first.room));
        assert_eq!(service.host.claim(&admission.ticket).map(drop), Ok(()), "after {away} s");
        seconds(60).await;
        let late = service.host.claim(&admission.ticket).map(drop).map_err(|refusal| refusal.code);
        assert_eq!((late, service.back(&ada).events()), (Err(ErrorCode::TicketExpired), vec![]), "the reservation is over");
    }
}

#[tokio::test(start_paused = true)]
async fn a_player_whose_room_is_busy_is_not_queued_for_another_match() {
    let service = Service::start(duel());
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    let room = service.host.find(&ada.room().unwrap()).unwrap();
    room.set_late(true);
    room.with_seating(|_| assert_eq!(service.enqueue(&ada), Err(ErrorCode::RoomBusy))).unwrap();
    room.set_late(false);
    assert!(service.friends.0.lock().unwrap().queued.is_empty());
    assert_eq!(service.enqueue(&ada), Ok(1));
    assert_eq!(ada.events().len(), 2, "ada is told of the match again");
}

#[tokio::test(start_paused = true)]
async fn a_match_whose_seat_is_taken_is_not_told_again() {
    let service = Service::start(duel());
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    let claim = service.host.claim(&ada.admission().unwrap().ticket).unwrap();
    claim.enter(Arc::new(Nobody)).unwrap();
    assert!(service.back(&ada).admission().is_some(), "the line may have broken before `welcome`");
    claim.inlet().push(&[0x91, 0]);
    seconds(1).await;
    assert_eq!(service.back(&ada).events(), []);
    assert!(service.enqueue(&ada).is_ok(), "ada may queue for another match");
    assert_eq!(service.friends.0.lock().unwrap().queued.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_matched_player_who_does_not_come_may_not_queue_for_a_while() {
    let service = Service::start(duel());
    let [ada, bob] = service.enqueue_all();
    seconds(1).await;
    let claim = service.host.claim(&ada.admission().unwrap().ticket).unwrap();
    claim.enter(Arc::new(Nobody)).unwrap();
    claim.inlet().push(&[0x91, 0]);
    seconds(31).await;
    assert_eq!([service.enqueue(&ada), service.enqueue(&bob)], [Ok(1), Err(ErrorCode::QueuePaused)]);
    seconds(11).await;
    assert_eq!(service.enqueue(&bob), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_match_that_found_no_room_is_tried_again() {
    let service = Service::start_limited(duel(), Limits { max_rooms: 1, ..Limits::default() });
    let other = service.host.create("duel", &RoomOptions::default(), &Identity::guest(None, &mut rand::rng())).unwrap();
    let [ada, bob] = service.enqueue_all();
    seconds(5).await;
    assert_eq!((ada.room(), bob.room()), (None, None));
    assert_eq!(service.friends.0.lock().unwrap().queued.len(), 2);
    service.host.close_room(&other.room, "make way").unwrap();
    seconds(2).await;
    assert!(ada.room().is_some());
    assert_eq!(ada.room(), bob.room());
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

#[tokio::test(start_paused = true)]
async fn a_user_who_was_blocked_meanwhile_does_not_hold_the_others_up() {
    let service = Service::start(duel());
    let [ada, bob] = service.enqueue_all();
    service.host.block(bob.user());
    seconds(2).await;
    assert_eq!((ada.room(), bob.room()), (None, None));
    let [cleo] = service.enqueue_all();
    seconds(2).await;
    assert!(ada.room().is_some());
    assert_eq!((ada.room(), bob.room()), (cleo.room(), None));
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_becomes_free_goes_to_the_next_in_the_queue() {
    let service = Service::start(duel().backfill());
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    let room = ada.room().unwrap();
    service.host.kick(&room, Seat(2)).unwrap();
    let [cleo] = service.enqueue_all();
    seconds(2).await;
    assert_eq!(cleo.room(), Some(room));
}
