//! Avatars that walk: the game that test games are made of. A game with other rules says at its top why it needs them.

use tickcast::prelude::*;

/// Ticks per second.
pub const HZ: u16 = 20;

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 1)]
pub struct Pos {
    #[q(step = 0.03125)]
    pub at: Vec2,
}

#[derive(GameInput, Debug, Clone, Default)]
pub struct Pad {
    pub dir: Dir8,
}

/// Gives every seat an avatar at the origin, which goes one unit per tick in the direction of its input. The game adds its number of
/// seats and its own rules.
pub fn walking<G: Game<Input = Pad>>(m: &mut MatchBuilder<G>) -> &mut MatchBuilder<G> {
    m.tick_rate(HZ).replicate::<Pos>().on_join(|seat, world| world.spawn_avatar(seat, Pos { at: Vec2::ZERO })).systems(walk)
}

fn walk(mut avatars: Query<(&Intent<Pad>, &mut Pos)>) {
    for (intent, mut pos) in &mut avatars {
        pos.at += intent.dir.unit();
    }
}
