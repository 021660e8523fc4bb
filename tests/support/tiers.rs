//! The walking game with a bot that shows its strength by where it goes: easy to the east, normal to the north, hard to the west.

use tickcast::prelude::*;

use crate::walk::{Pad, walking};

/// Up to four seats, two of which are never empty.
pub struct Tiers;

impl Game for Tiers {
    const NAME: &'static str = "tiers";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        walking(m).seats(1..=4).reconnect_grace(secs(5.0)).bot::<Shower>().fill(2);
    }
}

#[derive(serde::Serialize, serde::Deserialize, Default)]
pub struct Shower {
    strength: Option<Strength>,
}

impl Bot<Tiers> for Shower {
    const STRENGTHS: &'static [Strength] = &Strength::ALL;

    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        let dir = match self.strength {
            None => Dir8::None,
            Some(Strength::Easy) => Dir8::E,
            Some(Strength::Normal) => Dir8::N,
            Some(Strength::Hard) => Dir8::W,
        };
        Pad { dir }
    }

    fn set_strength(&mut self, strength: Strength) {
        self.strength = Some(strength);
    }
}
