//! Scribble, draw and guess for 3 to 12 players. One draws a word that only they know, and the others guess it.
//!
//! This file declares the components, the events, the commands and the configuration. `turn` has the course of a match, `guesses` judges
//! and scores, `ink` and `sheet` are the drawing, `words` are the words, and `bot` is the bot. The browser view is in `view/`.
//!
//! **The picture is state.** A client that joins or comes back late, or only watches, must see the whole of it. So each stroke lies in the
//! world as entities with [`Ink`], and the library sends what has changed, and everything to newcomers. Events would have to be sent again
//! to each of these by rules that do not even know who comes back or watches.

#![allow(elided_lifetimes_in_paths, reason = "systems name their parameters as bevy_ecs does, without lifetimes")]

mod bot;
mod guess;
mod guesses;
pub mod ink;
mod sheet;
mod sketches;
mod turn;
mod words;

use tickcast::prelude::*;

pub use crate::bot::Doodler;
pub use crate::guess::{Verdict, judge, normalise};
pub use crate::sheet::{InkFault, MOST_PIECES, Sheet};
pub use crate::words::{LONGEST, count as word_count, read, spell, word};

/// The course of the match, on an entity of its own.
#[derive(Component, Replicate, Clone, Copy, Debug, Default, PartialEq)]
#[replicate(id = 1)]
pub struct Board {
    /// What happens now.
    pub phase: Phase,
    /// How the last turn ended.
    pub ending: Ending,
    /// The seat that draws. 0 if nobody does.
    pub drawer: u8,
    /// The number of the turn, from 1. 0 before the first.
    pub turn: u16,
    /// How often everybody will have drawn after this round, from 1.
    pub round: u8,
    /// The tick in which the phase ends. 0 if it waits for players.
    pub ends: u32,
    /// How many players it waits for.
    pub missing: u8,
}

/// What happens.
#[derive(Choice, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The match waits for players.
    #[default]
    Waiting,
    /// The drawer chooses a word.
    Choosing,
    /// The drawer draws, and the others guess.
    Drawing,
    /// Everybody sees the word.
    Reveal,
}

/// Why a turn ended.
#[derive(Choice, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// None has ended yet.
    #[default]
    None,
    /// Everybody has guessed the word.
    AllFound,
    /// The time was over.
    TimeUp,
    /// The drawer drew nothing.
    Idle,
    /// The drawer, or everybody else, has left.
    Left,
}

/// What everybody knows of the word, on the entity of the board.
#[derive(Component, Replicate, Clone, Copy, Debug, Default, PartialEq)]
#[replicate(id = 2)]
pub struct Hint {
    /// The letters of the word in ASCII, with `_` for those that are covered, and zeros behind them. All are zero while there is no word.
    pub letters: [u8; LONGEST],
}

/// The steps of a stroke that one piece of ink holds.
pub const STEPS_A_PIECE: usize = 20;

/// A piece of a stroke. Pieces of one stroke follow each other without a gap.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 3)]
pub struct Ink {
    /// The place of the stroke among all, from 0.
    pub stroke: u16,
    /// The place of the piece in the stroke, from 0.
    pub part: u16,
    /// The number of the colour.
    pub color: u8,
    /// The number of the width.
    pub width: u8,
    /// Where the piece begins.
    pub x: u16,
    /// Where the piece begins.
    pub y: u16,
    /// The number of steps, 0 to 20.
    pub count: u8,
    /// The steps: right and down, right and down. Most are between -32 and 127, which takes one byte.
    pub steps: [i8; 2 * STEPS_A_PIECE],
}

/// The points of a player, on their avatar.
#[derive(Component, Replicate, Clone, Copy, Debug, Default, PartialEq)]
#[replicate(id = 4)]
pub struct Score {
    /// All points.
    pub points: u16,
    /// Those of this turn.
    pub gained: u16,
    /// The place among those who have guessed the word of this turn, from 1. 0 for everybody else.
    pub found: u8,
}

/// The three words to choose from. Only the drawer has them.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 5, to = owner)]
pub struct Offer {
    /// The letters, as in [`Hint`].
    pub words: [[u8; LONGEST]; 3],
}

/// The word to draw. Only the drawer has it.
#[derive(Component, Replicate, Clone, Copy, Debug, PartialEq)]
#[replicate(id = 6, to = owner)]
pub struct Secret {
    /// The letters, as in [`Hint`].
    pub letters: [u8; LONGEST],
}

