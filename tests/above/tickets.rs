//! Tickets and quotas without a network, in virtual time: lines that break between a ticket and `welcome`, and people who want more
//! than their share.

use std::sync::Arc;

use tickcast::{
    host::{Admission, Ending, RoomOptions},
    lobby::Identity,
    protocol::ErrorCode,
    room::OverReason,
};

use crate::host::{EAST, Fake, ada, code, enter, host, host_with, options, seconds, walk_in};

fn guest_of(address: [u8; 4]) -> Identity {
    ada().from_address(Some(address.into()))
}

#[tokio::test(start_paused = true)]
async fn a_ticket_may_be_tried_again_until_its_client_is_heard() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    // The line breaks before the connection has entered, and then right after.
    drop(host.claim(&admission.ticket).unwrap());
    let broken = host.claim(&admission.ticket).unwrap();
    let unheard = enter(&broken);
    seconds(0.5).await;
    broken.disconnect();
    let half_open = host.claim(&admission.ticket).unwrap();
    let replaced = enter(&half_open);
    seconds(0.5).await;
    let (claim, memory) = walk_in(&host, &admission.ticket);
    assert_eq!((unheard.overs(), replaced.overs()), (vec![], vec![OverReason::Replaced]), "the newest connection wins");
    let early = host.claim(&admission.ticket).unwrap();
    seconds(0.5).await;
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::TicketUsed);
    assert_eq!(code(early.enter(Arc::new(Fake(Arc::default())))), ErrorCode::TicketUsed);
    assert!(claim.is_live() && memory.overs().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_for_a_seat_that_was_given_up_has_expired() {
    let (host, player) = (host(), ada());
    let admission = host.create("duel", &RoomOptions::default(), &player).unwrap();
    // Somebody else keeps the room open.
    let (_friend, _) = walk_in(&host, &host.join(&admission.room, &ada()).unwrap().ticket);
    let other = host.join(&admission.room, &player).unwrap();
    let (claim, _) = walk_in(&host, &admission.ticket);
    seconds(0.5).await;
    let early = host.claim(&other.ticket).unwrap();
    claim.leave();
    seconds(0.5).await;
    assert_eq!(code(early.enter(Arc::new(Fake(Arc::default())))), ErrorCode::TicketExpired);
    assert_eq!(code(host.claim(&other.ticket)), ErrorCode::TicketExpired);
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::TicketUsed);
}

#[tokio::test(start_paused = true)]
async fn a_resume_shows_that_the_ticket_was_used() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let first = host.claim(&admission.ticket).unwrap();
    let memory = enter(&first);
    first.disconnect();
    enter(&host.claim_back(&memory.resume(), None).unwrap());
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::TicketUsed);
}

#[tokio::test(start_paused = true)]
async fn a_resume_may_be_tried_again_until_its_client_is_heard() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (first, memory) = walk_in(&host, &admission.ticket);
    seconds(0.5).await;
    first.disconnect();
    // The line breaks twice, each time between the request and `welcome`.
    let token = memory.resume();
    let lost = enter(&host.claim_back(&token, None).unwrap());
    seconds(0.5).await;
    let unheard = host.claim_back(&token, None).unwrap();
    let third = enter(&unheard);
    assert_eq!(code(host.claim_back(&lost.resume(), None)), ErrorCode::BadResume, "nobody has heard of it");
    seconds(0.5).await;
    unheard.disconnect();
    let (early, claim) = (host.claim_back(&token, None).unwrap(), host.claim_back(&third.resume(), None).unwrap());
    let memory = enter(&claim);
    claim.inlet().push(&EAST);
    seconds(0.5).await;
    for old in [token, third.resume()] {
        assert_eq!(code(host.claim_back(&old, None)), ErrorCode::BadResume);
    }
    assert_eq!(code(early.enter(Arc::new(Fake(Arc::default())))), ErrorCode::BadResume);
    assert!(host.claim_back(&memory.resume(), None).is_ok() && claim.is_live());
}

