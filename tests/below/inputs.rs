//! Inputs by tick: late, early, twice, wrong, too many.

use crate::meadow::*;
use tickcast::{
    prelude::*,
    protocol::{Columns, ErrorCode, InputHead, encode_ack, encode_input},
    room::Message,
};

fn input(seq: u32, tick: u32, pad: &Pad) -> Vec<u8> {
    let mut columns = vec![0; Pad::WIDTH];
    pad.quantise(&mut columns);
    let mut bytes = Vec::new();
    encode_input(&mut bytes, InputHead { seq, tick: Tick(tick), ..InputHead::default() }, &columns);
    bytes
}

fn table() -> TestRoom<Meadow> {
    let mut table = TestRoom::new(1).seats(2);
    table.run(5);
    table
}

fn send(table: &mut TestRoom<Meadow>, player: usize, bytes: &[u8]) -> Result<(), ErrorCode> {
    let seat = table.seat(player);
    table.room().handle(seat, bytes)
}

fn x(table: &TestRoom<Meadow>, player: usize) -> f32 {
    table.view(player).me::<Pos>().unwrap().at.x
}

#[test]
fn an_input_acts_in_its_tick() {
    let mut table = table();
    let start = x(&table, 0);
    send(&mut table, 0, &input(1, 8, &east())).unwrap();
    table.run(2);
    assert_eq!(x(&table, 0), start, "ticks 6 and 7");
    table.run(1);
    assert!(x(&table, 0) > start, "tick 8");
}

#[test]
fn a_late_input_acts_in_the_next_tick_and_is_counted() {
    let mut table = table();
    let start = x(&table, 0);
    send(&mut table, 0, &input(1, 2, &east())).unwrap();
    table.run(1);
    assert!(x(&table, 0) > start);
    assert_eq!(table.stats().inputs_late, 1);
}

#[test]
fn a_duplicate_is_ignored_and_counted() {
    let mut table = table();
    send(&mut table, 0, &input(1, 0, &east())).unwrap();
    table.run(1);
    send(&mut table, 0, &input(1, 0, &Pad::default())).unwrap();
    let before = x(&table, 0);
    table.run(1);
    assert!(x(&table, 0) > before, "the first one holds");
    assert_eq!(table.stats().inputs_duplicate, 1);
}

#[test]
fn the_newest_input_wins_but_no_shot_is_lost() {
    let mut table = table();
    send(&mut table, 0, &input(1, 0, &fire())).unwrap();
    send(&mut table, 0, &input(2, 0, &east())).unwrap();
    let start = x(&table, 0);
    table.run(3);
    assert!(x(&table, 0) > start);
    assert_eq!(table.events::<Fired>(1).len(), 1, "one shot, once");
}

#[test]
fn the_frame_says_which_input_was_taken_and_how_early_it_came() {
    let mut table = table();
    send(&mut table, 0, &input(7, 9, &east())).unwrap();
    let seat = table.seat(0);
    let mut heads = Vec::new();
    for _ in 0..6 {
        let frames = table.room().tick().frames;
        heads.extend(frames.of(seat).map(|frame| (frame.head().tick.0, frame.head().ack, frame.head().margin)));
    }
    assert!(heads.contains(&(9, 7, 3)), "{heads:?}");
}

#[test]
fn a_malformed_input_is_refused_with_its_code() {
    let mut table = table();
    let good = input(1, 0, &Pad::default());
    let cases: [(&str, Vec<u8>, ErrorCode); 10] = [
        ("nothing", vec![], ErrorCode::BadInput),
        ("garbage", b"\xc1garbage".to_vec(), ErrorCode::BadInput),
        ("an empty array", vec![0x90], ErrorCode::BadInput),
        ("a string", vec![0xa1, b'x'], ErrorCode::BadInput),
        ("something after the end", [&good[..], &[0]].concat(), ErrorCode::BadInput),
        ("a column too few", vec![0x95, 0, 1, 0, 0, 0], ErrorCode::BadInput),
        ("a direction that there is not", vec![0x96, 0, 1, 0, 9, 0, 0], ErrorCode::BadInput),
        ("not a number", vec![0x96, 0, 1, 0, 0xca, 0x7f, 0xc0, 0, 0, 0, 0], ErrorCode::BadInput),
        ("a tick far ahead", input(1, 100_000, &Pad::default()), ErrorCode::InputTooEarly),
        ("an ack never sent", vec![0x91, 100], ErrorCode::BadAck),
    ];
    for (what, bytes, code) in cases {
        assert_eq!(send(&mut table, 0, &bytes), Err(code), "{what}");
        table.run(1);
    }
    assert_eq!(table.stats().inputs_refused.values().sum::<u64>(), 10);
    assert_eq!(send(&mut table, 0, &good), Ok(()), "the seat goes on");
}

#[test]
fn the_seat_is_told_of_refusals_once_a_second() {
    let mut table = table();
    table.run(20);
    let seat = table.seat(0);
    let mut told = Vec::new();
    for _ in 0..40 {
        let _ = send(&mut table, 0, b"nonsense");
        let messages = table.room().tick().messages;
        told.extend(messages.into_iter().filter_map(|(to, message)| match message {
            Message::Refused(refused) => Some((to, refused.code, refused.count)),
            _ => None,
        }));
    }
    assert_eq!(told, [(seat, ErrorCode::BadInput, 1), (seat, ErrorCode::BadInput, 20)]);
}

#[test]
fn a_flood_is_dropped_and_hurts_nobody_else() {
    let mut table = table();
    let mut refused = 0;
    for seq in 1..=500 {
        refused += u32::from(send(&mut table, 0, &input(seq, 0, &east())) == Err(ErrorCode::RateLimited));
    }
    assert!(refused > 400, "{refused}");
    assert_eq!(send(&mut table, 1, &input(1, 0, &east())), Ok(()));
    table.run(40);
    assert_eq!(send(&mut table, 0, &input(501, 0, &Pad::default())), Ok(()), "after a while it may speak again");
}

#[test]
fn a_late_host_refuses_no_honest_input() {
    let mut table = table();
    let mut seq = 0;
    for late in [5, 1, 8, 40, 3, 2, 100].into_iter().cycle().take(200) {
        // The client sends an input for each tick that is due, but the host steps only one of them.
        table.room().lapse(late - 1);
        for _ in 0..late.min(20) {
            seq += 1;
            assert_eq!(send(&mut table, 1, &input(seq, 0, &east())), Ok(()), "input {seq}");
        }
        table.run(1);
    }
    let flood = (0..500).filter(|_| send(&mut table, 0, &input(1, 0, &east())) == Err(ErrorCode::RateLimited)).count();
    assert!(flood > 400, "{flood} of 500: the credit is bounded however late the host is");
}

#[test]
fn an_acknowledgement_alone_is_small_and_taken() {
    let mut table = table();
    let mut bytes = Vec::new();
    table.press(0, east());
    table.run(3);
    let held = table.mirror(0).tick().0 as u16;
    encode_ack(&mut bytes, held);
    assert!(bytes.len() <= 4);
    assert_eq!(send(&mut table, 0, &bytes), Ok(()));
    assert_eq!(send(&mut table, 0, &[0x91, held as u8 - 1]), Err(ErrorCode::BadAck), "older than one before");
    assert_eq!(send(&mut table, 0, &[0x91, 0]), Ok(()), "0 says nothing");
}
