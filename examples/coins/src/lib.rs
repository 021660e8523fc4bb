//! The game in the guide: collect coins.

use tickcast::prelude::*;

const SIZE: f32 = 24.0;

/// Where something is.
#[derive(Component, Replicate, Clone, Copy)]
#[replicate(id = 1)]
pub struct Pos {
    #[q(step = 0.0625, range = 0.0..=24.0)]
    pub at: Vec2,
}

/// A coin, and what it is worth.
#[derive(Component, Replicate)]
#[replicate(id = 2)]
pub struct Coin(pub u8);

/// The worth of all coins that a player has collected.
#[derive(Component, Replicate)]
#[replicate(id = 3)]
pub struct Purse(pub u16);

/// Dashes left. Nobody else's business.
#[derive(Component, Replicate)]
#[replicate(id = 4, to = owner)]
pub struct Dashes(pub u8);

/// Until which tick a player runs fast.
#[derive(Component, Replicate)]
#[replicate(id = 5, to = owner)]
pub struct Dashing(pub u32);

/// When the next coin falls.
#[derive(Resource, Serialize, Deserialize)]
pub struct Mint {
    next: u32,
}

#[derive(GameInput, Clone, Default)]
pub struct Pad {
    pub dir: Dir8,
    #[one_shot]
    pub dash: bool,
}

#[derive(GameEvent, Clone, Debug, PartialEq)]
#[event(id = 1)]
pub struct Collected {
    pub seat: u8,
    pub worth: u8,
}

#[derive(Resource, Serialize, Deserialize, Clone)]
#[serde(default, deny_unknown_fields)]
pub struct CoinsConfig {
    /// The worth of coins that wins: 1 to 1000.
    pub goal: u16,
    /// After so many seconds nobody does: 10 to 600.
    pub seconds: u16,
}

impl Default for CoinsConfig {
    fn default() -> Self {
        Self { goal: 30, seconds: 180 }
    }
}

pub struct Coins;

impl Game for Coins {
    const NAME: &'static str = "coins";
    type Input = Pad;
    type Config = CoinsConfig;

    fn check(config: &CoinsConfig) -> Result<(), String> {
        match config {
            CoinsConfig { goal: 1..=1000, seconds: 10..=600 } => Ok(()),
            CoinsConfig { goal, seconds } => Err(format!("goal {goal} must be from 1 to 1000, seconds {seconds} from 10 to 600")),
        }
    }

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(1..=8)
            .replicate::<(Pos, Coin, Purse, Dashes, Dashing)>()
            .resource(Mint { next: 1 })
            .event::<Collected>()
            .on_join(join)
            .reconnect_grace(secs(15.0))
            .predicted(run)
            .systems((mint, collect))
            .finish_when(finish)
            .bot::<Miser>()
            .fill(3);
    }
}

fn join(seat: Seat, world: &mut World) {
    let at = Vec2::new(2.0 + 2.0 * f32::from(seat.0), SIZE / 2.0);
    world.spawn_avatar(seat, (Pos { at }, Purse(0), Dashes(3), Dashing(0)));
}

fn run(clock: Res<Clock>, mut players: Query<(&Intent<Pad>, &mut Pos, &mut Dashes, &mut Dashing)>) {
    for (intent, mut pos, mut dashes, mut dashing) in &mut players {
        if intent.dash && dashes.0 > 0 {
            dashes.0 -= 1;
            dashing.0 = clock.tick + clock.ticks(0.4);
        }
        let speed = if clock.tick < dashing.0 { 16.0 } else { 5.0 };
        pos.at = (pos.at + intent.dir.unit() * speed * clock.dt).clamp(Vec2::ZERO, Vec2::splat(SIZE));
    }
}

fn mint(clock: Res<Clock>, mut mint: ResMut<Mint>, mut rng: ResMut<MatchRng>, coins: Query<&Coin>, mut commands: Commands) {
    if clock.tick < mint.next || coins.iter().count() >= 40 {
        return;
    }
    mint.next = clock.tick + clock.ticks(0.5);
    let at = Vec2::new(rng.random_range(0.0..SIZE), rng.random_range(0.0..SIZE));
    commands.spawn((Pos { at }, Coin(rng.random_range(1..=3))));
}

fn collect(
    mut players: Query<(&Seat, &Pos, &mut Purse)>, coins: Query<(Entity, &Pos, &Coin)>, mut commands: Commands,
    mut collected: Emit<Collected>,
) {
    for (entity, coin_pos, coin) in &coins {
        let Some((seat, _, mut purse)) = players.iter_mut().find(|(_, pos, _)| pos.at.distance(coin_pos.at) < 0.8) else {
            continue;
        };
        purse.0 += u16::from(coin.0);
        commands.entity(entity).despawn();
        collected.everyone(Collected { seat: seat.0, worth: coin.0 });
    }
}

fn finish(clock: Res<Clock>, config: Res<CoinsConfig>, players: Query<(&Seat, &Purse)>) -> Option<Outcome> {
    let rich = players.iter().find(|(_, purse)| purse.0 >= config.goal).map(|(seat, _)| Outcome::winner(*seat));
    rich.or_else(|| (clock.seconds() >= f32::from(config.seconds)).then(Outcome::draw))
}

/// Walks to the nearest coin. A weak one seldom looks where it goes.
#[derive(Default, Serialize, Deserialize)]
pub struct Miser {
    strength: Strength,
    dir: Dir8,
}

impl Bot<Coins> for Miser {
    const STRENGTHS: &'static [Strength] = &Strength::ALL;

    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> Pad {
        let Some(me) = view.me::<Pos>() else { return Pad::default() };
        let attention = match self.strength {
            Strength::Easy => 0.02,
            Strength::Normal => 0.06,
            Strength::Hard => 1.0,
        };
        if rng.random_bool(attention) {
            let coins = view.iter::<Coin>().filter_map(|(id, _)| view.get::<Pos>(id));
            let nearest = coins.min_by(|a, b| a.at.distance(me.at).total_cmp(&b.at.distance(me.at)));
            self.dir = nearest.map_or(Dir8::None, |coin| Dir8::nearest(coin.at - me.at, 0.2));
        }
        Pad { dir: self.dir, dash: rng.random_bool(0.005) }
    }

    fn set_strength(&mut self, strength: Strength) {
        self.strength = strength;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_is_collected_by_walking_over_it() {
        let mut test = TestRoom::<Coins>::new(7).seats(2);
        test.run(1);
        let at = test.view(0).me::<Pos>().unwrap().at + Vec2::new(0.0, 2.0);
        test.world().spawn((Pos { at }, Coin(3)));
        test.press(0, Pad { dir: Dir8::N, ..Pad::default() });
        test.run(20);
        assert!(test.view(0).me::<Purse>().unwrap().0 >= 3);
        assert!(test.events::<Collected>(1).contains(&Collected { seat: 1, worth: 3 }), "everyone hears of it");
    }
}