#[tokio::test(start_paused = true)]
async fn a_ticket_is_used_up_by_leaving() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let claim = host.claim(&admission.ticket).unwrap();
    enter(&claim);
    claim.leave();
    assert_eq!(code(host.claim(&admission.ticket)), ErrorCode::TicketUsed);
    let watching = host.spectate(&admission.room, &ada()).unwrap();
    let claim = host.claim(&watching.ticket).unwrap();
    let first = enter(&claim);
    let again = host.claim(&watching.ticket).unwrap();
    let second = enter(&again);
    assert_eq!((first.overs(), second.overs()), (vec![OverReason::Replaced], vec![]));
    again.leave();
    assert_eq!(code(host.claim(&watching.ticket)), ErrorCode::TicketUsed);
}

#[tokio::test(start_paused = true)]
async fn a_player_who_never_sends_anything_is_away() {
    let host = host();
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (other, _) = walk_in(&host, &host.join(&admission.room, &ada()).unwrap().ticket);
    let silent = host.claim(&admission.ticket).unwrap();
    let memory = enter(&silent);
    seconds(14.0).await;
    assert!(silent.is_live());
    seconds(1.5).await;
    assert!(!silent.is_live() && other.is_live());
    assert_eq!((memory.overs(), memory.endings()), (vec![], vec![Ending::AfterQueued]), "as after a lost connection");
    let back = host.claim_back(&memory.resume(), None).unwrap();
    enter(&back);
    back.inlet().push(&EAST);
    seconds(20.0).await;
    assert!(back.is_live());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_after_over() {
    let host = host();
    let admission = host.create("duel", &options(serde_json::json!({"win_at": 20})), &ada()).unwrap();
    let (claim, memory) = walk_in(&host, &admission.ticket);
    seconds(1.5).await;
    claim.leave();
    seconds(10.0).await;
    assert_eq!((memory.overs(), memory.endings()), (vec![OverReason::Finished], vec![Ending::AfterQueued]));
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_not_reserved_for_ever() {
    let host = host();
    let (owner, eve) = (ada(), ada());
    let admission = host.create("duel", &RoomOptions::default(), &owner).unwrap();
    let (_player, _) = walk_in(&host, &admission.ticket);
    host.join(&admission.room, &eve).unwrap();
    for _ in 0..2 {
        seconds(25.0).await;
        host.join(&admission.room, &eve).unwrap();
        assert_eq!(code(host.join(&admission.room, &ada())), ErrorCode::RoomFull);
    }
    seconds(11.0).await;
    assert!(host.join(&admission.room, &ada()).is_ok(), "somebody else has a chance");
}

#[tokio::test(start_paused = true)]
async fn one_person_holds_a_few_unused_tickets() {
    let host = host();
    let rooms: Vec<Admission> = (0..6).map(|_| host.create("duel", &RoomOptions::default(), &ada()).unwrap()).collect();
    let eve = ada();
    let joined: Vec<_> = rooms.iter().map(|room| host.join(&room.room, &eve)).collect();
    let refused: Vec<_> = joined.iter().filter_map(|joined| joined.as_ref().err().map(|refusal| refusal.code)).collect();
    assert_eq!(refused, [ErrorCode::QuotaExceeded; 2]);
    assert_eq!(code(host.spectate(&rooms[5].room, &eve)), ErrorCode::QuotaExceeded, "those to watch count, too");
    assert!(host.join(&rooms[0].room, &eve).is_ok(), "another ticket for the same seat");
    let _playing = walk_in(&host, &joined[0].as_ref().unwrap().ticket);
    seconds(0.5).await;
    assert!(host.join(&rooms[4].room, &eve).is_ok(), "a used ticket does not count");
    assert_eq!(code(host.join(&rooms[5].room, &eve)), ErrorCode::QuotaExceeded);
    seconds(31.0).await;
    let room = host.create("duel", &RoomOptions::default(), &ada()).unwrap().room;
    assert!(host.join(&room, &eve).is_ok(), "expired ones do not count");
}

#[tokio::test(start_paused = true)]
async fn one_person_takes_a_limited_number_of_seats() {
    let host = host_with(|limits| limits.seats_per_person = 3);
    let eve = ada();
    let mut seats = Vec::new();
    for _ in 0..3 {
        let room = host.create("duel", &RoomOptions::default(), &ada()).unwrap().room;
        seats.push(walk_in(&host, &host.join(&room, &eve).unwrap().ticket));
    }
    seconds(1.0).await;
    let room = host.create("duel", &RoomOptions::default(), &ada()).unwrap().room;
    assert_eq!(code(host.join(&room, &eve)), ErrorCode::QuotaExceeded);
    assert_eq!(code(host.create("duel", &RoomOptions::default(), &eve)), ErrorCode::QuotaExceeded);
    seats[0].0.leave();
    assert!(host.join(&room, &eve).is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_person_watches_from_a_few_places() {
    let host = host_with(|limits| {
        limits.places_per_person = 2;
        limits.places_per_address = 5
    });
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_player, _) = walk_in(&host, &admission.ticket);
    let mut places = Vec::new();
    for _ in 0..10 {
        let eve = guest_of([9, 9, 9, 9]);
        for _ in 0..3 {
            let Ok(ticket) = host.spectate(&admission.room, &eve) else { continue };
            let claim = host.claim(&ticket.ticket).unwrap();
            enter(&claim);
            places.push(claim);
        }
    }
    assert_eq!(places.len(), 5, "two a person, and five for all guests of the address");
    assert!(host.spectate(&admission.room, &guest_of([9, 9, 9, 8])).is_ok());
    places[0].leave();
    assert!(host.spectate(&admission.room, &guest_of([9, 9, 9, 9])).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_watcher_whose_connection_breaks_often_comes_back() {
    let host = host_with(|limits| (limits.places_per_person, limits.places_per_address) = (2, 3));
    let admission = host.create("duel", &RoomOptions::default(), &ada()).unwrap();
    let (_player, _) = walk_in(&host, &admission.ticket);
    let eve = guest_of([9, 9, 9, 9]);
    let watch = || host.spectate(&admission.room, &eve).map(|watching| watching.ticket);
    let mut first = None;
    // More than there may be tickets in one room.
    for _ in 0..250 {
        let ticket = watch().unwrap();
        let claim = host.claim(&ticket).unwrap();
        enter(&claim);
        claim.disconnect();
        first.get_or_insert(ticket);
    }
    assert_eq!(code(host.claim(&first.unwrap())), ErrorCode::TicketExpired, "the room forgets the oldest");
    let lost = watch().unwrap();
    for _ in 0..2 {
        let claim = host.claim(&lost).unwrap();
        enter(&claim);
        claim.disconnect();
    }
    let places: Vec<_> = (0..2).map(|_| host.claim(&watch().unwrap()).unwrap()).collect();
    places.iter().for_each(|claim| drop(enter(claim)));
    assert_eq!(code(watch()), ErrorCode::QuotaExceeded);
    let again = host.claim(&lost).unwrap();
    let refused = code(again.enter(Arc::new(Fake(Arc::default()))));
    assert_eq!(refused, ErrorCode::QuotaExceeded, "the place counts when it is taken again");
    places[0].disconnect();
    enter(&again);
    assert!(again.is_live());
}

#[tokio::test(start_paused = true)]
async fn guests_of_one_address_open_a_limited_number_of_rooms() {
    let host = host_with(|limits| limits.rooms_per_address = 6);
    let open = |who: &Identity| host.create("duel", &RoomOptions::default(), who);
    let opened = (0..40).filter(|_| open(&guest_of([9, 9, 9, 9])).is_ok()).count();
    assert_eq!(opened, 6);
    assert!(open(&guest_of([9, 9, 9, 8])).is_ok());
    seconds(45.0).await;
    assert!(open(&guest_of([9, 9, 9, 9])).is_ok(), "the rooms that nobody entered have closed");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_its_opener_has_left_to_others_does_not_count() {
    let host = host_with(|limits| limits.rooms_per_person = 1);
    let owner = ada();
    let first = host.create("duel", &RoomOptions::default(), &owner).unwrap();
    let (claim, _) = walk_in(&host, &first.ticket);
    let (_friend, _) = walk_in(&host, &host.join(&first.room, &ada()).unwrap().ticket);
    assert_eq!(code(host.create("duel", &RoomOptions::default(), &owner)), ErrorCode::QuotaExceeded);
    claim.leave();
    seconds(0.5).await;
    assert!(host.create("duel", &RoomOptions::default(), &owner).is_ok());
}
