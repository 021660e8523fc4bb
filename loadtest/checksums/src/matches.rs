//! Matches of a game, one after the other: bots, and two players who do random things. One of them leaves now and then.

use tickcast::rand::rngs::ChaCha8Rng;
use tickcast::rand::{Rng, RngExt, SeedableRng};
use tickcast::{game::Game, testing::TestRoom};

use crate::{Subject, continued};

/// Ticks from one checksum to the next. A checksum costs about as much as ten ticks.
const EVERY: u32 = 50;
/// The probability per tick that a player does something else.
const ACT: f64 = 0.1;
/// The probability per tick that the second player leaves, or comes back.
const COME_OR_GO: f64 = 0.002;

/// Lets a player do something random: press keys, or send a command.
pub(crate) type Act<G> = fn(&mut ChaCha8Rng, &mut TestRoom<G>, usize);

pub(crate) struct Matches<G: Game> {
    rng: ChaCha8Rng,
    act: Act<G>,
    room: TestRoom<G>,
    /// The second player, while there.
    second: Option<usize>,
    tick: u32,
    digest: u64,
    matches: u32,
}

impl<G: Game> Matches<G> {
    pub(crate) fn new(seed: u64, act: Act<G>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (room, second) = begin(&mut rng);
        Self { rng, act, room, second, tick: 0, digest: 0, matches: 1 }
    }

    fn step(&mut self) {
        for player in [Some(0), self.second].into_iter().flatten() {
            if self.rng.random_bool(ACT) {
                (self.act)(&mut self.rng, &mut self.room, player);
            }
        }
        if self.rng.random_bool(COME_OR_GO) {
            self.second = match self.second {
                Some(player) => {
                    self.room.leave(player);
                    None
                }
                None => Some(self.room.join()),
            };
        }
        self.room.run(1);
        self.tick += 1;
        let over = self.room.over().is_some();
        if over || self.tick.is_multiple_of(EVERY) {
            self.digest = continued(self.digest, &self.room.room().checksum().to_le_bytes());
        }
        if over {
            (self.room, self.second) = begin(&mut self.rng);
            self.matches += 1;
        }
    }
}

fn begin<G: Game>(rng: &mut ChaCha8Rng) -> (TestRoom<G>, Option<usize>) {
    (TestRoom::new(rng.next_u64()).bots().seats(2), Some(1))
}

impl<G: Game> Subject for Matches<G> {
    fn run(&mut self, ticks: u32) {
        (0..ticks).for_each(|_| self.step());
    }

    fn digest(&self) -> u64 {
        self.digest
    }

    fn matches(&self) -> u32 {
        self.matches
    }
}
