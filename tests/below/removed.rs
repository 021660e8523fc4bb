//! How a player loses a seat: by the others' vote, by doing nothing; and who plays for one who is away.

use serde::{Deserialize, Serialize};
use tickcast::{
    prelude::*,
    protocol::{InputHead, encode_input},
    room::{Message, Outbox, OverReason, RoomError, SeatStatus, VOTE_SECONDS, VoteInfo},
};

use crate::walk::{HZ, Pad, Pos, walking};

struct Walk;

impl Game for Walk {
    const NAME: &'static str = "walk";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        walking(m).seats(1..=6).idle_after(secs(10.0)).bot::<Walker>().bots_hold_seats();
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Walker;

impl Bot<Walk> for Walker {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad { dir: Dir8::E }
    }
}

/// A room in which these seats play.
fn room(seats: u8) -> (tickcast::room::Room, Vec<Seat>) {
    let def = tickcast::game::GameDef::new::<Walk>().unwrap();
    let mut room = tickcast::room::Room::new(&def, None, 1).unwrap();
    let seats: Vec<Seat> = (0..seats).map(|_| room.reserve("somebody").unwrap()).collect();
    for seat in &seats {
        room.enter(*seat, None).unwrap();
    }
    room.tick();
    (room, seats)
}

/// The votes that each seat was told of.
fn told(out: &Outbox) -> Vec<(Seat, VoteInfo)> {
    let vote = |(seat, message): &(Seat, Message)| match message {
        Message::Vote(vote) => Some((*seat, *vote)),
        _ => None,
    };
    out.messages.iter().filter_map(vote).collect()
}

#[test]
fn more_than_half_of_the_others_remove_a_player() {
    let (mut room, seats) = room(5);
    let target = seats[4];
    for (votes, voter) in (1..).zip(&seats[..2]) {
        room.vote_kick(*voter, target).unwrap();
        room.vote_kick(*voter, target).unwrap();
        let out = room.tick();
        let vote = VoteInfo { seat: target, votes, needed: 3, passed: None };
        assert_eq!(told(&out), seats.iter().map(|seat| (*seat, vote)).collect::<Vec<_>>(), "a vote counts once");
        assert_eq!(out.evicted, []);
    }
    assert_eq!(told(&room.tick()), [], "nothing is said while nothing changes");
    assert_eq!(room.vote_kick(seats[2], seats[0]), Err(RoomError::VoteOpen(target)));
    room.vote_kick(seats[2], target).unwrap();
    let out = room.tick();
    assert_eq!(out.evicted, [(target, OverReason::Kicked)]);
    assert!(told(&out).iter().all(|(_, vote)| vote.passed == Some(true)));
    assert_eq!(room.population().players, 4);
    room.vote_kick(seats[2], seats[0]).unwrap();
}

#[test]
fn a_vote_needs_people_and_two_of_them() {
    let (mut room, seats) = room(2);
    room.vote_kick(seats[0], seats[1]).unwrap();
    assert_eq!(told(&room.tick())[0].1.needed, 2);
    let nobody = Seat(6);
    for (voter, target) in [(seats[0], seats[0]), (seats[0], nobody), (nobody, seats[0])] {
        assert_eq!(room.vote_kick(voter, target), Err(RoomError::NotVotable(target)));
    }
    let last = (0..VOTE_SECONDS * u32::from(HZ)).map(|_| keep_busy(&mut room, &seats)).last().unwrap();
    assert_eq!(last.evicted, []);
    assert_eq!(told(&last)[0].1.passed, Some(false), "its time is over");
}

#[test]
fn a_vote_does_not_count_after_its_voter_leaves() {
    let (mut room, seats) = room(5);
    room.vote_kick(seats[0], seats[4]).unwrap();
    room.vote_kick(seats[1], seats[4]).unwrap();
    room.tick();
    room.leave(seats[0]);
    assert_eq!(told(&room.tick())[0].1, VoteInfo { seat: seats[4], votes: 1, needed: 2, passed: None });
    room.leave(seats[1]);
    assert_eq!(told(&room.tick())[0].1.passed, Some(false));
}

/// One tick in which every seat sends an input.
fn keep_busy(room: &mut tickcast::room::Room, seats: &[Seat]) -> Outbox {
    let seq = room.current_tick().0;
    for seat in seats {
        let mut input = Vec::new();
        encode_input(&mut input, InputHead { seq, ..InputHead::default() }, &[0]);
        room.handle(*seat, &input).unwrap();
    }
    room.tick()
}

#[test]
fn an_idle_player_loses_the_seat() {
    let (mut room, seats) = room(2);
    let busy = &seats[..1];
    let allowed = 10 * u32::from(HZ);
    for _ in 0..allowed - 1 {
        // Acknowledging is not playing.
        room.handle(seats[1], &[0x91, 0]).unwrap();
        assert_eq!(keep_busy(&mut room, busy).evicted, []);
    }
    let evicted: Vec<_> = (0..3).flat_map(|_| keep_busy(&mut room, busy).evicted).collect();
    assert_eq!(evicted, [(seats[1], OverReason::Idle)]);
}

#[test]
fn a_bot_plays_for_one_who_is_away() {
    let (mut room, seats) = room(1);
    let steps = |room: &tickcast::room::Room| room.view(Seat(1)).me::<Pos>().unwrap().at.x as u32;
    keep_busy(&mut room, &seats);
    assert_eq!(steps(&room), 0);
    room.disconnect(seats[0]);
    (0..10).for_each(|_| drop(room.tick()));
    assert!(steps(&room) >= 9);
    assert_eq!(room.seats()[0].status, SeatStatus::Away);
    room.enter(seats[0], None).unwrap();
    let before = steps(&room);
    (0..10).for_each(|_| drop(keep_busy(&mut room, &seats)));
    assert!(steps(&room) <= before + 1, "the player's own inputs count again");
    assert_eq!(room.stats().inputs, 11, "none is taken for a duplicate");
}
