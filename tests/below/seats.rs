//! Seats: joining, dropping, coming back, leaving, and the end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Mutex,
    thread::current,
};

use crate::meadow::*;
use tickcast::{
    game::{GameDef, panic_message},
    prelude::*,
    room::{Baseline, Message, OverReason, Room, RoomError, SeatStatus},
};

fn avatars(table: &mut TestRoom<Meadow>) -> usize {
    let world = table.world();
    world.query::<&Seat>().iter(world).count()
}

#[test]
fn a_room_full_by_one_never_takes_two() {
    let mut table = TestRoom::<Meadow>::new(1).seats(4);
    assert_eq!(table.room().reserve("fifth"), Err(RoomError::Full));
    table.leave(2);
    assert_eq!(table.room().reserve("fifth"), Ok(Seat(3)));
    assert_eq!(table.room().reserve("sixth"), Err(RoomError::Full));
}

#[test]
fn a_reservation_that_is_never_used_leaves_no_trace() {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    let seat = table.room().reserve("nobody").unwrap();
    table.run(3);
    assert_eq!(avatars(&mut table), 1);
    assert_eq!(table.room().seats().len(), 1, "a reserved seat is not shown");
    table.room().release(seat);
    assert_eq!(table.room().enter(seat, None), Err(RoomError::UnknownSeat(seat)));
    table.room().release(Seat(1));
    assert_eq!(table.room().population().players, 1, "a seat in use is not given back");
}

#[test]
fn a_dropped_seat_is_kept_and_comes_back_with_a_diff() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.press(0, east());
    table.run(3);
    table.disconnect(1);
    table.run(60);
    assert_eq!(table.room().seats()[1].status, SeatStatus::Away);
    assert_eq!(avatars(&mut table), 2);
    assert_eq!(table.resume(1).unwrap().baseline, Baseline::Diff);
    table.run(1);
    assert_eq!(table.stats().merged, 1);
    assert_eq!(table.room().seats()[1].status, SeatStatus::Playing);
}

#[test]
fn the_avatar_of_a_dropped_player_stands_still() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.press(1, east());
    table.run(3);
    table.disconnect(1);
    table.run(2);
    let x = |table: &TestRoom<Meadow>| table.view(1).me::<Pos>().unwrap().at.x;
    let stands = x(&table);
    table.run(5);
    assert_eq!(x(&table), stands);
    table.resume(1).unwrap();
    table.press(1, east());
    table.run(2);
    assert!(x(&table) > stands, "its inputs go on with the next number");
}

#[test]
fn an_owned_entity_is_not_the_avatar() {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    let older = table.world().spawn((Pos { at: Vec2::new(9.0, 9.0) }, Shield)).id();
    table.run(1);
    let player = table.join();
    let seat = table.seat(player);
    table.run(1);
    let start = table.view(player).me::<Pos>().unwrap().at;
    assert_eq!(table.view(player).me::<Shield>(), None);
    // It has the lesser id of the two.
    table.world().entity_mut(older).insert(seat);
    table.run(1);
    let view = table.view(player);
    assert_eq!(view.me::<Pos>().unwrap().at, start);
    assert!(view.me::<Shield>().is_some(), "what the avatar lacks is that of the other one");
}

#[test]
fn a_player_who_returns_without_a_mirror_gets_a_snapshot() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.run(3);
    let seat = table.seat(1);
    for held in [None, Some(Tick(0)), Some(Tick(99_999))] {
        table.room().disconnect(seat);
        assert_eq!(table.room().enter(seat, held).unwrap().baseline, Baseline::Snapshot, "{held:?}");
        table.run(1);
    }
}

#[test]
fn after_the_grace_time_the_seat_is_free() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.run(1);
    table.disconnect(1);
    table.run(100);
    assert_eq!(avatars(&mut table), 2, "five seconds are not quite over");
    table.run(2);
    assert_eq!(avatars(&mut table), 1);
    assert_eq!(table.resume(1), Err(RoomError::UnknownSeat(Seat(2))));
}

#[test]
fn leaving_frees_the_seat_at_once_and_its_entities_go() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.run(1);
    table.leave(1);
    table.run(1);
    assert_eq!(avatars(&mut table), 1);
    let held: Vec<Id> = table.mirror(0).entities().map(|(id, _)| id).collect();
    assert_eq!(held.len(), 1);
    let next = table.join();
    assert_eq!(table.seat(next), Seat(2));
    table.press(next, east());
    table.run(1);
    assert!(table.view(next).me::<Pos>().unwrap().at.x > 8.0, "the next one numbers its inputs from 1 again");
}

#[test]
fn bots_fill_the_seats_until_people_take_them() {
    let mut table = TestRoom::<Meadow>::new(1).bots().seats(1);
    table.run(30);
    assert_eq!(table.room().population().bots, 2);
    let moved = table.view(0).iter::<Pos>().filter(|(_, pos)| pos.at.y != 0.0).count();
    assert!(moved > 0, "bots play");
    let mut table = table.seats(3);
    table.run(1);
    assert_eq!((table.room().population().players, table.room().population().bots), (4, 0));
    assert_eq!(table.room().reserve("fifth"), Err(RoomError::Full));
}

