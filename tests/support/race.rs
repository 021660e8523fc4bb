//! The walking game as a race of teams: it is over with the first step. The tests of modes play it.

use tickcast::prelude::*;

use crate::walk::{Pad, walking};

/// Up to four seats. The first player who walks wins for their team.
pub struct Race;

impl Game for Race {
    const NAME: &'static str = "race";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        walking(m)
            .seats(2..=4)
            .leave_at_once()
            .finish_when(|teams: Res<Teams>, all: Query<(&Seat, &Intent<Pad>)>| {
                let (first, _) = all.iter().find(|(_, pad)| pad.dir != Dir8::None)?;
                let team = teams.of(*first);
                Some(Outcome::winners(all.iter().map(|(seat, _)| *seat).filter(|seat| teams.of(*seat) == team)))
            })
            .bot::<Idler>();
    }
}

/// A bot that never walks.
#[derive(serde::Serialize, serde::Deserialize, Default)]
pub struct Idler;

impl Bot<Race> for Idler {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad::default()
    }
}
