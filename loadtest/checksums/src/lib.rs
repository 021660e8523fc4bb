//! Matches that are run in the same way natively and in WebAssembly, to compare their checksums.
//!
//! `loadtest checksums` drives both sides: this library, and the module that is built of it:
//!
//! ```sh
//! cargo rustc --release -p checksums --lib --crate-type cdylib --target wasm32-unknown-unknown
//! ```

mod maths;
mod matches;

#[cfg(target_family = "wasm")]
mod exports;

use arena::Arena;
use coins::Coins;
use race::Race;
use scribble::{Choose, Draw, Guess, Scribble, ink};
use tactics::{EndTurn, Move, Strike, Tactics};
use tickcast::prelude::*;
use tickcast::rand::rngs::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::matches::Matches;
use crate::maths::Maths;

/// Something that depends on a seed alone, and is run tick by tick.
pub trait Subject {
    /// Runs some ticks.
    fn run(&mut self, ticks: u32);

    /// Returns a digest of everything that has happened so far. Two runs that differ once never have equal digests again.
    fn digest(&self) -> u64;

    /// Returns the number of matches begun so far.
    fn matches(&self) -> u32;
}

/// How a subject begins, with a seed.
pub type Begin = fn(u64) -> Box<dyn Subject>;

/// The subjects with their names. All but the last are the bundled games.
pub const SUBJECTS: [(&str, Begin); 6] = [
    ("arena", |seed| Box::new(Matches::<Arena>::new(seed, |rng, room, player| room.press(player, shooter(rng))))),
    ("coins", |seed| Box::new(Matches::<Coins>::new(seed, |rng, room, player| room.press(player, collector(rng))))),
    ("race", |seed| Box::new(Matches::<Race>::new(seed, |rng, room, player| room.press(player, runner(rng))))),
    ("scribble", |seed| Box::new(Matches::<Scribble>::new(seed, scribbler))),
    ("tactics", |seed| Box::new(Matches::<Tactics>::new(seed, command))),
    ("maths", |seed| Box::new(Maths::new(seed))),
];

/// Continues a digest with the next values.
fn continued(digest: u64, values: &[u8]) -> u64 {
    xxh3_64_with_seed(values, digest)
}

fn shooter(rng: &mut ChaCha8Rng) -> arena::Pad {
    let aim = rng.random_range(0.0..std::f32::consts::TAU);
    arena::Pad { dir: direction(rng), aim, fire: rng.random_bool(0.5), reload: rng.random_bool(0.05) }
}

fn collector(rng: &mut ChaCha8Rng) -> coins::Pad {
    coins::Pad { dir: direction(rng), dash: rng.random_bool(0.1) }
}

fn runner(rng: &mut ChaCha8Rng) -> race::Pad {
    race::Pad { dir: direction(rng) }
}

/// Orders anything, most of which is refused.
fn command(rng: &mut ChaCha8Rng, room: &mut TestRoom<Tactics>, player: usize) {
    let unit = rng.random_range(1..=6);
    match rng.random_range(0..10) {
        0 => room.command(player, &EndTurn),
        1..4 => room.command(player, &Strike { unit, target: rng.random_range(1..=6) }),
        _ => room.command(player, &Move { unit, q: rng.random_range(-5..=5), r: rng.random_range(-5..=5) }),
    }
}

/// Draws, chooses and guesses anything. Most of it is refused, or wrong.
fn scribbler(rng: &mut ChaCha8Rng, room: &mut TestRoom<Scribble>, player: usize) {
    match rng.random_range(0..8) {
        0 => room.command(player, &Choose { word: rng.random_range(0..4) }),
        1 => room.command(player, &Guess { text: Text::new(scribble::word(rng.random_range(0..scribble::word_count()))) }),
        _ => {
            let at = ink::Point { x: rng.random_range(0..=ink::WIDE), y: rng.random_range(0..=ink::HIGH) };
            let count = rng.random_range(1..40);
            let steps = (0..count).map(|_| ink::Step { dx: rng.random_range(-9..=9), dy: rng.random_range(-9..=9) }).collect();
            let begin = ink::Op::Begin { color: rng.random_range(0..ink::COLORS), width: rng.random_range(0..ink::WIDTHS), at };
            let mut bytes = Vec::new();
            for op in [begin, ink::Op::Steps(steps), ink::Op::Undo].iter().take(rng.random_range(1..=3)) {
                ink::encode(op, &mut bytes);
            }
            room.command(player, &Draw { ink: Blob::new(&bytes) });
        }
    }
}

fn direction(rng: &mut ChaCha8Rng) -> Dir8 {
    const ALL: [Dir8; 9] = [Dir8::None, Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE];
    *ALL.choose(rng).expect("there are nine")
}
