//! Tactics, a turn-based game for two on a hex board. A side whose captain falls, or whose clock runs out, has lost.
//!
//! The match steps on input: it rests while somebody thinks, and a deadline wakes it when a clock runs out. Units that the enemy does not
//! see are components for the team alone, so that nothing of them is ever sent to the other player.
//!
//! This file declares the components, commands, events and the configuration. `hex` has the geometry, `ground` the terrain, `units` the
//! kinds of units, `field` what can be seen, reached and struck, `orders` what the commands do, `rules` the systems, and `bot` the bots.
//! The browser view is in `view/`.

#![allow(elided_lifetimes_in_paths, reason = "systems name their parameters as bevy_ecs does, without lifetimes")]

pub mod hex;
mod ground;
mod units;
mod field;
mod orders;
mod rules;
mod bot;

use tickcast::prelude::*;

pub use crate::bot::Commander;
pub use crate::field::{Field, Man, Reach};
pub use crate::ground::{Ground, Terrain};
pub use crate::hex::Hex;
pub use crate::orders::Order;
pub use crate::units::{ARMY, Kind, Stats, home};

/// The state of the game that everyone may know. There is one.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[replicate(id = 2)]
pub struct Table {
    /// The seat whose turn it is.
    pub turn: u8,
    /// The number of the round, from 1. Each seat has one turn in it.
    pub round: u8,
    /// The tick in which the turn began.
    pub began: u32,
    /// The ticks that seats 1 and 2 have left, without the time since `began`.
    pub left: [u32; 2],
    /// The seat that offers a draw. 0 if none does.
    pub offer: u8,
    /// How the game ended.
    pub end: End,
}

/// How a game ended.
#[derive(Choice, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// It goes on.
    #[default]
    None,
    /// A captain fell.
    Captain,
    /// A clock ran out.
    Time,
    /// A player resigned.
    Resigned,
    /// A player left.
    Left,
    /// The players agreed on a draw.
    Agreed,
    /// The last round is over, which is a draw.
    Rounds,
}

/// A unit as its own side sees it.
#[derive(Component, Replicate, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[replicate(id = 3, to = team)]
pub struct Unit {
    /// Its number in its army, from 1.
    pub number: u8,
    /// Its kind.
    pub kind: Kind,
    /// Its health.
    pub hp: u8,
    /// Where it is.
    pub q: i8,
    /// Where it is.
    pub r: i8,
    /// The points of movement that it has left in this turn.
    pub moves: u8,
    /// Whether it can still strike in this turn.
    pub ready: bool,
    /// Whether it has struck since its side's last turn began, so that the enemy sees it wherever it is.
    pub exposed: bool,
}

impl Unit {
    /// Returns where it is.
    pub fn hex(&self) -> Hex {
        Hex::at(self.q, self.r)
    }
}

/// A unit that the enemy sees, for everyone. Without this component nobody but its own side knows of the unit.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq, Eq)]
#[replicate(id = 4)]
pub struct Figure {
    /// The seat that commands it.
    pub side: u8,
    /// Its number in its army, from 1.
    pub number: u8,
    /// Its kind.
    pub kind: Kind,
    /// Its health.
    pub hp: u8,
    /// Where it is.
    pub q: i8,
    /// Where it is.
    pub r: i8,
}

impl Figure {
    /// Returns where it is.
    pub fn hex(&self) -> Hex {
        Hex::at(self.q, self.r)
    }
}

/// How many moves a player can take back. It is on the player's avatar.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[replicate(id = 5, to = owner)]
pub struct Undoable(pub u8);

/// Moves a unit. It halts where it first sees an enemy that its side did not see before.
#[derive(GameCommand, Debug, Clone, PartialEq, Eq)]
#[command(id = 1)]
pub struct Move {
    /// The number of the unit.
    pub unit: u8,
    /// Where it is to go.
    pub q: i8,
    /// Where it is to go.
    pub r: i8,
}

/// Strikes an enemy. A neighbour that survives strikes back.
#[derive(GameCommand, Debug, Clone, PartialEq, Eq)]
#[command(id = 2)]
pub struct Strike {
    /// The number of the unit.
    pub unit: u8,
    /// The number of the enemy's unit.
    pub target: u8,
}

/// Takes back the last move of this turn, if nothing was revealed by it and nothing was struck since.
#[derive(GameCommand, Debug, Clone, PartialEq, Eq)]
#[command(id = 3)]
pub struct Undo;

/// Ends the turn.
#[derive(GameCommand, Debug, Clone, PartialEq, Eq)]
#[command(id = 4)]
pub struct EndTurn;

/// Offers a draw, or takes the other's offer. An offer holds until the end of the other's next turn.
#[derive(GameCommand, Debug, Clone, PartialEq, Eq)]
#[command(id = 5)]
pub struct OfferDraw;

/// Gives the game up.
#[derive(GameCommand, Debug, Clone, PartialEq, Eq)]
#[command(id = 6)]
pub struct Resign;

