//! A client that cannot keep up costs itself, never its room.

use crate::meadow::*;
use tickcast::{prelude::*, room::SeatStatus};

/// A match in which something moves in every tick.
fn busy() -> TestRoom<Meadow> {
    let mut table = TestRoom::new(1).seats(2);
    table.press(0, east());
    table.run(100);
    table
}

#[test]
fn a_reader_that_pauses_gets_one_merged_diff() {
    let mut table = busy();
    table.sleep(1);
    table.run(100);
    let (merged, frames) = (table.stats().merged, table.frame_bytes(1).len());
    let stale = table.wake(1);
    assert!(stale <= 10, "{stale} stale frames after five seconds");
    table.run(1);
    assert_eq!(table.mirror(1).tick(), table.room().current_tick(), "in step one tick after it went on");
    assert_eq!((table.stats().merged, table.frame_bytes(1).len()), (merged + 1, frames + 1));
    assert_eq!(table.frame_bytes(0).len(), 201, "the other seat had a frame in every tick");
}

#[test]
fn a_reader_that_pauses_still_gets_the_last_state() {
    let mut table = TestRoom::<Meadow>::with_config(1, MeadowConfig { shots: 1, ..Default::default() }).seats(2);
    table.press(0, east());
    table.run(100);
    table.sleep(1);
    table.run(100);
    let frames = table.frame_bytes(1).len();
    table.run(1);
    assert_eq!(table.frame_bytes(1).len(), frames, "too much is on the way to it");
    table.press(0, fire());
    table.run(1);
    assert!(table.over().is_some());
    table.wake(1);
    assert_eq!(table.mirror(1).tick(), table.room().current_tick());
}

#[test]
fn a_reader_that_stops_loses_its_connection_and_keeps_its_seat() {
    let mut table = busy();
    table.sleep(1);
    table.run(295);
    assert_eq!(table.room().seats()[1].status, SeatStatus::Playing);
    table.run(15);
    assert_eq!(table.room().seats()[1].status, SeatStatus::Away, "cut after 15 seconds");
    table.run(110);
    assert_eq!(table.room().seats().len(), 1);
}

#[test]
fn a_rare_acknowledger_gets_a_larger_window() {
    let mut table = busy();
    let skipped = table.stats().skipped;
    for _ in 0..10 {
        table.sleep(1);
        table.run(12);
        table.wake(1);
        table.run(1);
    }
    let first = table.stats().skipped - skipped;
    for _ in 0..10 {
        table.sleep(1);
        table.run(12);
        table.wake(1);
        table.run(1);
    }
    assert_eq!(table.stats().skipped - skipped, first, "it learned: {first} skipped at first");
}