#[test]
fn everyone_is_told_the_seats() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    let seats = |table: &mut TestRoom<Meadow>| {
        let messages = table.room().tick().messages;
        messages.into_iter().filter(|(_, message)| matches!(message, Message::Seats(_))).count()
    };
    assert_eq!(seats(&mut table), 2);
    assert_eq!(seats(&mut table), 0);
    table.disconnect(1);
    assert_eq!(seats(&mut table), 1);
}

#[test]
fn the_match_ends_when_the_rules_say_so() {
    let mut table = TestRoom::<Meadow>::with_config(1, MeadowConfig { shots: 2, ..Default::default() }).seats(2);
    table.press(0, fire());
    table.run(1);
    assert_eq!(table.outcome(), None);
    table.press(0, fire());
    table.run(1);
    assert_eq!(table.outcome(), Some(&Outcome::winner(Seat(1))));
    let over = table.over().unwrap();
    assert_eq!((over.reason, &over.winners[..]), (OverReason::Finished, &[Seat(1)][..]));
    assert_eq!(table.room().reserve("late"), Err(RoomError::Over));
    assert_eq!(table.room().enter(Seat(1), None), Err(RoomError::Over));
    let tick = table.room().current_tick();
    table.run(3);
    assert_eq!(table.room().current_tick(), tick, "an ended match stands still");
}

#[test]
fn a_panic_in_the_rules_reaches_the_host() {
    let def = GameDef::new::<Meadow>().unwrap();
    let config = serde_json::json!({ "panic_at": 5 });
    let mut room = Room::new(&def, Some(&config), 1).unwrap();
    (0..4).for_each(|_| drop(room.tick()));
    let panic = catch_unwind(AssertUnwindSafe(|| room.tick())).unwrap_err();
    assert!(panic_message(&*panic).contains("asked to panic"));
}

#[test]
fn rules_that_failed_have_no_outcome() {
    #[derive(Component)]
    struct Stranger;
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    table.world().spawn(Stranger);
    table.run(5);
    assert_eq!(table.over().map(|over| over.reason), Some(OverReason::RulesError));
    assert!(table.outcome().is_none());
}

#[test]
fn a_configuration_is_checked_by_the_game() {
    let def = GameDef::new::<Meadow>().unwrap();
    let refused = |config: serde_json::Value| Room::new(&def, Some(&config), 1).err().expect("refused").to_string();
    assert!(refused(serde_json::json!({ "shots": 0 })).contains("above 0"));
    assert!(refused(serde_json::json!({ "shots": "many" })).contains("invalid type"));
    assert!(refused(serde_json::json!({ "shoots": 3 })).contains("unknown field `shoots`"));
    let room = Room::new(&def, Some(&serde_json::json!({ "shots": 3 })), 1).unwrap();
    assert_eq!(room.config(), &serde_json::json!({ "shots": 3, "panic_at": 0 }), "defaults are filled in");
}

#[test]
fn events_reach_whom_they_are_for() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.run(1);
    for _ in 0..31 {
        table.press(0, fire());
        table.run(1);
    }
    assert_eq!(table.events::<Fired>(1).len(), 30);
    assert_eq!(table.events::<Fired>(0)[0].by, 1);
    assert_eq!((table.events::<Click>(0).len(), table.events::<Click>(1).len()), (1, 0));
    let sound = "päng päng ";
    let first = FirstShot { by: 1, sound: Text::new(sound), smoke: Blob::new(&[0, 128, 255]) };
    assert_eq!(table.events::<FirstShot>(1), [first], "the text is cut to 12 bytes");
}

type Mistake = fn(&mut TestRoom<Meadow>);

/// A test room explains a mistake of the test.
fn complaint(mistake: impl FnOnce(&mut TestRoom<Meadow>)) -> String {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    let panic = catch_unwind(AssertUnwindSafe(|| mistake(&mut table))).expect_err("it was a mistake");
    panic_message(&*panic)
}

#[test]
fn a_table_says_what_is_wrong_with_a_test() {
    let cases: [(Mistake, &str); 5] = [
        (|table| assert_eq!(table.view(5).seat(), Seat(1)), "there is no player 5: 1 joined, counted from 0"),
        (|table| table.press(1, east()), "there is no player 1: 1 joined, counted from 0"),
        (
            |table| {
                table.leave(0);
                table.press(0, east());
            },
            "player 0 has no seat any more",
        ),
        (|table| (0..1000).for_each(|_| table.press(0, east())), "player 0 sent too many inputs without a `run` between them"),
        (
            |table| {
                table.world().resource_mut::<Shots>().0 = 1_000_000;
                table.run(1);
                table.press(0, east());
            },
            "the match is over",
        ),
    ];
    for (mistake, expected) in cases {
        assert_eq!(complaint(mistake), expected);
    }
}

#[test]
fn a_table_blames_the_line_of_the_test() {
    static BLAMED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (before, this) = (take_hook(), current().id());
    set_hook(Box::new(move |panic| {
        if current().id() == this {
            BLAMED.lock().unwrap().extend(panic.location().map(|place| place.file().to_owned()));
        }
        before(panic);
    }));
    let _ = complaint(|table| assert_eq!(table.mirror(7).entities().count(), 0));
    let _ = complaint(|table| table.drop_next(7, 1));
    let _ = complaint(|table| (1..9).for_each(|seat| assert_eq!(table.join(), seat)));
    let blamed = BLAMED.lock().unwrap().clone();
    assert!(blamed.len() == 3 && blamed.iter().all(|file| file.ends_with("seats.rs")), "{blamed:?}");
}
