use std::{sync::Arc, thread};

use crate::{
    host::{
        Limits, RoomOptions,
        forming::FormingId,
        queue::{
            QueueEvent,
            tests::{Guest, Nobody, Service, duel, seconds},
        },
        seating::Seating,
    },
    lobby::{Identity, RoomId},
    prelude::secs,
    protocol::{ErrorCode, Seat},
};

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

#[tokio::test(start_paused = true)]
async fn a_player_whose_room_was_busy_is_told_of_the_match_once_it_is_not() {
    let service = Service::start(duel());
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    let room = service.host.find(&ada.room().unwrap()).unwrap();
    room.set_late(true);
    let back = room.with_seating(|_| service.back(&ada)).unwrap();
    assert_eq!(back.events(), []);
    room.set_late(false);
    seconds(1).await;
    assert_eq!(back.room(), ada.room());
    assert_eq!(back.events().len(), 1, "once is enough");
}

/// Asks something of the queue while a room is locked, which the answer waits for, and calls `meanwhile`. The question has begun when
/// `begun` changes.
fn ask_locked<R: Send>(
    (service, room): (&Service, &RoomId), begun: impl Fn() -> usize, ask: impl FnOnce() -> R + Send, meanwhile: impl FnOnce(),
) -> R {
    let (room, before) = (service.host.find(room).unwrap(), begun());
    thread::scope(|scope| {
        let wait = |_: &mut Seating| {
            let asks = scope.spawn(ask);
            while begun() == before && !asks.is_finished() {
                thread::yield_now();
            }
            meanwhile();
            asks
        };
        let asks = room.with_seating(wait).unwrap();
        asks.join().unwrap()
    })
}

/// A player who waits for the seat that another has left, in a room of which the queue is about to ask it.
async fn about_to_join(service: &Service) -> (RoomId, Guest, FormingId) {
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    let room = ada.room().unwrap();
    service.host.kick(&room, Seat(2)).unwrap();
    let [cleo] = service.enqueue_all();
    service.queue.0.pass();
    let [found] = service.queue.0.queues().forming.begin()[..] else { panic!("a free seat was not found") };
    (room, cleo, found)
}

#[tokio::test(start_paused = true)]
async fn the_queue_goes_on_while_a_room_is_asked_for_a_ticket() {
    let service = Service::start(duel());
    let [ada, _bob] = service.enqueue_all();
    seconds(1).await;
    let room = ada.room().unwrap();
    let others_ask = || drop(service.queue.0.queues());
    let asked = ask_locked((&service, &room), || service.asked(), || service.enqueue(&ada), others_ask);
    assert_eq!(asked, Ok(1), "the seat is still reserved");
    let connections = || service.queue.0.queues().users[ada.user()].connections.len();
    let back = ask_locked((&service, &room), connections, || service.back(&ada), others_ask);
    assert_eq!(back.room(), Some(room));
}

#[tokio::test(start_paused = true)]
async fn the_queue_goes_on_while_a_room_is_asked_for_a_seat() {
    let service = Service::start(duel().backfill());
    let (room, cleo, found) = about_to_join(&service).await;
    let others_ask = || drop(service.queue.0.queues());
    ask_locked((&service, &room), || service.asked(), || service.queue.0.seat(found), others_ask);
    assert_eq!(cleo.room(), Some(room));
}

#[tokio::test(start_paused = true)]
async fn a_player_who_leaves_while_a_room_is_asked_gives_the_seat_back() {
    let service = Service::start(duel().backfill());
    let (room, cleo, found) = about_to_join(&service).await;
    let leave = || service.queue.leave(cleo.user()).unwrap();
    ask_locked((&service, &room), || service.asked(), || service.queue.0.seat(found), leave);
    assert_eq!(cleo.room(), None);
    assert_eq!(service.host.openings()[0].free, [1], "nobody holds the seat");
    assert!(service.friends.0.lock().unwrap().queued.is_empty());
}
