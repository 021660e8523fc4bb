//! Ink as bytes: it travels unchanged, and Rust and TypeScript agree on it.

use std::{fs, path::Path};

use proptest::{collection::vec, prelude::*};
use scribble::{InkFault, Sheet, ink::*};
use serde_json::{Value, json};

use crate::{begin, steps};

fn op() -> impl Strategy<Value = Op> {
    let point = (0..=WIDE, 0..=HIGH).prop_map(|(x, y)| Point { x, y });
    let step = (-127i8..=127, -127i8..=127).prop_map(|(dx, dy)| Step { dx, dy });
    let near = (-9i8..=9, -9i8..=9).prop_map(|(dx, dy)| Step { dx, dy });
    prop_oneof![
        3 => (0..COLORS, 0..WIDTHS, point).prop_map(|(color, width, at)| Op::Begin { color, width, at }),
        2 => vec(step, 1..=6).prop_map(Op::Steps),
        4 => vec(near, 1..=255).prop_map(Op::Steps),
        1 => Just(Op::Undo),
        1 => Just(Op::Clear),
    ]
}

fn bytes(ops: &[Op]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ops.iter().for_each(|op| encode(op, &mut bytes));
    bytes
}

/// For each stroke its colour, its width and its points.
type Strokes = Vec<(u8, u8, Vec<(i32, i32)>)>;

/// The plain reference: a list of strokes as points. `None` for ink that is bad.
fn reference(strokes: &mut Strokes, is_open: &mut bool, op: &Op) -> Option<()> {
    match op {
        Op::Begin { color, width, at } => {
            strokes.push((*color, *width, vec![(at.x.into(), at.y.into())]));
            *is_open = true;
        }
        Op::Steps(steps) => {
            let (_, _, points) = strokes.last_mut().filter(|_| *is_open)?;
            for step in steps {
                let (x, y) = *points.last()?;
                let to = (x + i32::from(step.dx), y + i32::from(step.dy));
                ((0..=800).contains(&to.0) && (0..=600).contains(&to.1)).then_some(())?;
                points.push(to);
            }
        }
        Op::Undo => {
            strokes.pop();
            *is_open = false;
        }
        Op::Clear => {
            strokes.clear();
            *is_open = false;
        }
    }
    Some(())
}

/// The strokes of a sheet, put together from its pieces.
fn strokes(sheet: &Sheet) -> Strokes {
    let mut strokes: Strokes = Vec::new();
    for ink in sheet.pieces() {
        let (mut x, mut y) = (i32::from(ink.x), i32::from(ink.y));
        if ink.part == 0 {
            strokes.push((ink.color, ink.width, vec![(x, y)]));
        }
        let (_, _, points) = strokes.last_mut().unwrap();
        assert_eq!(points.last(), Some(&(x, y)));
        for step in ink.steps.chunks(2).take(ink.count.into()) {
            (x, y) = (x + i32::from(step[0]), y + i32::from(step[1]));
            points.push((x, y));
        }
    }
    strokes
}

proptest! {
    #[test]
    fn ink_travels_unchanged(ops in vec(op(), 0..8)) {
        let sent = bytes(&ops);
        prop_assert_eq!(decode(&sent), Ok(ops));
        for cut in 0..sent.len() {
            // A cut between two is ink, too.
            if let Ok(part) = decode(&sent[..cut]) {
                prop_assert_eq!(bytes(&part), &sent[..cut]);
            }
        }
    }

    #[test]
    fn any_bytes_are_ink_that_is_written_in_the_same_way_or_none(sent in vec(0u8..6, 0..60)) {
        if let Ok(ops) = decode(&sent) {
            prop_assert_eq!(bytes(&ops), sent);
        }
    }

    #[test]
    fn a_sheet_is_what_the_plain_reference_is(commands in vec(vec(op(), 1..4), 0..12)) {
        let (mut sheet, mut plain, mut is_open) = (Sheet::default(), Strokes::new(), false);
        for ops in commands {
            let (mut next, mut opens) = (plain.clone(), is_open);
            let expected = ops.iter().try_for_each(|op| reference(&mut next, &mut opens, op));
            let done = sheet.apply(&ops);
            prop_assume!(done != Err(InkFault::Full));
            prop_assert_eq!(done.is_ok(), expected.is_some());
            if expected.is_some() {
                (plain, is_open) = (next, opens);
            }
            prop_assert_eq!(strokes(&sheet), plain.clone());
        }
    }
}

/// Ink that the view writes in the same bytes: `assets/web/test/ink.test.ts` reads the file.
#[test]
fn the_recorded_ink_is_what_the_codec_writes() {
    let cases = [
        ("a dot", vec![begin(0, 0, 0)]),
        ("the far corner", vec![Op::Begin { color: 10, width: 3, at: Point { x: WIDE, y: HIGH } }]),
        ("a stroke with the longest steps", vec![begin(4, 300, 299), steps(&[(127, -127), (-127, 127), (0, 1), (-1, 0)])]),
        ("a stroke that goes on", vec![steps(&[(1, 2)])]),
        ("undo and clear", vec![Op::Undo, Op::Clear]),
        ("all at once", vec![begin(1, 256, 255), steps(&[(5, 5); 3]), Op::Undo, begin(2, 1, 513), steps(&[(-5, 5)]), Op::Clear]),
        ("many steps", vec![begin(7, 100, 100), steps(&[(1, -1); 60])]),
    ];
    let hex = |ops: &[Op]| bytes(ops).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let rows: Vec<Value> = cases.iter().map(|(note, ops)| json!({"note": note, "ops": ops, "hex": hex(ops)})).collect();
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", rows.join(",\n"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ink.json");
    if std::env::var_os("TICKCAST_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        recorded == text,
        "the bytes of ink differ: if that is meant, run this test with TICKCAST_BLESS=1, and change view/ink.ts"
    );
}
