//! The system parameter that gives the rules the commands of players.

use bevy_ecs::{prelude::*, system::SystemParam};

use super::GameCommand;
use crate::{
    protocol::{Seat, ValueReader, Values},
    sim::{Receiver, resource_in_table},
};

/// The commands of one type that act in this step, each with its place among those of all types.
pub(super) struct CommandInbox<C: GameCommand>(Vec<(u32, Seat, C)>);

resource_in_table!(CommandInbox<C>, C: GameCommand);

impl<C: GameCommand> CommandInbox<C> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the functions that fill this inbox.
    pub(super) fn receiver() -> Receiver {
        Receiver {
            id: C::ID,
            clear: |world| world.resource_mut::<Self>().0.clear(),
            add: |world, (place, seat), values: &Values| {
                if let Some(command) = C::read(&mut ValueReader::new(values)) {
                    world.resource_mut::<Self>().0.push((place, seat, command));
                }
            },
        }
    }
}

/// The commands that a bot sends. They act in the next step.
#[derive(Default)]
pub struct BotCommands(pub(crate) Vec<(u8, &'static str, Values)>);

impl BotCommands {
    /// Sends a command, which must be registered with [`MatchBuilder::command`](super::MatchBuilder::command).
    pub fn send<C: GameCommand>(&mut self, command: &C) {
        let mut values = Values::new();
        command.write(&mut values);
        self.0.push((C::ID, C::NAME, values));
    }
}

/// A system parameter with the commands of a type that act in this step, in the order in which they came.
///
/// The type must be registered with [`MatchBuilder::command`](super::MatchBuilder::command).
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameCommand)]
/// #[command(id = 1)]
/// struct Guess {
///     word: Text<40>,
/// }
///
/// fn judge(guesses: Received<Guess>) {
///     for (seat, guess) in guesses.iter() {
///         let is_right = guess.word.trim().eq_ignore_ascii_case("cat");
///         # let _ = (seat, is_right);
///     }
/// }
/// ```
#[derive(SystemParam)]
pub struct Received<'w, C: GameCommand> {
    inbox: Res<'w, CommandInbox<C>>,
}

impl<C: GameCommand> Received<'_, C> {
    /// Iterates over the commands, each with the seat that sent it.
    pub fn iter(&self) -> impl Iterator<Item = (Seat, &C)> {
        self.inbox.0.iter().map(|(_, seat, command)| (*seat, command))
    }

    /// Iterates over the commands as [`iter`](Self::iter) does, each with its place among the commands of all types that act in this step.
    ///
    /// Where the order of two types matters, sort what comes of both by the place.
    ///
    /// # Examples
    ///
    /// ```
    /// use tickcast::prelude::*;
    ///
    /// #[derive(GameCommand, Clone)]
    /// #[command(id = 1)]
    /// struct Move {
    ///     to: u8,
    /// }
    ///
    /// #[derive(GameCommand, Clone)]
    /// #[command(id = 2)]
    /// struct EndTurn;
    ///
    /// enum Order {
    ///     Move(Move),
    ///     EndTurn,
    /// }
    ///
    /// fn act(moves: Received<Move>, ends: Received<EndTurn>) {
    ///     let moves = moves.numbered().map(|(place, seat, order)| (place, seat, Order::Move(order.clone())));
    ///     let ends = ends.numbered().map(|(place, seat, _)| (place, seat, Order::EndTurn));
    ///     let mut orders: Vec<_> = moves.chain(ends).collect();
    ///     orders.sort_by_key(|(place, ..)| *place);
    ///     // .. obeys one after the other
    /// }
    /// ```
    pub fn numbered(&self) -> impl Iterator<Item = (u32, Seat, &C)> {
        self.inbox.0.iter().map(|(place, seat, command)| (*place, *seat, command))
    }
}