/// A unit entered a hex. The enemy and spectators hear of it only if the enemy sees the unit there.
#[derive(GameEvent, Debug, Clone, PartialEq, Eq)]
#[event(id = 1)]
pub struct Stepped {
    /// The seat that commands the unit.
    pub side: u8,
    /// The number of the unit.
    pub number: u8,
    /// Where it is now.
    pub q: i8,
    /// Where it is now.
    pub r: i8,
}

/// A unit was struck.
#[derive(GameEvent, Debug, Clone, PartialEq, Eq)]
#[event(id = 2)]
pub struct Struck {
    /// The seat that struck.
    pub side: u8,
    /// The unit that struck.
    pub number: u8,
    /// The unit that was struck.
    pub target: u8,
    /// By how much its health is less.
    pub damage: u8,
    /// Whether the unit fell.
    pub fell: bool,
    /// Whether it was an answer to a blow.
    pub back: bool,
}

/// A command of the player was refused. Nothing has changed.
#[derive(GameEvent, Debug, Clone, PartialEq, Eq)]
#[event(id = 3)]
pub struct Refused {
    /// The reason.
    pub why: Refusal,
}

/// Why a command was refused. The names are stable.
#[derive(Choice, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refusal {
    /// The other player has not come yet, or the game is over.
    #[default]
    NotPlaying,
    /// It is the other player's turn.
    NotYourTurn,
    /// The player has no unit of this number.
    NoSuchUnit,
    /// The unit cannot go there with the points that it has left, as far as its side knows.
    OutOfReach,
    /// The unit has struck already in this turn.
    Spent,
    /// The player sees no enemy of this number.
    NotSeen,
    /// The enemy is too near or too far, or something is between.
    OutOfRange,
    /// There is no move to take back.
    NothingToUndo,
}

/// The configuration of a game.
#[derive(Resource, Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct TacticsConfig {
    /// The minutes on each clock at the beginning, 1 to 60. Default 5.
    pub minutes: u8,
    /// The seconds that a clock gains with each turn, 0 to 60. Default 10.
    pub increment: u8,
    /// The number of rounds after which the game is a draw, 5 to 200. Default 60.
    pub rounds: u8,
    /// Whether units can be hidden. Default true.
    pub fog: bool,
}

impl Default for TacticsConfig {
    fn default() -> Self {
        Self { minutes: 5, increment: 10, rounds: 60, fog: true }
    }
}

/// The input of a player. There is nothing to hold in this game: players send commands.
#[derive(GameInput, Clone, Default)]
pub struct NoInput {}

/// The moves of the turn that can be taken back, oldest first.
#[derive(Resource, Serialize, Deserialize, Default)]
pub(crate) struct Journal(pub(crate) Vec<Past>);

/// A unit before a move.
#[derive(Serialize, Deserialize, Clone, Copy)]
pub(crate) struct Past {
    pub(crate) number: u8,
    pub(crate) hex: Hex,
    pub(crate) moves: u8,
}

/// What the systems have to know of the game's course.
#[derive(Resource, Serialize, Deserialize)]
pub(crate) struct Course {
    /// The ticks since which the seats have no player. 0 before the first.
    pub(crate) empty: [Option<u32>; 2],
    /// Whether both armies stand on the board.
    pub(crate) is_set_up: bool,
    /// The seat that has the first turn of each round.
    pub(crate) starter: u8,
    /// How the game ended, and the winner if there is one.
    pub(crate) end: Option<(End, Option<Seat>)>,
}

impl Default for Course {
    fn default() -> Self {
        Self { empty: [Some(0); 2], is_set_up: false, starter: 1, end: None }
    }
}

/// The game, for `tickcast::server().game::<Tactics>()`.
pub struct Tactics;

impl Game for Tactics {
    const NAME: &'static str = "tactics";
    type Input = NoInput;
    type Config = TacticsConfig;

    fn check(config: &TacticsConfig) -> Result<(), String> {
        let TacticsConfig { minutes, increment, rounds, .. } = config;
        if !(1..=60).contains(minutes) {
            return Err(format!("minutes is {minutes}, but must be from 1 to 60"));
        }
        if *increment > 60 {
            return Err(format!("increment is {increment}, but must be from 0 to 60"));
        }
        if !(5..=200).contains(rounds) {
            return Err(format!("rounds is {rounds}, but must be from 5 to 200"));
        }
        Ok(())
    }

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input()
            .tick_rate(10)
            .seats(2..=2)
            .replicate::<(Ground, Table, Unit, Figure, Undoable)>()
            .resource(Journal::default())
            .resource(Course::default())
            .command::<Move>()
            .command::<Strike>()
            .command::<Undo>()
            .command::<EndTurn>()
            .command::<OfferDraw>()
            .command::<Resign>()
            .event::<Stepped>()
            .event::<Struck>()
            .event::<Refused>()
            .on_join(rules::join)
            .on_leave(rules::leave)
            .reconnect_grace(secs(60.0))
            .spectator_delay(secs(10.0))
            .systems((rules::forfeit, rules::set_up, rules::run_out, rules::obey, rules::wait, rules::show))
            .finish_when(rules::finish)
            .bot::<Commander>()
            .fill(2);
    }
}
