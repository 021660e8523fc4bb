//! A game of two players in virtual time.

#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

pub mod hidden;

use tactics::{
    Field, Figure, Ground, Hex, Man, Move, Refusal, Refused, Strike, Table, Tactics, TacticsConfig, Terrain, Undoable, Unit,
};
use tickcast::{bevy_ecs::component::Mutable, game::GameCommand, prelude::*};

/// Ticks a second.
pub const RATE: u32 = 10;

/// Player 0 has seat 1, and the first turn.
pub struct Duel {
    pub test: TestRoom<Tactics>,
}

impl Duel {
    /// Starts a game on a plain.
    pub fn start() -> Self {
        Self::with(TacticsConfig::default())
    }

    /// Starts a game on a plain with a configuration.
    pub fn with(config: TacticsConfig) -> Self {
        let mut started = (0..).map(|seed| Self::begin(TestRoom::with_config(seed, config.clone())));
        let mut duel = started.find(|duel| duel.table().turn == 1).unwrap();
        *duel.only::<Ground>() = Ground::default();
        duel
    }

    /// Starts a game on the ground of a seed. Anybody may have the first turn.
    pub fn seeded(seed: u64) -> Self {
        Self::begin(TestRoom::new(seed))
    }

    fn begin(test: TestRoom<Tactics>) -> Self {
        let mut duel = Self { test: test.seats(2) };
        duel.test.run(3);
        duel
    }

    /// Sends a command, and lets it act.
    pub fn order<C: GameCommand>(&mut self, player: usize, command: &C) {
        assert_eq!(self.refusal(player, command), None);
    }

    /// Sends a command, and lets it act. Returns why it was refused.
    pub fn refusal<C: GameCommand>(&mut self, player: usize, command: &C) -> Option<Refusal> {
        let before = self.test.events::<Refused>(player).len();
        self.test.command(player, command);
        self.test.run(1);
        self.test.events::<Refused>(player).get(before).map(|refused| refused.why)
    }

    /// Moves a unit of player 0 by some steps.
    pub fn step_by(&mut self, unit: u8, q: i8, r: i8) {
        let hex = self.unit(0, unit).hex();
        self.order(0, &Move { unit, q: hex.q + q, r: hex.r + r });
    }

    /// Has a unit of player 0 strike an enemy that has one point of health left.
    pub fn strike_until_it_falls(&mut self, unit: u8, target: u8) {
        self.change(1, target, |unit| unit.hp = 1);
        self.order(0, &Strike { unit, target });
    }

    /// Puts a unit somewhere between two steps.
    pub fn place(&mut self, player: usize, number: u8, hex: Hex) {
        self.change(player, number, |unit| (unit.q, unit.r) = (hex.q, hex.r));
    }

    fn change(&mut self, player: usize, number: u8, change: impl FnOnce(&mut Unit)) {
        let seat = self.test.seat(player);
        let world = self.test.world();
        let mut units = world.query::<(&Team, &mut Unit)>();
        let unit = units.iter_mut(world).find(|(team, unit)| team.0 == seat.0 && unit.number == number);
        change(&mut unit.unwrap().1);
    }

    /// Puts a terrain on a hex.
    pub fn put(&mut self, hex: Hex, terrain: Terrain) {
        self.only::<Ground>().set(hex, terrain);
    }

    fn only<C: Component<Mutability = Mutable>>(&mut self) -> Mut<'_, C> {
        let world = self.test.world();
        let mut all = world.query::<&mut C>();
        all.iter_mut(world).next().unwrap()
    }

    /// Takes a step in which nobody does anything, so that the players see what the test has changed.
    pub fn look(&mut self) {
        assert!(self.refusal(1, &tactics::Undo).is_some());
    }

    /// Lets time pass up to a tick.
    pub fn wait_until(&mut self, tick: u32) {
        let now = self.test.room().current_tick().0;
        self.test.run(tick - now);
    }

    /// Returns the table as player 0 sees it.
    pub fn table(&self) -> Table {
        self.test.view(0).iter::<Table>().next().unwrap().1
    }

    /// Returns the units that a player sees as their own, by number.
    pub fn units(&self, player: usize) -> Vec<Unit> {
        let mut units: Vec<Unit> = self.test.view(player).iter::<Unit>().map(|(_, unit)| unit).collect();
        units.sort_by_key(|unit| unit.number);
        units
    }

    /// Returns a unit of a player.
    pub fn unit(&self, player: usize, number: u8) -> Unit {
        self.units(player).into_iter().find(|unit| unit.number == number).unwrap()
    }

    /// Returns the seats and numbers of the units that a player sees as everyone does.
    pub fn figures(&self, player: usize) -> Vec<(u8, u8)> {
        let mut figures: Vec<_> =
            self.test.view(player).iter::<Figure>().map(|(_, figure)| (figure.side, figure.number)).collect();
        figures.sort_unstable();
        figures
    }

    /// Returns how many moves a player can take back.
    pub fn undoable(&self, player: usize) -> u8 {
        self.test.view(player).me::<Undoable>().unwrap().0
    }

    /// Returns the ground and all units, as they are.
    pub fn field(&mut self) -> Field {
        let ground = *self.only::<Ground>();
        let world = self.test.world();
        let mut units = world.query::<(&Team, &Unit)>();
        let man = |(team, unit): (&Team, &Unit)| {
            let (side, hex) = (Seat(team.0), unit.hex());
            Man { side, number: unit.number, kind: unit.kind, hp: unit.hp, hex, exposed: unit.exposed }
        };
        Field { ground, men: units.iter(world).map(man).collect(), fog: true }
    }
}
