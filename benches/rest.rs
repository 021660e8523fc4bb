//! Measures what matches cost that wait for a move: 10,000 matches of two players, in a game that steps on input.
//!
//! `cargo bench -p tickcast --bench rest`. Linux only, because it reads its CPU time and its memory from `/proc`. It takes a minute.
//! `cargo bench -p tactics --bench rest` measures the same of the bundled game tactics.

#[path = "../tests/support/at_rest.rs"]
mod at_rest;

use tickcast::prelude::*;

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Piece {
    at: u8,
    hp: u8,
}

#[derive(Component, Replicate)]
#[replicate(id = 2)]
struct Turn {
    of: u8,
    ends: u32,
}

#[derive(GameInput, Clone, Default)]
struct Move {
    piece: u8,
    to: u8,
    #[one_shot]
    go: bool,
}

/// A board with eight pieces of each player, and five minutes for a turn.
struct Board;

impl Game for Board {
    const NAME: &'static str = "board";
    type Input = Move;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input().seats(2..=2).replicate::<(Piece, Turn)>().on_join(join).systems(pass_on);
    }
}

fn join(seat: Seat, world: &mut World) {
    if seat == Seat(1) {
        world.spawn(Turn { of: 1, ends: 9_000 });
    }
    world.spawn_avatar(seat, ());
    world.spawn_batch((0..8).map(|at| (seat, Piece { at, hp: 10 })));
}

fn pass_on(clock: Res<'_, Clock>, mut deadline: ResMut<'_, Deadline>, mut turns: Query<'_, '_, &mut Turn>) {
    for mut turn in &mut turns {
        if clock.tick >= turn.ends {
            *turn = Turn { of: 3 - turn.of, ends: clock.tick + clock.ticks(300.0) };
        }
        deadline.by(turn.ends);
    }
}

fn main() -> std::io::Result<()> {
    at_rest::measure::<Board>()
}
