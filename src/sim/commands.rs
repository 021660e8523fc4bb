//! The commands that wait for the next step, and the functions that give them to the rules.

use std::collections::BTreeMap;

use bevy_ecs::prelude::World;
use serde::{Deserialize, Serialize};

use crate::protocol::{Seat, Values, WireCommand};

/// The commands that wait for the next step. They are part of the match and saved with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Commands {
    /// The newest number of each seat.
    newest: BTreeMap<Seat, u32>,
    /// In the order of arrival.
    waiting: Vec<(Seat, WireCommand)>,
}

impl Commands {
    /// Queues a command for the next step. Returns false, and queues nothing, if its number is not above the newest of its seat, so that it
    /// came before.
    pub fn offer(&mut self, seat: Seat, command: WireCommand) -> bool {
        let newest = self.newest.entry(seat).or_default();
        if command.number <= *newest {
            return false;
        }
        *newest = command.number;
        self.waiting.push((seat, command));
        true
    }

    /// Queues a command of a bot, which has no number.
    pub fn push(&mut self, seat: Seat, id: u8, values: Values) {
        self.waiting.push((seat, WireCommand { number: 0, id, values }));
    }

    /// Returns the newest number of a seat; 0 before its first command.
    pub fn newest(&self, seat: Seat) -> u32 {
        self.newest.get(&seat).copied().unwrap_or_default()
    }

    /// Returns whether no command waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets a seat, and what waits of it. Its next player numbers commands from 1 again.
    pub fn forget(&mut self, seat: Seat) {
        self.newest.remove(&seat);
        self.waiting.retain(|(from, _)| *from != seat);
    }

    fn take(&mut self) -> Vec<(Seat, WireCommand)> {
        std::mem::take(&mut self.waiting)
    }
}

/// Gives commands of one type to the rules.
#[derive(Clone, Copy)]
pub(crate) struct Receiver {
    /// The wire id.
    pub(crate) id: u8,
    /// Forgets the commands of the last step.
    pub(crate) clear: fn(&mut World),
    /// Adds a command, with its place among those of all types. It does nothing if the values are not of its fields.
    pub(crate) add: fn(&mut World, (u32, Seat), &Values),
}

/// Gives the commands that wait to the rules.
pub(super) fn hand_over(commands: &mut Commands, receivers: &[Receiver], world: &mut World) {
    receivers.iter().for_each(|receiver| (receiver.clear)(world));
    for (place, (seat, WireCommand { id, values, .. })) in (0..).zip(commands.take()) {
        if let Some(receiver) = receivers.iter().find(|receiver| receiver.id == id) {
            (receiver.add)(world, (place, seat), &values);
        }
    }
}
