//! Saves a room as bytes, and restores it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Bots, Occupant, Room, SeatPlan, SeatStatus, bots::Employed, delivery::Delivery};
use crate::{
    game::{ConfigError, GameDef},
    protocol::{Seat, Tick, ticks},
    replication::SavedReplicator,
    sim::{MatchRng, SimError},
};

/// The reason why a room cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are not a saved room of this game.
    #[error("not a saved room of the game {0}")]
    NotSaved(&'static str),
    /// The game does not accept the room's configuration any more.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The match itself cannot be restored.
    #[error(transparent)]
    Sim(#[from] SimError),
}

#[derive(Serialize, Deserialize)]
struct SavedRoom {
    game: String,
    config: String,
    sim: Vec<u8>,
    replicator: SavedReplicator,
    bot_rng: MatchRng,
    seats: Vec<SavedSeat>,
    leaving: Vec<Seat>,
    plan: SeatPlan,
    bots_allowed: bool,
    has_moved: bool,
}

#[derive(Serialize, Deserialize)]
struct SavedSeat {
    seat: Seat,
    name: String,
    entered: bool,
    joined: bool,
    /// For a bot: the number of its newest input, and its saved state.
    bot: Option<(u32, Vec<u8>)>,
}

impl Room {
    /// Saves the match, its bots and its seats, to the last bit.
    ///
    /// # Panics
    /// A component, a resource or a bot of the game cannot be serialised.
    pub fn save(&self) -> Vec<u8> {
        let seats = self.seats.iter().map(|(seat, occupant)| {
            let bot = self.bots.employed.get(&seat).map(|bot| (bot.seq, bot.brain.save()));
            SavedSeat { seat, name: occupant.name.clone(), entered: occupant.entered, joined: occupant.joined, bot }
        });
        let saved = SavedRoom {
            game: self.def.name().into(),
            config: self.config.to_string(),
            sim: self.sim.save(|entity| self.replicator.ids().get(entity)),
            replicator: self.replicator.save(),
            bot_rng: rmp_serde::from_slice(&rmp_serde::to_vec(&self.bots.rng).expect(PLAIN)).expect(PLAIN),
            seats: seats.collect(),
            leaving: self.leaving.clone(),
            plan: self.seats.plan,
            bots_allowed: self.bots_allowed,
            has_moved: self.has_moved,
        };
        rmp_serde::to_vec(&saved).expect(PLAIN)
    }

    /// Restores a saved room. The seats of people are away, and kept for the game's grace time.
    ///
    /// # Errors
    /// The bytes are not a saved room of this game, or it refuses the configuration.
    pub fn restore(def: &GameDef, bytes: &[u8]) -> Result<Self, RestoreError> {
        let not_saved = || RestoreError::NotSaved(def.name());
        let saved: SavedRoom = rmp_serde::from_slice(bytes).map_err(|_| not_saved())?;
        if saved.game != def.name() {
            return Err(not_saved());
        }
        let config: Value = serde_json::from_str(&saved.config).map_err(|_| not_saved())?;
        let mut room = Self::new(def, Some(&config), 0)?;
        let entities = room.sim.restore(&saved.sim)?;
        let now = room.sim.tick();
        room.replicator.restore(saved.replicator, entities, room.sim.world_mut(), now);
        room.bots = Bots::with_rng(saved.bot_rng);
        room.leaving = saved.leaving;
        room.seats.plan = saved.plan;
        room.bots_allowed = saved.bots_allowed;
        room.has_moved = saved.has_moved;
        let until = Tick(now.0 + ticks(def.options().reconnect_grace.as_secs_f32(), def.hz()));
        for SavedSeat { seat, name, entered, joined, bot } in saved.seats {
            let mut occupant =
                Occupant { status: SeatStatus::Away, entered, joined, away_until: Some(until), ..Occupant::reserved(&name) };
            if let Some((seq, mind)) = bot {
                let mut brain = room.hooks.bot.ok_or_else(not_saved)?();
                if !brain.restore(&mind) {
                    return Err(not_saved());
                }
                room.bots.employed.insert(seat, Employed { brain, seq, columns: Vec::new() });
                occupant = Occupant { status: SeatStatus::Bot, away_until: None, delivery: Delivery::default(), ..occupant };
            }
            room.seats.take(seat, occupant);
        }
        Ok(room)
    }
}

const PLAIN: &str = "plain data is written to memory and read back";
