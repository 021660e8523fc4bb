//! The bots in a room. A bot sees the same state as a client in its seat, and its inputs go the same way.

use std::collections::BTreeMap;

use super::{
    Room,
    seats::{SeatStatus, Seats},
};
use crate::{
    game::{BotCommands, Brain, Strength},
    protocol::{InputColumns, Schema, Seat},
    replication::{Replicator, Viewer},
    sim::{MatchRng, NewInput, Sim},
};

/// The stream of the bots' random numbers. It is not the match's, so that the match stays a function of its inputs.
const BOT_STREAM: u64 = 0xb07;

impl Room {
    /// Sets how strong the bots play; `None`: as [`Strength::by_people`] says. Bots that do not have this strength play as if none were
    /// set.
    pub fn set_strength(&mut self, strength: Option<Strength>) {
        self.seats.plan.strength = strength;
    }

    /// Returns how strong the bots play at the moment. `None` if they have no strengths.
    pub fn strength(&self) -> Option<Strength> {
        let strengths = self.hooks.strengths;
        let chosen = self.seats.plan.strength.filter(|strength| strengths.contains(strength));
        chosen.or_else(|| Strength::by_people(strengths, self.seats.people()))
    }
}

pub(super) struct Bots {
    pub rng: MatchRng,
    pub employed: BTreeMap<Seat, Employed>,
    /// How strong the bots play. `None` until they were told.
    strength: Option<Strength>,
}

pub(super) struct Employed {
    pub brain: Box<dyn Brain>,
    pub seq: u32,
    pub columns: Vec<i64>,
}

impl Bots {
    pub fn new(seed: u64) -> Self {
        let mut rng = MatchRng::seeded(seed);
        rng.set_stream(BOT_STREAM);
        Self::with_rng(rng)
    }

    pub fn with_rng(rng: MatchRng) -> Self {
        Self { rng, employed: BTreeMap::new(), strength: None }
    }

    /// Sets how strong all bots play, those who come later too.
    pub fn set_strength(&mut self, strength: Option<Strength>) {
        if self.strength == strength {
            return;
        }
        self.strength = strength;
        if let Some(strength) = strength {
            self.employed.values_mut().for_each(|bot| bot.brain.set_strength(strength));
        }
    }

    pub fn employ(&mut self, seat: Seat, mut brain: Box<dyn Brain>) {
        if let Some(strength) = self.strength {
            brain.set_strength(strength);
        }
        self.employed.insert(seat, Employed { brain, seq: 0, columns: Vec::new() });
    }

    pub fn dismiss(&mut self, seat: Seat) {
        self.employed.remove(&seat);
    }

    /// Asks every bot for its input for the next tick.
    pub fn think(&mut self, seats: &Seats, replicator: &Replicator, sim: &mut Sim, schema: &Schema) {
        if self.employed.is_empty() {
            return;
        }
        let (now, avatars) = (sim.tick(), sim.avatars());
        for (&seat, bot) in &mut self.employed {
            let occupant = seats.get(seat).expect("a bot has a seat");
            let view = replicator.view(Viewer { seat, team: replicator.team_of(seat) }, &avatars);
            bot.brain.think(&view, &mut self.rng, &mut bot.columns);
            let mut commands = BotCommands::default();
            bot.brain.command(&view, &mut self.rng, &mut commands);
            for (id, name, values) in commands.0 {
                assert!(schema.command(id).is_some(), "a bot sends {name}, which is not registered: add .command::<{name}>()");
                sim.commands().push(seat, id, values);
            }
            if occupant.status == SeatStatus::Away {
                // The bot only holds the seat. The player who comes back goes on with their own numbers.
                sim.inputs().rest(seat, now, InputColumns::from_slice(&bot.columns));
                continue;
            }
            bot.seq += 1;
            let columns = InputColumns::from_slice(&bot.columns);
            sim.inputs().offer(seat, now, NewInput { seq: bot.seq, columns, ..NewInput::default() });
        }
    }
}
