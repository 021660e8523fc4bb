//! A shooter far away hits the target that they see, and nobody is hit where they were long ago.
//!
//! The shooter is a client in virtual time. It draws the target between the frames that have come, as the SDK does, and its inputs are
//! under way as long as its frames. The target is near the server, and runs to and fro at full speed.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, VecDeque};

use arena::{Ammo, Arena, Hit, Hp, Pad, Pos, Shield};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use tickcast::{
    prelude::*,
    protocol::{Columns, Fields, Id, InputHead, Replicate, ValueReader, decode_events, encode_ack, encode_input},
    rand,
    replication::Mirror,
    room::Message,
};

const HZ: f32 = 30.0;
/// The way of a shot in a tick, in units.
const SHOT: f32 = 24.0 / HZ;
const RADIUS: f32 = 0.5;
/// The time by which a victim may be hit later than it was there, in ticks: 200 ms.
const FAVOUR: u32 = 6;
/// The ticks from one shot to the next.
const BETWEEN: u32 = 24;
/// The pictures that the shooter draws in a tick.
const PICTURES: u32 = 8;
/// The shooter stands here, and the target runs along the line y = `RUN`.
const GUN: Vec2 = Vec2::new(20.0, 8.0);
const RUN: f32 = 12.5;

/// The claim of a client about the picture that it draws.
#[derive(Clone, Copy, PartialEq)]
enum Claim {
    Honest,
    Nothing,
    Absurd,
}

/// The line from the shooter to the server, and the same back: each way takes so many ticks, with jitter both ways.
struct Line {
    way: f32,
    jitter: f32,
    rng: ChaCha8Rng,
    waiting: VecDeque<(f32, Vec<u8>)>,
}

impl Line {
    fn new(round_trip: f32, seed: u64) -> Self {
        let way = round_trip / 2.0 * HZ;
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { way, jitter: round_trip / 10.0 * HZ, rng, waiting: VecDeque::new() }
    }

    /// Nothing overtakes what was sent before.
    fn send(&mut self, now: f32, bytes: Vec<u8>) {
        let arrives = now + self.way + self.rng.random_range(-self.jitter..=self.jitter);
        let last = self.waiting.back().map_or(0.0, |(last, _)| *last);
        self.waiting.push_back((arrives.max(last), bytes));
    }

    fn take(&mut self, now: f32) -> Option<Vec<u8>> {
        self.waiting.pop_front_if(|(arrives, _)| *arrives <= now).map(|(_, bytes)| bytes)
    }
}

/// The delay of the picture behind the server's time in ticks, as in the SDK: nine of ten frames come in time.
#[derive(Default)]
struct Delay(VecDeque<f32>);

impl Delay {
    fn arrived(&mut self, late: f32) {
        self.0.push_back(late);
        if self.0.len() > 128 {
            self.0.pop_front();
        }
    }

    fn ticks(&self) -> f32 {
        let mut sorted: Vec<f32> = self.0.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        let in_time = sorted.get(sorted.len() * 9 / 10).copied().unwrap_or_default();
        (in_time + 1.0).clamp(2.0, HZ / 2.0)
    }
}

/// A shot, in the time of its shooter.
struct Fired {
    born: u32,
    way: Vec2,
}

/// The shooter's client.
struct Shooter {
    mirror: Mirror,
    delay: Delay,
    up: Line,
    down: Line,
    claim: Claim,
    /// How far ahead of the server's time it acts, in ticks.
    lead: f32,
    ticked: u32,
    seq: u32,
    /// Where the target was by the frames that have come.
    target: BTreeMap<u32, Vec2>,
    fired: Vec<Fired>,
    /// Its own time, and where it drew the target then.
    pictures: Vec<(f32, Vec2)>,
}

impl Shooter {
    fn receive(&mut self, now: f32, target: Id) {
        while let Some(bytes) = self.down.take(now) {
            let applied = self.mirror.apply(&bytes).unwrap();
            self.delay.arrived(now - applied.tick.0 as f32);
            let (_, parts) = self.mirror.entities().find(|(id, _)| *id == target).unwrap();
            self.target.insert(applied.tick.0, Pos::dequantise(&parts[&Pos::ID]).at);
            let mut ack = Vec::new();
            encode_ack(&mut ack, applied.tick.0 as u16);
            self.up.send(now, ack);
        }
    }

    /// Where the target is at a moment between two frames, and its pace in units a tick.
    fn drawn(&self, moment: f32) -> Option<(Vec2, Vec2)> {
        let tick = moment.floor() as u32;
        let (from, to) = (*self.target.get(&tick)?, *self.target.get(&(tick + 1))?);
        Some((from.lerp(to, moment.fract()), to - from))
    }

