//! Avatars that walk: the game that most test games are made of.

use tickcast::prelude::*;

/// Ticks a second.
pub const HZ: u16 = 20;

#[derive(Component, Replicate, Clone)]
#[replicate(id = 1)]
pub struct Pos {
    #[q(step = 0.5)]
    pub at: Vec2,
}

#[derive(GameInput, Clone, Default)]
pub struct Pad {
    pub dir: Dir8,
}

/// Gives every seat an avatar at the origin, which goes one unit a tick in the direction of its input.
pub fn walking<G: Game<Input = Pad>>(m: &mut MatchBuilder<G>) -> &mut MatchBuilder<G> {
    m.tick_rate(HZ).replicate::<Pos>().on_join(|seat, world| world.spawn_avatar(seat, Pos { at: Vec2::ZERO })).systems(walk)
}

fn walk(mut avatars: Query<(&Intent<Pad>, &mut Pos)>) {
    for (intent, mut pos) in &mut avatars {
        pos.at += intent.dir.unit();
    }
}
