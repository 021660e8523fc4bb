//! A game of teams that is over with the first input: what the tests of modes play.

use tickcast::prelude::*;

#[derive(GameInput, Clone, Default)]
pub struct Pad {
    pub go: bool,
}

/// The owner of an avatar: its team, or nobody.
#[derive(Component, Replicate)]
#[replicate(id = 1)]
pub struct Side(pub u8);

/// Up to four seats; whoever goes first wins for their team.
pub struct Race;

impl Game for Race {
    const NAME: &'static str = "race";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(2..=4)
            .replicate::<Side>()
            .on_join(|seat, w| {
                let team = w.resource::<Teams>().of(seat).map_or(0, |team| team.0);
                w.spawn_avatar(seat, Side(team))
            })
            .leave_at_once()
            .finish_when(|all: Query<(&Seat, &Intent<Pad>, &Side)>| {
                let (.., side) = all.iter().find(|(_, pad, _)| pad.go)?;
                Some(Outcome::winners(all.iter().filter(|(.., other)| other.0 == side.0).map(|(seat, ..)| *seat)))
            })
            .bot::<Idler>();
    }
}

/// A bot that never goes.
#[derive(serde::Serialize, serde::Deserialize, Default)]
pub struct Idler;

impl Bot<Race> for Idler {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad::default()
    }
}
