//! The rules of scribble, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod bots;
mod codec;
mod drawing;
mod guesses;
mod secrecy;
mod turns;

use scribble::{Board, Choose, Draw, Guess, Hint, Ink, Scribble, ScribbleConfig, Secret, ink::*, read};
use tickcast::{
    prelude::*,
    protocol::{Columns, Replicate},
};

/// Ticks a second.
const HZ: u32 = 20;

/// A match with players in seats from 1, in its first tick.
fn room(players: usize) -> TestRoom<Scribble> {
    let config = ScribbleConfig { rounds: 1, seconds: 40 };
    let mut test = TestRoom::<Scribble>::with_config(7, config).seats(players);
    test.run(1);
    test
}

/// A match in which player 0 draws.
fn drawing(players: usize) -> TestRoom<Scribble> {
    let mut test = room(players);
    test.command(0, &Choose { word: 0 });
    test.run(1);
    test
}

fn board(test: &TestRoom<Scribble>) -> Board {
    test.view(0).iter::<Board>().next().unwrap().1
}

fn hint(test: &TestRoom<Scribble>, player: usize) -> String {
    read(&test.view(player).iter::<Hint>().next().unwrap().1.letters)
}

/// The word that a player draws.
fn secret(test: &TestRoom<Scribble>, player: usize) -> String {
    read(&test.view(player).me::<Secret>().unwrap().letters)
}

fn guess(test: &mut TestRoom<Scribble>, player: usize, text: &str) {
    test.command(player, &Guess { text: Text::new(text) });
    test.run(HZ / 2);
}

fn draw(test: &mut TestRoom<Scribble>, player: usize, ops: &[Op]) {
    let mut bytes = Vec::new();
    ops.iter().for_each(|op| encode(op, &mut bytes));
    test.command(player, &Draw { ink: Blob::new(&bytes) });
    test.run(1);
}

fn begin(color: u8, x: u16, y: u16) -> Op {
    Op::Begin { color, width: 1, at: Point { x, y } }
}

fn steps(steps: &[(i8, i8)]) -> Op {
    Op::Steps(steps.iter().map(|&(dx, dy)| Step { dx, dy }).collect())
}

/// The picture as a client's mirror holds it: for each stroke its colour and all of its points.
fn picture(test: &mut TestRoom<Scribble>, player: usize) -> Vec<(u8, Vec<(i32, i32)>)> {
    let mirror = test.mirror(player);
    let pieces = mirror.entities().filter_map(|(id, _)| mirror.get(id, Ink::ID));
    let mut pieces: Vec<Ink> = pieces.map(Ink::dequantise).collect();
    pieces.sort_by_key(|ink| (ink.stroke, ink.part));
    let mut strokes: Vec<(u8, Vec<(i32, i32)>)> = Vec::new();
    for ink in pieces {
        let (mut x, mut y) = (i32::from(ink.x), i32::from(ink.y));
        if ink.part == 0 {
            strokes.push((ink.color, vec![(x, y)]));
        }
        let (_, points) = strokes.last_mut().unwrap();
        assert_eq!(points.last(), Some(&(x, y)), "a piece begins where the one before ended");
        for step in ink.steps.chunks(2).take(ink.count.into()) {
            (x, y) = (x + i32::from(step[0]), y + i32::from(step[1]));
            points.push((x, y));
        }
    }
    strokes
}
