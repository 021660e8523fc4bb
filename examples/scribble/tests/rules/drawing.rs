//! The sheet: what a drawer does to it, and who sees that.

use crate::{begin, draw, drawing, picture, room, steps};
use scribble::{MOST_PIECES, Refusal, Refused, Sheet, ink::*};

#[test]
fn strokes_are_seen_by_all_in_the_order_of_drawing() {
    let mut test = drawing(3);
    draw(&mut test, 0, &[begin(4, 10, 20), steps(&[(5, -3), (-127, 127)])]);
    assert_eq!(test.events::<Refused>(0), [Refused { why: Refusal::BadInk }], "that was to the left of the sheet");
    assert_eq!(picture(&mut test, 1), []);
    draw(&mut test, 0, &[begin(4, 10, 20), steps(&[(5, -3)])]);
    draw(&mut test, 0, &[steps(&[(100, 100), (1, 1)]), begin(2, 800, 600)]);
    let expected = [(4, vec![(10, 20), (15, 17), (115, 117), (116, 118)]), (2, vec![(800, 600)])];
    for player in 0..3 {
        assert_eq!(picture(&mut test, player), expected);
    }
}

#[test]
fn a_stroke_is_taken_back_and_the_sheet_is_cleared() {
    let mut test = drawing(3);
    draw(&mut test, 0, &[begin(0, 1, 1), begin(1, 2, 2), Op::Undo, begin(2, 3, 3)]);
    assert_eq!(picture(&mut test, 1), [(0, vec![(1, 1)]), (2, vec![(3, 3)])]);
    draw(&mut test, 0, &[Op::Undo]);
    draw(&mut test, 0, &[Op::Undo, Op::Undo]);
    assert_eq!(picture(&mut test, 1), []);
    draw(&mut test, 0, &[begin(0, 1, 1), begin(1, 2, 2), Op::Clear, begin(3, 4, 4)]);
    assert_eq!(picture(&mut test, 2), [(3, vec![(4, 4)])]);
    draw(&mut test, 0, &[Op::Undo, steps(&[(1, 1)])]);
    assert_eq!(test.events::<Refused>(0), [Refused { why: Refusal::BadInk }], "nothing goes on after that");
}

#[test]
fn a_long_stroke_costs_what_is_new_of_it() {
    let mut test = drawing(3);
    draw(&mut test, 0, &[begin(0, 400, 300)]);
    let before = test.frame_bytes(1).len();
    for _ in 0..20 {
        draw(&mut test, 0, &[steps(&[(3, 2), (3, 1), (-2, -2), (-4, -1)])]);
    }
    assert_eq!(picture(&mut test, 1)[0].1.len(), 81);
    let frames = &test.frame_bytes(1)[before..];
    let most = frames.iter().max().unwrap();
    assert!(*most < 120, "{frames:?}");
}

#[test]
fn one_who_comes_late_or_back_sees_the_whole_picture() {
    let mut test = drawing(3);
    draw(&mut test, 0, &[begin(0, 10, 10), steps(&[(9, 9); 50])]);
    let late = test.join();
    test.disconnect(2);
    draw(&mut test, 0, &[begin(5, 7, 7), steps(&[(1, 0); 30])]);
    test.resume(2).unwrap();
    test.run(2);
    let seen = picture(&mut test, 1);
    assert_eq!((seen.len(), seen[0].1.len(), seen[1].1.len()), (2, 51, 31));
    assert_eq!(picture(&mut test, late), seen);
    assert_eq!(picture(&mut test, 2), seen);
}

#[test]
fn only_the_drawer_draws_and_only_while_there_is_a_word() {
    let mut test = room(3);
    draw(&mut test, 0, &[begin(0, 1, 1)]);
    test.command(0, &scribble::Choose { word: 0 });
    test.run(1);
    draw(&mut test, 1, &[begin(0, 1, 1)]);
    for player in [0, 1] {
        assert_eq!(test.events::<Refused>(player), [Refused { why: Refusal::NotDrawing }]);
    }
    assert_eq!(picture(&mut test, 2), []);
}

#[test]
fn a_sheet_has_an_end() {
    let mut test = drawing(3);
    let walk: Vec<(i8, i8)> = (0..200).map(|k| if k % 2 == 0 { (1, 0) } else { (-1, 0) }).collect();
    for _ in 0..MOST_PIECES / 10 {
        draw(&mut test, 0, &[begin(1, 5, 5), steps(&walk)]);
        test.run(2);
    }
    assert_eq!(test.events::<Refused>(0), []);
    draw(&mut test, 0, &[begin(1, 5, 5), steps(&walk)]);
    assert_eq!(test.events::<Refused>(0), [Refused { why: Refusal::SheetFull }]);
    assert_eq!(picture(&mut test, 1).len(), MOST_PIECES / 10);
    draw(&mut test, 0, &[Op::Undo, begin(1, 5, 5), steps(&walk), Op::Undo, begin(1, 5, 5)]);
    assert_eq!(picture(&mut test, 1).last(), Some(&(1, vec![(5, 5)])), "there is room again");
    let newcomer = test.join();
    test.run(1);
    let snapshot = test.frame_bytes(newcomer)[0];
    assert!(snapshot < 20_000, "a full sheet takes {snapshot} bytes");
}

#[test]
fn what_fits_of_a_stroke_stays() {
    let mut sheet = Sheet::default();
    let walk: Vec<(i8, i8)> = (0..250).map(|k| if k % 2 == 0 { (1, 0) } else { (-1, 0) }).collect();
    assert_eq!(sheet.apply(&[begin(1, 5, 5)]), Ok(()));
    let mut done = Ok(());
    while done.is_ok() {
        done = sheet.apply(&[steps(&walk)]);
    }
    assert_eq!(done, Err(scribble::InkFault::Full));
    assert_eq!(sheet.pieces().len(), MOST_PIECES);
    assert!(sheet.pieces().iter().all(|ink| ink.count == 20));
    assert_eq!(sheet.apply(&[begin(1, 5, 5)]), Err(scribble::InkFault::Full));
}

#[test]
fn bytes_that_are_no_ink_are_refused() {
    let bad: [&[u8]; 12] = [
        b"\x00",
        b"\x05",
        b"\x01",
        b"\x01\x00\x00\x00\x00\x00",
        b"\x01\x0b\x00\x00\x00\x00\x00",
        b"\x01\x00\x04\x00\x00\x00\x00",
        b"\x01\x00\x00\x21\x03\x00\x00",
        b"\x01\x00\x00\x00\x00\x59\x02",
        b"\x02",
        b"\x02\x00",
        b"\x02\x02\x01\x01\x01",
        b"\x02\x01\x80\x00",
    ];
    for bytes in bad {
        assert_eq!(decode(bytes), Err(BadInk), "{bytes:?}");
    }
    assert_eq!(
        decode(b"\x01\x0a\x03\x20\x03\x58\x02\x03").unwrap(),
        [Op::Begin { color: 10, width: 3, at: Point { x: WIDE, y: HIGH } }, Op::Undo]
    );
}
