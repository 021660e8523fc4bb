//! The small game of the servers under test. Its configuration makes its rules misbehave.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use bevy_ecs::prelude::Resource;
use serde::{Deserialize, Serialize};
use tickcast::prelude::*;

use crate::walk::{Pad, Pos, walking};

/// How long [`Duel`] keeps the seat of a lost connection, in seconds. It is far longer than a test needs to reconnect.
pub const GRACE: f32 = 30.0;

/// The actions that a test can ask of the game.
#[derive(Resource, Serialize, Deserialize, Clone, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Wishes {
    /// Panic in this tick.
    pub panic_at: Option<u32>,
    /// The first seat wins in this tick.
    pub win_at: Option<u32>,
    /// Do not return from this tick until [`release`] is called for `gate`.
    pub hang_at: Option<u32>,
    /// Do not return from `check` until [`release`] is called for `gate`.
    pub hang_in_check: bool,
    /// A number that no other test has.
    pub gate: u32,
    /// Take so long for each tick.
    pub dawdle_millis: u64,
    /// Spawn so many entities in each tick.
    pub spawn: u32,
    /// Tell everybody so many times a kilobyte of nothing in each tick.
    pub babble: u32,
}

/// A kilobyte.
#[derive(GameEvent)]
#[event(id = 1)]
struct Babble {
    of: Blob<1000>,
}

/// The gates that are open.
static GATES: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Lets the matches go on that hang at this gate.
pub fn release(gate: u32) {
    GATES.lock().unwrap().insert(gate);
}

/// The gates of the matches whose `check` has been called, once for each.
static IN_CHECK: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Returns how many matches have come to this gate in `check`.
pub fn in_check(gate: u32) -> usize {
    IN_CHECK.lock().unwrap().iter().filter(|at| **at == gate).count()
}

/// The walking game with two seats and 20 ticks per second.
pub struct Duel;

impl Game for Duel {
    const NAME: &'static str = "duel";
    type Input = Pad;
    type Config = Wishes;

    fn check(wishes: &Wishes) -> Result<(), String> {
        if wishes.hang_in_check {
            IN_CHECK.lock().unwrap().push(wishes.gate);
            wait_while(|| is_shut(wishes.gate));
        }
        Ok(())
    }

    fn build(m: &mut MatchBuilder<Self>) {
        walking(m).seats(2..=2).reconnect_grace(secs(GRACE)).finish_when(win);
        m.event::<Babble>().systems((blow_up, hang, dawdle, spawn, babble));
    }
}

fn blow_up(wishes: Res<Wishes>, clock: Res<Clock>) {
    assert!(wishes.panic_at != Some(clock.tick), "the test asked for a panic");
}

fn hang(wishes: Res<Wishes>, clock: Res<Clock>) {
    wait_while(|| wishes.hang_at == Some(clock.tick) && is_shut(wishes.gate));
}

fn is_shut(gate: u32) -> bool {
    !GATES.lock().unwrap().contains(&gate)
}

fn wait_while(is_so: impl Fn() -> bool) {
    while is_so() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn dawdle(wishes: Res<Wishes>) {
    std::thread::sleep(Duration::from_millis(wishes.dawdle_millis));
}

fn spawn(wishes: Res<Wishes>, mut commands: Commands) {
    commands.spawn_batch((0..wishes.spawn).map(|_| Pos { at: Vec2::ZERO }));
}

fn babble(wishes: Res<Wishes>, mut told: Emit<Babble>) {
    (0..wishes.babble).for_each(|_| told.everyone(Babble { of: Blob::new(&[0; 1000]) }));
}

fn win(wishes: Res<Wishes>, clock: Res<Clock>) -> Option<Outcome> {
    (wishes.win_at == Some(clock.tick)).then(|| Outcome::winner(Seat(1)))
}