    /// Draws a picture, and makes the local ticks that are due.
    fn draw(&mut self, now: f32) {
        let (own, moment) = (now + self.lead, now - self.delay.ticks());
        let Some((at, pace)) = self.drawn(moment) else { return };
        self.pictures.push((own, at));
        if own.floor() as u32 > self.ticked {
            self.ticked = own.floor() as u32;
            let behind = match self.claim {
                Claim::Honest => Some(((own - moment) * 8.0).round() as u16),
                Claim::Nothing => None,
                Claim::Absurd => Some(u16::MAX),
            };
            self.tick(now, behind, (at, pace));
        }
    }

    /// Shoots now and then, so that the shot meets the target of the picture.
    fn tick(&mut self, now: f32, behind: Option<u16>, (at, pace): (Vec2, Vec2)) {
        let since = self.fired.last().map_or(u32::MAX, |last| self.ticked - last.born);
        let mut pad = Pad::default();
        if since >= BETWEEN && (at.x - GUN.x).abs() < 4.0 && pace.length() > 0.1 {
            let mut flight = 0.0;
            for _ in 0..8 {
                flight = (at + pace * flight - GUN).length() / SHOT;
            }
            let way = (at + pace * flight - GUN).normalize();
            pad = Pad { aim: way.to_angle(), fire: true, ..pad };
            self.fired.push(Fired { born: self.ticked, way });
        } else if since != 1 {
            return;
        }
        let mut columns = vec![0; Pad::WIDTH];
        pad.quantise(&mut columns);
        self.seq += 1;
        let head = InputHead { ack: self.mirror.tick().0 as u16, seq: self.seq, tick: Tick(self.ticked), behind };
        let mut bytes = Vec::new();
        encode_input(&mut bytes, head, &columns);
        self.up.send(now, bytes);
    }

    /// Whether a shot was on the target in the pictures, by more than what is rounded.
    fn saw_hit(&self, Fired { born, way }: &Fired) -> bool {
        let flying = self.pictures.iter().filter(|(own, _)| (*born as f32..*born as f32 + 16.0).contains(own));
        // The first step of a shot is that of the tick in which it is born.
        let gap = |(own, at): &(f32, Vec2)| at.distance(GUN + *way * SHOT * (own - *born as f32 + 1.0));
        flying.map(gap).fold(f32::MAX, f32::min) < RADIUS - 0.15
    }
}

/// A match of the shooter and the target, and what came of it.
struct Range {
    test: TestRoom<Arena>,
    shooter: Shooter,
    /// Where the target was, by tick.
    truth: BTreeMap<u32, Vec2>,
    hits: Vec<(u32, Vec2)>,
}

impl Range {
    /// A round trip is in seconds.
    fn new(round_trip: f32, claim: Claim) -> Self {
        let mut test = TestRoom::<Arena>::new(7).seats(2);
        test.run(1);
        let mut range = Self {
            shooter: Shooter {
                mirror: Mirror::new(test.room().schema().clone()),
                delay: Delay::default(),
                up: Line::new(round_trip, 1),
                down: Line::new(round_trip, 2),
                claim,
                lead: round_trip / 2.0 * HZ + 1.0,
                ticked: 0,
                seq: 0,
                target: BTreeMap::new(),
                fired: Vec::new(),
                pictures: Vec::new(),
            },
            test,
            truth: BTreeMap::new(),
            hits: Vec::new(),
        };
        let (gun, target) = (range.avatar(0), range.avatar(1));
        range.test.world().get_mut::<Pos>(gun).unwrap().at = GUN;
        range.test.world().get_mut::<Pos>(target).unwrap().at = Vec2::new(GUN.x, RUN);
        // The shooter's mirror needs a snapshot.
        let seat = range.test.seat(0);
        range.test.room().resync(seat);
        range
    }

    fn avatar(&mut self, player: usize) -> Entity {
        let wanted = self.test.seat(player);
        let world = self.test.world();
        let mut avatars = world.query_filtered::<(Entity, &Seat), With<Pos>>();
        avatars.iter(world).find(|(_, seat)| **seat == wanted).unwrap().0
    }

