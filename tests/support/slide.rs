//! A game whose avatars slide: what a client predicts of it, and what the server alone does to it.

use serde::{Deserialize, Serialize};
use tickcast::prelude::*;

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 1)]
pub struct Pos(#[q(step = 0.0625)] pub Vec2);

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 2, to = owner)]
pub struct Speed(#[q(step = 0.0625)] pub Vec2);

/// The boosts that are left.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 3, to = owner)]
pub struct Fuel(pub u16);

/// While it is there, the avatar does not move.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 4)]
pub struct Frozen;

/// Nothing that a client predicts: it changes without any correction.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 5)]
pub struct Score(pub u16);

/// The wind on an avatar. The server alone changes it, and clients hear of it seldom.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 6, every = 5)]
pub struct Wind(#[q(step = 0.0625)] pub f32);

#[derive(GameInput, Debug, Clone, Default, PartialEq)]
pub struct Push {
    pub dir: Dir8,
    #[one_shot]
    pub boost: bool,
}

#[derive(Resource, Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlideConfig {
    pub force: f32,
    /// The server pushes an avatar at random about once in so many ticks. 0: never.
    pub gusts: u32,
}

impl Default for SlideConfig {
    fn default() -> Self {
        Self { force: 20.0, gusts: 0 }
    }
}

/// The state of one avatar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    pub pos: Vec2,
    pub speed: Vec2,
    pub fuel: u16,
    pub is_frozen: bool,
}

/// The rule itself, without the ECS. Team 2 pushes half as hard.
pub fn slide(body: &mut Body, push: &Push, force: f32, dt: f32) {
    if body.is_frozen {
        return;
    }
    if push.boost && body.fuel > 0 {
        body.fuel -= 1;
        body.speed += push.dir.unit() * 4.0;
    }
    body.speed += (push.dir.unit() * force - body.speed * 2.0) * dt;
    body.pos += body.speed * dt;
}

pub fn force(config: &SlideConfig, teams: Teams, seat: Seat) -> f32 {
    config.force * if teams.of(seat) == Some(Team(2)) { 0.5 } else { 1.0 }
}

type Slider<'a> = (&'a Seat, &'a Intent<Push>, &'a mut Pos, &'a mut Speed, &'a mut Fuel, Has<Frozen>);

pub fn slide_all(clock: Res<Clock>, config: Res<SlideConfig>, teams: Res<Teams>, mut all: Query<Slider<'_>>) {
    for (seat, intent, mut pos, mut speed, mut fuel, is_frozen) in &mut all {
        let mut body = Body { pos: pos.0, speed: speed.0, fuel: fuel.0, is_frozen };
        slide(&mut body, intent, force(&config, *teams, *seat), clock.dt);
        (pos.0, speed.0, fuel.0) = (body.pos, body.speed, body.fuel);
    }
}

fn gust(config: Res<SlideConfig>, mut rng: ResMut<MatchRng>, mut all: Query<(&mut Speed, &mut Score)>) {
    for (mut speed, mut score) in &mut all {
        score.0 = score.0.wrapping_add(1);
        if config.gusts > 0 && rng.random_range(0..config.gusts) == 0 {
            speed.0 += Vec2::new(rng.random_range(-6.0..6.0), rng.random_range(-6.0..6.0));
        }
    }
}

pub fn spawn(seat: Seat, world: &mut World) -> Entity {
    let at = Vec2::new(10.0 * f32::from(seat.0), 3.0);
    world.spawn_avatar(seat, (Pos(at), Speed(Vec2::ZERO), Fuel(5), Score(0)))
}

fn lay_out<G: Game<Input = Push, Config = SlideConfig>>(m: &mut MatchBuilder<G>) {
    m.tick_rate(30)
        .seats(1..=16)
        .replicate::<(Pos, Speed, Fuel, Frozen, Score)>()
        .on_join(spawn)
        .predicted(slide_all)
        .systems(gust)
        .snap::<Pos>(3.0);
}

pub struct Slide;
impl Game for Slide {
    const NAME: &'static str = "slide";
    type Input = Push;
    type Config = SlideConfig;
    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
    }
}

/// The same in a world where seats see what is near, a few bytes a tick.
pub struct Fog;
impl Game for Fog {
    const NAME: &'static str = "fog";
    type Input = Push;
    type Config = SlideConfig;
    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
        m.interest(Grid::<Pos>::cells(8.0).radius(1)).budget(60);
    }
}

/// Avatars are pulled towards stones, so that a client has to know the stones.
pub struct Magnets;
impl Game for Magnets {
    const NAME: &'static str = "magnets";
    type Input = Push;
    type Config = SlideConfig;
    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
        m.predicted(pull);
    }
}

/// The same, where all see all stones, but only some of them in each tick.
pub struct Swarm;
impl Game for Swarm {
    const NAME: &'static str = "swarm";
    type Input = Push;
    type Config = SlideConfig;
    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
        m.predicted(pull).interest(Grid::<Pos>::cells(1000.0).radius(1)).budget(60);
    }
}

/// Avatars drift with a wind.
pub struct Gale;
impl Game for Gale {
    const NAME: &'static str = "gale";
    type Input = Push;
    type Config = SlideConfig;
    fn build(m: &mut MatchBuilder<Self>) {
        lay_out(m);
        m.replicate::<Wind>().predicted(drift);
    }
}

fn drift(clock: Res<Clock>, mut all: Query<(&Wind, &mut Speed), With<Intent<Push>>>) {
    all.iter_mut().for_each(|(wind, mut speed)| speed.0.x += wind.0 * clock.dt);
}

fn pull(clock: Res<Clock>, stones: Query<&Pos, Without<Score>>, mut all: Query<(&Pos, &mut Speed), With<Intent<Push>>>) {
    for (pos, mut speed) in &mut all {
        let towards: Vec2 = stones.iter().map(|stone| stone.0 - pos.0).sum();
        speed.0 += towards.clamp_length_max(2.0) * clock.dt;
    }
}
