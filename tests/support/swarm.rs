//! The walking game with many entities that move by themselves, so that every tick has a large frame.

use tickcast::prelude::*;

use crate::walk::{Pad, Pos, walking};

/// Adds entities to the walking game. In every tick, each one and each avatar moves up to three steps on each axis at random.
pub fn swarming<G: Game<Input = Pad>>(m: &mut MatchBuilder<G>, entities: usize) -> &mut MatchBuilder<G> {
    let hatch = move |clock: Res<Clock>, mut commands: Commands| {
        if clock.tick == 1 {
            commands.spawn_batch((0..entities).map(|n| Pos { at: Vec2::new(n as f32, 0.0) }));
        }
    };
    walking(m).systems((hatch, fly))
}

fn fly(mut all: Query<&mut Pos>, mut rng: ResMut<MatchRng>) {
    for mut pos in &mut all {
        pos.at += Vec2::new(rng.random_range(-3..=3) as f32, rng.random_range(-3..=3) as f32) / 32.0;
    }
}