/// Somebody said something: a guess that was wrong, or anything between turns.
#[derive(GameEvent, Clone, Debug, PartialEq)]
#[event(id = 1)]
pub struct Said {
    /// The seat.
    pub seat: u8,
    /// Whether only those who know the word hear it.
    pub is_secret: bool,
    /// The text.
    pub text: Text<MOST_TEXT>,
}

/// Somebody has guessed the word.
#[derive(GameEvent, Clone, Debug, PartialEq, Eq)]
#[event(id = 2)]
pub struct Found {
    /// The seat.
    pub seat: u8,
    /// The place, from 1.
    pub rank: u8,
    /// The points for it.
    pub points: u16,
}

/// The guess of this seat was nearly right. Nobody else hears of it.
#[derive(GameEvent, Clone, Debug, PartialEq)]
#[event(id = 3)]
pub struct Near {
    /// The guess.
    pub text: Text<MOST_TEXT>,
}

/// A command of this seat had no effect.
#[derive(GameEvent, Clone, Debug, PartialEq, Eq)]
#[event(id = 4)]
pub struct Refused {
    /// The reason.
    pub why: Refusal,
}

/// Why a command had no effect. Clients know the reasons by their names, which stay the same.
#[derive(Choice, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusal {
    /// Only the drawer draws, and only while there is a word.
    #[default]
    NotDrawing,
    /// The bytes are no ink, or leave the sheet.
    BadInk,
    /// There is no room for more ink.
    SheetFull,
    /// Only the drawer chooses, once, one of three.
    NotOffered,
    /// The text is empty.
    NoText,
    /// Texts come too fast.
    TooFast,
    /// Who chooses a word says nothing.
    MustChoose,
}

/// The most bytes of a text.
pub const MOST_TEXT: usize = 64;

/// Draws.
#[derive(GameCommand, Clone, Debug)]
#[command(id = 1)]
pub struct Draw {
    /// See [`ink`].
    pub ink: Blob<{ ink::MOST_BYTES }>,
}

/// Chooses the word to draw.
#[derive(GameCommand, Clone, Debug)]
#[command(id = 2)]
pub struct Choose {
    /// Its place in the offer, 0 to 2.
    pub word: u8,
}

/// Guesses, or says something.
#[derive(GameCommand, Clone, Debug)]
#[command(id = 3)]
pub struct Guess {
    /// The text.
    pub text: Text<MOST_TEXT>,
}

/// The input of a player: nothing. Everything goes by commands.
#[derive(GameInput, Clone, Default)]
pub struct Pad {}

/// The configuration of a match.
#[derive(Resource, Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct ScribbleConfig {
    /// How often everybody draws, 1 to 5. Default 2.
    pub rounds: u8,
    /// The seconds to draw and guess, 20 to 180. Default 80.
    pub seconds: u8,
}

impl Default for ScribbleConfig {
    fn default() -> Self {
        Self { rounds: 2, seconds: 80 }
    }
}

/// The game, for `tickcast::server().game::<Scribble>()`.
pub struct Scribble;

impl Game for Scribble {
    const NAME: &'static str = "scribble";
    type Input = Pad;
    type Config = ScribbleConfig;

    fn check(config: &ScribbleConfig) -> Result<(), String> {
        let ScribbleConfig { rounds, seconds } = config;
        if !(1..=5).contains(rounds) {
            return Err(format!("rounds is {rounds}, but must be from 1 to 5"));
        }
        if !(20..=180).contains(seconds) {
            return Err(format!("seconds is {seconds}, but must be from 20 to 180"));
        }
        Ok(())
    }

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(turn::LEAST..=12)
            .replicate::<(Board, Hint, Ink, Score, Offer, Secret)>()
            .state::<turn::Player>()
            .resource(turn::Turn::default())
            .resource(Sheet::default())
            .event::<Said>()
            .event::<Found>()
            .event::<Near>()
            .event::<Refused>()
            .command::<Draw>()
            .command::<Choose>()
            .command::<Guess>()
            .on_join(turn::join)
            .reconnect_grace(secs(30.0))
            .systems((turn::choose, turn::draw, guesses::listen, turn::go_on, sheet::lay, turn::show))
            .finish_when(turn::finish)
            .bot::<Doodler>()
            .fill(4);
    }
}
