//! The bot. It draws simple sketches, and guesses words that fit the hint. How often it guesses, and how much of the hint it looks at,
//! depends on its strength. It never knows a word that it was not told.

use tickcast::prelude::*;

use crate::{
    Board, Choose, Draw, Guess, Hint, Offer, Pad, Phase, Score, Scribble, Secret,
    ink::encode,
    words::{self, read},
};

/// A bot that draws and guesses.
#[derive(Serialize, Deserialize, Default)]
pub struct Doodler {
    strength: Strength,
    /// The turn and the phase that it is in.
    turn: u16,
    phase: Phase,
    /// The tick in which it does something again.
    next: u32,
    /// The ink that is still to be drawn, the next last. `None` before it has begun.
    ink: Option<Vec<Vec<u8>>>,
    /// The words that it has guessed in this turn.
    tried: Vec<u16>,
}

/// What a strength can do.
struct Skill {
    /// The seconds between two guesses, at least and at most.
    pause: (f32, f32),
    /// Whether it looks at the letters of the hint, and not only at their number.
    reads: bool,
    /// How far a line goes astray, in units of the sheet.
    unsteady: f32,
}

const EASY: Skill = Skill { pause: (10.0, 18.0), reads: false, unsteady: 14.0 };
const NORMAL: Skill = Skill { pause: (7.0, 12.0), reads: true, unsteady: 8.0 };
const HARD: Skill = Skill { pause: (4.0, 8.0), reads: true, unsteady: 4.0 };

/// Ticks a second, as in the game.
const HZ: f32 = 20.0;
/// The units that a hand draws between two commands, and the ticks that it takes for them.
const REACH: f32 = 60.0;
const GESTURE: u32 = 4;

impl Bot<Scribble> for Doodler {
    const STRENGTHS: &'static [Strength] = &Strength::ALL;

    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad {}
    }

    fn command(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        let Some((_, board)) = view.iter::<Board>().next() else { return };
        let draws = board.drawer == view.seat().0;
        if (board.turn, board.phase) != (self.turn, self.phase) {
            (self.turn, self.phase, self.ink) = (board.turn, board.phase, None);
            self.tried.clear();
            self.next = view.tick().0 + if draws { ticks((1.0, 3.0), rng) } else { self.pause(rng) };
        }
        if view.tick().0 < self.next {
            return;
        }
        match board.phase {
            Phase::Choosing if draws && view.me::<Offer>().is_some() => {
                self.next = u32::MAX;
                commands.send(&Choose { word: rng.random_range(0..3) });
            }
            Phase::Drawing if draws => self.draw(view, rng, commands),
            Phase::Drawing => self.guess(view, rng, commands),
            _ => {}
        }
    }

    fn set_strength(&mut self, strength: Strength) {
        self.strength = strength;
    }
}

impl Doodler {
    fn skill(&self) -> &'static Skill {
        match self.strength {
            Strength::Easy => &EASY,
            Strength::Normal => &NORMAL,
            Strength::Hard => &HARD,
        }
    }

    fn pause(&self, rng: &mut MatchRng) -> u32 {
        ticks(self.skill().pause, rng)
    }

    fn draw(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        if self.ink.is_none() {
            let Some(word) = view.me::<Secret>().and_then(|secret| words::number(&read(&secret.letters))) else { return };
            self.ink = Some(self.sketch(word, rng));
        }
        if let Some(ink) = self.ink.as_mut().and_then(Vec::pop) {
            self.next = view.tick().0 + GESTURE;
            commands.send(&Draw { ink: Blob::new(&ink) });
        }
    }

    fn sketch(&self, word: u16, rng: &mut MatchRng) -> Vec<Vec<u8>> {
        let unsteady = self.skill().unsteady;
        let gestures = words::sketch(word).ink(REACH, &mut || rng.random_range(-unsteady..=unsteady));
        let bytes = gestures.iter().rev().map(|ops| {
            let mut bytes = Vec::new();
            ops.iter().for_each(|op| encode(op, &mut bytes));
            bytes
        });
        bytes.collect()
    }

    fn guess(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        self.next = view.tick().0 + self.pause(rng);
        let knows = view.me::<Score>().is_none_or(|score| score.found > 0);
        let Some((_, hint)) = view.iter::<Hint>().next().filter(|_| !knows) else { return };
        let fits = |word: &u16| fits(words::word(*word), &read(&hint.letters), self.skill().reads);
        let possible: Vec<u16> = (0..words::count()).filter(|word| !self.tried.contains(word)).filter(fits).collect();
        if let Some(word) = possible.choose(rng) {
            self.tried.push(*word);
            commands.send(&Guess { text: Text::new(words::word(*word)) });
        }
    }
}

/// Returns whether a word can be the one that a hint is of.
fn fits(word: &str, hint: &str, reads: bool) -> bool {
    let letters = |(letter, shown): (u8, u8)| shown == b'_' || !reads || letter == shown;
    word.len() == hint.len() && word.bytes().zip(hint.bytes()).all(letters)
}

fn ticks((least, most): (f32, f32), rng: &mut MatchRng) -> u32 {
    (rng.random_range(least..most) * HZ) as u32
}