    /// Lets the target run, and keeps it alive and the gun loaded.
    fn prepare(&mut self) {
        let (gun, target) = (self.avatar(0), self.avatar(1));
        let world = self.test.world();
        world.get_mut::<Ammo>(gun).unwrap().0 = 12;
        world.get_mut::<Hp>(target).unwrap().0 = 100;
        for avatar in [gun, target] {
            world.get_mut::<Shield>(avatar).unwrap().until = 0;
        }
        let at = world.get::<Pos>(target).unwrap().at;
        let now = self.test.room().current_tick().0;
        self.truth.insert(now, at);
        let before = self.truth.get(&(now - 1)).map_or(0.0, |before| at.x - before.x);
        let dir = match at.x - GUN.x {
            far if far > 7.0 => Dir8::W,
            far if far < -7.0 => Dir8::E,
            _ if before < 0.0 => Dir8::W,
            _ => Dir8::E,
        };
        self.test.press(1, Pad { dir, ..Pad::default() });
    }

    fn play(&mut self, ticks: u32) {
        let (seat, schema) = (self.test.seat(0), self.test.room().schema().clone());
        for _ in 0..ticks {
            self.prepare();
            let now = self.test.room().current_tick().0 + 1;
            while let Some(bytes) = self.shooter.up.take(now as f32) {
                self.test.room().handle(seat, &bytes).unwrap();
            }
            let out = self.test.room().tick();
            for (_, message) in out.messages.iter().filter(|(to, _)| *to == seat) {
                let Message::Events(bytes) = message else { continue };
                let (_, events) = decode_events(&schema, bytes).unwrap();
                let hits = events.iter().filter(|(id, _)| *id == <Hit as tickcast::game::GameEvent>::ID);
                self.hits.extend(hits.map(|(_, values)| (now, Hit::read(&mut ValueReader::new(values)).unwrap().at)));
            }
            if let Some(frame) = out.frames.of(seat) {
                self.shooter.down.send(now as f32, frame.to_bytes().to_vec());
            }
            let target = self.target_id();
            for picture in 0..PICTURES {
                let now = now as f32 + picture as f32 / PICTURES as f32;
                self.shooter.receive(now, target);
                self.shooter.draw(now);
            }
        }
    }

    fn target_id(&mut self) -> Id {
        let view = self.test.view(1);
        view.iter::<Pos>().find(|(id, _)| view.owner(*id) == Some(view.seat())).unwrap().0
    }

    /// The shots that were on the target in the shooter's pictures, and those of them that have hit.
    fn score(&self) -> (usize, usize) {
        let seen = self.shooter.fired.iter().filter(|fired| self.shooter.saw_hit(fired));
        let has_hit = |fired: &&Fired| self.hits.iter().any(|(tick, _)| (fired.born..fired.born + BETWEEN).contains(tick));
        (seen.clone().count(), seen.filter(has_hit).count())
    }

    /// How far the hits were from where the victim had been within the last 200 ms.
    fn unfair(&self) -> f32 {
        let gap = |(tick, at): &(u32, Vec2)| {
            let recent = self.truth.range(tick - FAVOUR..=*tick);
            recent.map(|(_, there)| there.distance(*at)).fold(f32::MAX, f32::min)
        };
        self.hits.iter().map(gap).fold(0.0, f32::max)
    }
}

fn played(round_trip: f32, claim: Claim, seconds: u32) -> Range {
    let mut range = Range::new(round_trip, claim);
    range.play(seconds * HZ as u32);
    range
}

#[test]
fn what_was_aimed_at_is_hit_at_150_ms() {
    let range = played(0.15, Claim::Honest, 120);
    let (seen, hit) = range.score();
    println!("{hit} of {seen} shots have hit");
    assert!(seen >= 100 && hit * 100 >= seen * 95, "{hit} of {seen} shots have hit");
}

#[test]
fn without_what_the_shooter_saw_few_shots_hit() {
    let range = played(0.15, Claim::Nothing, 120);
    let (seen, hit) = range.score();
    println!("{hit} of {seen} shots have hit");
    assert!(seen >= 100 && hit * 100 < seen * 20, "{hit} of {seen} shots have hit");
}

#[test]
fn nobody_is_hit_by_a_shot_that_is_more_than_200_ms_late() {
    for round_trip in [0.05, 0.15, 0.3, 0.5] {
        for claim in [Claim::Honest, Claim::Absurd] {
            let range = played(round_trip, claim, 40);
            let (unfair, (seen, hit)) = (range.unfair(), range.score());
            println!("{round_trip} s: {hit} of {seen} shots have hit, {} in all, up to {unfair} units", range.hits.len());
            assert!(unfair < RADIUS + 0.05, "{round_trip} s: hit {unfair} units from where it had been");
            let is_near = round_trip < 0.2;
            assert!(seen >= 30 && (is_near || hit * 100 < seen * 20), "{round_trip} s: {hit} of {seen} shots have hit");
        }
    }
}
