//! The rules of My game: who walks where, who hits whom, and who wins.
//!
//! This crate knows no network. A match depends on nothing but its seed and its inputs, so keep to the rules of determinism in
//! Tickcast's guide: no clock but `Clock`, no random numbers but `MatchRng`.

use tickcast::prelude::*;

/// The side of the yard, in units.
const SIZE: f32 = 20.0;
/// How fast an avatar walks, in units a second.
const SPEED: f32 = 6.0;
/// How far a blow reaches, in units.
const REACH: f32 = 2.0;
/// How long an arm rests after a blow, in seconds.
const REST: f32 = 0.5;
/// How many blows knock an avatar out.
const HEALTH: u8 = 3;
/// How many knock-outs win the match.
const GOAL: u16 = 10;

/// Where an avatar is.
#[derive(Component, Replicate, Clone, Copy)]
#[replicate(id = 1)]
pub struct Pos {
    /// In units, from the corner of the yard.
    #[q(step = 0.03125, range = 0.0..=20.0)]
    pub at: Vec2,
}

/// How many blows an avatar can still take.
#[derive(Component, Replicate)]
#[replicate(id = 2)]
pub struct Hp(pub u8);

/// The number of opponents that an avatar has knocked out.
#[derive(Component, Replicate)]
#[replicate(id = 3)]
pub struct Score(pub u16);

/// The tick from which an avatar can strike again. Only its player sees it.
#[derive(Component, Replicate)]
#[replicate(id = 4, to = owner)]
pub struct Ready(pub u32);

/// The buttons of a player.
#[derive(GameInput, Clone, Default)]
pub struct Pad {
    /// The direction to walk in.
    pub dir: Dir8,
    /// Strikes as often as the arm can, for as long as it is held.
    pub strike: bool,
}

/// An avatar was hit.
#[derive(GameEvent)]
#[event(id = 1)]
pub struct Hit {
    /// Where it was.
    #[q(step = 0.0625)]
    pub at: Vec2,
    /// Its seat.
    pub victim: u8,
}

/// The game, as a server hosts it.
pub struct Rules;

impl Game for Rules {
    const NAME: &'static str = "my-game";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(30)
            .seats(1..=8)
            .replicate::<(Pos, Hp, Score, Ready)>()
            .event::<Hit>()
            .on_join(join)
            .predicted(walk)
            .snap::<Pos>(3.0)
            .systems((strike, respawn))
            .finish_when(finish)
            .bot::<Brawler>()
            .fill(3);
    }
}

fn join(seat: Seat, world: &mut World) {
    let at = anywhere(&mut world.resource_mut::<MatchRng>());
    world.spawn_avatar(seat, (Pos { at }, Hp(HEALTH), Score(0), Ready(0)));
}

fn anywhere(rng: &mut MatchRng) -> Vec2 {
    Vec2::new(rng.random_range(0.0..SIZE), rng.random_range(0.0..SIZE))
}

/// Browsers run this system, too, so that a player's own steps are seen at once.
fn walk(clock: Res<Clock>, mut walkers: Query<(&Intent<Pad>, &mut Pos)>) {
    for (intent, mut pos) in &mut walkers {
        let step = intent.dir.unit() * SPEED * clock.dt;
        pos.at = (pos.at + step).clamp(Vec2::ZERO, Vec2::splat(SIZE));
    }
}

fn strike(
    clock: Res<Clock>,
    mut strikers: Query<(&Seat, &Intent<Pad>, &Pos, &mut Ready, &mut Score)>,
    mut victims: Query<(&Seat, &Pos, &mut Hp)>,
    mut hits: Emit<Hit>,
) {
    for (striker, intent, from, mut ready, mut score) in &mut strikers {
        if !intent.strike || clock.tick < ready.0 {
            continue;
        }
        ready.0 = clock.tick + clock.ticks(REST);
        for (victim, pos, mut hp) in &mut victims {
            if victim == striker || hp.0 == 0 || pos.at.distance(from.at) > REACH {
                continue;
            }
            hp.0 -= 1;
            score.0 += u16::from(hp.0 == 0);
            let (at, victim) = (pos.at, victim.0);
            hits.everyone(Hit { at, victim });
        }
    }
}

fn respawn(mut avatars: Query<(&mut Pos, &mut Hp)>, mut rng: ResMut<MatchRng>) {
    for (mut pos, mut hp) in avatars.iter_mut().filter(|(_, hp)| hp.0 == 0) {
        pos.at = anywhere(&mut rng);
        hp.0 = HEALTH;
    }
}

fn finish(avatars: Query<(&Seat, &Score)>) -> Option<Outcome> {
    let mut winners = avatars.iter().filter(|(_, score)| score.0 >= GOAL);
    winners.next().map(|(seat, _)| Outcome::winner(*seat))
}

/// A bot that walks to the nearest opponent and strikes.
#[derive(Default, Serialize, Deserialize)]
pub struct Brawler;

impl Bot<Rules> for Brawler {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> Pad {
        let mut pad = Pad::default();
        if let Some(way) = way_to_nearest(view) {
            pad.dir = Dir8::nearest(way, REACH / 2.0);
            pad.strike = way.length() < REACH && rng.random_bool(0.1);
        }
        pad
    }
}

fn way_to_nearest(view: &View<'_>) -> Option<Vec2> {
    let me = view.me::<Pos>()?;
    let all = view.iter::<Pos>();
    let others = all.filter(|(id, _)| view.owner(*id) != Some(view.seat()));
    let ways = others.map(|(_, pos)| pos.at - me.at);
    ways.min_by(|a, b| a.length().total_cmp(&b.length()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a player's avatar somewhere.
    fn place(test: &mut TestRoom<Rules>, player: usize, at: Vec2) {
        let seat = test.seat(player);
        let world = test.world();
        let mut avatars = world.query::<(&Seat, &mut Pos)>();
        for (owner, mut pos) in avatars.iter_mut(world) {
            if *owner == seat {
                pos.at = at;
            }
        }
    }

    #[test]
    fn walking_east_gets_somewhere() {
        let mut test = TestRoom::<Rules>::new(7).seats(1);
        test.run(1);
        place(&mut test, 0, Vec2::new(2.0, 10.0));
        let east = Pad {
            dir: Dir8::E,
            ..Pad::default()
        };
        test.press(0, east);
        test.run(30);
        assert!(test.view(0).me::<Pos>().unwrap().at.x > 2.5);
    }

    #[test]
    fn three_blows_knock_an_opponent_out() {
        let mut test = TestRoom::<Rules>::new(7).seats(2);
        test.run(1);
        place(&mut test, 0, Vec2::new(10.0, 10.0));
        place(&mut test, 1, Vec2::new(11.0, 10.0));
        let strike = Pad {
            strike: true,
            ..Pad::default()
        };
        test.press(0, strike);
        test.run(40);
        assert_eq!(test.events::<Hit>(1).len(), 3);
        assert_eq!(test.view(0).me::<Score>().unwrap().0, 1);
    }

    #[test]
    fn bots_play_to_the_end() {
        let mut test = TestRoom::<Rules>::new(7).bots();
        test.run(30 * 300);
        assert!(test.outcome().is_some());
    }
}
