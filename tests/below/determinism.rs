//! A match is a pure function of its seed, its rules and its inputs: saved and restored, and in another process.

use tickcast::{
    game::GameDef,
    prelude::*,
    protocol::{Columns, InputHead, encode_input},
    room::{RestoreError, Room},
};

use crate::{meadow::*, process::run_in_child};

/// Presses something on most ticks, the same for the same tick.
fn press(room: &mut Room, seat: Seat, seq: &mut u32) {
    let tick = room.current_tick().0;
    let dirs = [Dir8::E, Dir8::N, Dir8::SW, Dir8::None, Dir8::SE];
    let pad = Pad { dir: dirs[tick as usize / 7 % 5], aim: tick as f32 * 0.1, fire: tick % 5 == u32::from(seat.0) };
    let mut columns = vec![0; Pad::WIDTH];
    pad.quantise(&mut columns);
    let mut bytes = Vec::new();
    *seq += 1;
    let head = InputHead { seq: *seq, tick: Tick(tick + 1 + tick % 3), ..InputHead::default() };
    encode_input(&mut bytes, head, &columns);
    room.handle(seat, &bytes).expect("a good input");
}

/// Runs a room and notes its checksum after each tick.
fn run(room: &mut Room, ticks: u32, seq: &mut u32) -> Vec<u64> {
    let run_one = |_| {
        press(room, Seat(1), seq);
        drop(room.tick());
        room.checksum()
    };
    (0..ticks).map(run_one).collect()
}

#[test]
fn a_table_without_bots_is_restored_without_them() {
    let mut table = TestRoom::<Meadow>::new(3).seats(2);
    table.run(10);
    table.disconnect(0);
    table.disconnect(1);
    let saved = table.room().save();
    let mut again = Room::restore(table.room().def(), &saved).unwrap();
    table.run(5);
    for _ in 0..5 {
        drop(again.tick());
    }
    assert_eq!(again.population().bots, 0);
    assert_eq!(again.checksum(), table.room().checksum());
}

fn start() -> Room {
    let def = GameDef::new::<Meadow>().unwrap();
    let mut room = Room::new(&def, Some(&serde_json::json!({ "shots": 1_000_000 })), 42).unwrap();
    let seat = room.reserve("Ada").unwrap();
    room.enter(seat, None).unwrap();
    room
}

#[test]
fn a_restored_match_goes_on_alike() {
    let mut room = start();
    let mut seq = 0;
    run(&mut room, 500, &mut seq);
    let saved = room.save();
    let mut again = Room::restore(room.def(), &saved).unwrap();
    assert_eq!(again.save(), saved, "what is restored is what was saved");
    again.enter(Seat(1), None).unwrap();
    let mut seq_again = seq;
    let (first, second) = (run(&mut room, 300, &mut seq), run(&mut again, 300, &mut seq_again));
    let differs = first.iter().zip(&second).position(|(a, b)| a != b);
    assert_eq!(differs, None, "ticks after the restore");
}

#[test]
fn a_match_can_be_saved_at_any_tick() {
    for ticks in [0, 1, 2, 17, 63] {
        let mut room = start();
        let mut seq = 0;
        run(&mut room, ticks, &mut seq);
        let mut again = Room::restore(room.def(), &room.save()).unwrap();
        again.enter(Seat(1), None).unwrap();
        let mut seq_again = seq;
        assert_eq!(run(&mut room, 40, &mut seq), run(&mut again, 40, &mut seq_again), "saved after {ticks} ticks");
    }
}

#[test]
fn a_different_seed_is_a_different_match() {
    let def = GameDef::new::<Meadow>().unwrap();
    let sum = |seed| {
        let mut room = Room::new(&def, None, seed).unwrap();
        (0..100).for_each(|_| drop(room.tick()));
        room.checksum()
    };
    assert_eq!(sum(1), sum(1));
    assert_ne!(sum(1), sum(2));
}

#[test]
fn bytes_that_are_no_saved_room_are_refused() {
    let def = GameDef::new::<Meadow>().unwrap();
    let good = start().save();
    assert!(matches!(Room::restore(&def, b"nonsense"), Err(RestoreError::NotSaved("meadow"))));
    for cut in (0..good.len()).step_by(97) {
        assert!(Room::restore(&def, &good[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn two_processes_agree() {
    let child = || run_in_child("determinism::two_processes_agree");
    let Some(printed) = child() else {
        println!("checksum {:016x}", run(&mut start(), 500, &mut 0).last().unwrap());
        return;
    };
    let checksum = |printed: &str| {
        let at = printed.find("checksum ").unwrap_or_else(|| panic!("no checksum in {printed}"));
        printed[at..at + 25].to_owned()
    };
    assert_eq!(checksum(&printed), checksum(&child().unwrap()));
}
