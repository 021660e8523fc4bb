//! Random matches, in which a prediction is compared with a plain reference: the newest state and all inputs since.

use proptest::prelude::*;
use tickcast::{
    game::GameInput as _,
    prelude::*,
    protocol::{Columns, Id},
};

use crate::{remote::Remote, slide::*};

const DIRS: [Dir8; 9] = [Dir8::None, Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE];

/// One thing that happens in a random match.
#[derive(Debug, Clone)]
enum Event {
    Press(u8, bool),
    Wait(u8),
    Lose(u8),
    Kick(i8),
    Freeze(bool),
    Lead(u8),
    Respawn,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..9u8, any::<bool>()).prop_map(|(dir, boost)| Event::Press(dir, boost)),
        6 => (1..6u8).prop_map(Event::Wait),
        1 => (1..4u8).prop_map(Event::Lose),
        1 => any::<i8>().prop_map(Event::Kick),
        1 => any::<bool>().prop_map(Event::Freeze),
        1 => (0..8u8).prop_map(Event::Lead),
        1 => Just(Event::Respawn),
    ];
    prop::collection::vec(event, 10..80)
}

/// A plain predictor of the sliding game: it keeps every input for ever, and steps one body from the newest state.
struct Plain {
    inputs: Vec<(u32, u32, Push)>,
    base: Option<(u32, Id, Body)>,
    ack: u32,
    /// Inputs up to this number went to an earlier avatar.
    released: u32,
    loaded: bool,
}

impl Plain {
    fn input_at(&self, tick: u32) -> Push {
        let due = |(seq, acts, _): &&(u32, u32, Push)| *seq <= self.ack || *acts <= tick;
        let Some((_, _, newest)) = self.inputs.iter().filter(|(seq, ..)| *seq > self.released).rfind(due) else {
            return Push::default();
        };
        let acting = self.inputs.iter().filter(|(seq, acts, _)| *seq > self.ack && *acts == tick);
        Push { dir: newest.dir, boost: acting.clone().any(|(_, _, push)| push.boost) }
    }

    fn at(&self, tick: u32) -> Option<Body> {
        let (base, _, mut body) = self.base?;
        (base + 1..=tick).for_each(|tick| slide(&mut body, &self.input_at(tick), SlideConfig::default().force, 1.0 / 30.0));
        Some(body)
    }

    fn press(&mut self, seq: u32, tick: u32, push: Push) {
        let acts = self.inputs.iter().map(|(_, acts, _)| *acts).max().map_or(tick, |last| last.max(tick));
        self.inputs.push((seq, acts, push));
    }

    /// `told` are the columns of the avatar, if there is one.
    fn load(&mut self, tick: u32, now: u32, ack: u32, told: Option<(Id, Body, [i64; 5])>) {
        let guess = if tick <= now { self.at(tick) } else { None };
        let before = self.base.map(|(_, avatar, _)| avatar);
        if self.loaded && before != told.map(|(avatar, ..)| avatar) {
            self.released = ack;
        }
        (self.ack, self.loaded) = (ack, true);
        self.inputs.iter_mut().filter(|(seq, acts, _)| *seq > ack && *acts <= tick).for_each(|(_, acts, _)| *acts = tick + 1);
        self.base = told.map(|(avatar, told, columns)| {
            // Only values that the rules write count. Whether the avatar is frozen they only read.
            let agrees = |guess: &Body| {
                let close = std::iter::zip(columns_of(guess), columns).take(4).all(|(a, b)| a.abs_diff(b) <= 1);
                close && guess.fuel == told.fuel
            };
            let right = guess.filter(|guess| before == Some(avatar) && agrees(guess));
            (tick, avatar, right.map_or(told, |guess| Body { is_frozen: told.is_frozen, ..guess }))
        });
    }
}

fn columns_of(body: &Body) -> [i64; 5] {
    let mut columns = [0; 5];
    Pos(body.pos).quantise(&mut columns[..2]);
    Speed(body.speed).quantise(&mut columns[2..4]);
    columns[4] = i64::from(body.fuel);
    columns
}

/// The avatar in a mirror.
fn told(remote: &Remote<Slide>) -> Option<(Id, Body, [i64; 5])> {
    let avatar = remote.mirror.avatar()?;
    let row = |component| remote.mirror.get(avatar, component);
    let mut columns = [0; 5];
    columns[..2].copy_from_slice(row(1)?);
    columns[2..4].copy_from_slice(row(2)?);
    columns[4] = row(3)?[0];
    let body = Body {
        pos: Pos::dequantise(&columns[..2]).0,
        speed: Speed::dequantise(&columns[2..4]).0,
        fuel: Fuel::dequantise(&columns[4..]).0,
        is_frozen: row(4).is_some(),
    };
    Some((avatar, body, columns))
}

fn compare(remote: &Remote<Slide>, plain: &Plain) {
    let now = remote.predictor.now();
    let Some(body) = plain.at(now.0) else { return assert!(remote.predicted().is_empty()) };
    let rows = remote.predicted();
    let bits = |row: &[f64]| row.iter().map(|value| (*value as f32).to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&rows[&1]), [body.pos.x.to_bits(), body.pos.y.to_bits()], "at tick {now}");
    assert_eq!(bits(&rows[&2]), [body.speed.x.to_bits(), body.speed.y.to_bits()], "at tick {now}");
    assert_eq!(rows[&3], [f64::from(body.fuel)]);
}

fn step(remote: &mut Remote<Slide>, plain: &mut Plain, press: &Push) {
    let (before, sent, loads) = (remote.predictor.now().0, remote.sent.len(), remote.loads.len());
    remote.tick(press.clone());
    // With a constant delay at most one frame comes in a tick.
    assert!(remote.loads.len() <= loads + 1);
    if let Some((tick, _)) = remote.loads.get(loads) {
        plain.load(tick.0, before, remote.acked, told(remote));
    }
    for (seq, tick, push) in &remote.sent[sent..] {
        plain.press(*seq, tick.0, push.clone());
    }
    compare(remote, plain);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_prediction_is_what_a_replay_of_everything_gives(events in events(), there in 1..6u32, back in 1..6u32, lead in 0..8u32) {
        let mut remote = Remote::<Slide>::new(TestRoom::new(7).seats(1), SlideConfig::default());
        (remote.there, remote.back, remote.lead) = (there, back, lead);
        let (mut plain, mut press) = (Plain { inputs: Vec::new(), base: None, ack: 0, released: 0, loaded: false }, Push::default());
        (0..12).for_each(|_| step(&mut remote, &mut plain, &press));
        for event in events {
            let avatar = remote.avatar().unwrap();
            let world = remote.table.world();
            match event {
                Event::Press(dir, boost) => press = Push { dir: DIRS[usize::from(dir)], boost },
                Event::Wait(ticks) => (1..ticks).for_each(|_| {
                    step(&mut remote, &mut plain, &press);
                    press.clear_shots();
                }),
                Event::Lose(frames) => remote.lose = frames.into(),
                Event::Kick(by) => world.get_mut::<Speed>(avatar).unwrap().0.x += f32::from(by) / 20.0,
                Event::Freeze(true) => drop(world.entity_mut(avatar).insert(Frozen)),
                Event::Freeze(false) => drop(world.entity_mut(avatar).remove::<Frozen>()),
                Event::Lead(ticks) => remote.lead = remote.lead.max(u32::from(ticks)),
                Event::Respawn => {
                    let seat = remote.table.seat(0);
                    remote.table.world().despawn(avatar);
                    spawn(seat, remote.table.world());
                }
            }
            step(&mut remote, &mut plain, &press);
            press.clear_shots();
        }
    }
}
