//! The bot. It walks around walls to the nearest enemy, keeps its distance, circles, and shoots in bursts with limited accuracy.
//! How quick and how exact it is depends on its strength. It knows the same at each.

use std::f32::consts::{PI, TAU};

use tickcast::prelude::*;

use crate::rules::{MAGAZINE, SHOT};
use crate::{Aim, Ammo, Arena, Ground, Hp, Map, Pad, Pos, Shield, Side};

/// A bot that chases the nearest enemy.
#[derive(Serialize, Deserialize, Default)]
pub struct Chaser {
    strength: Strength,
    enemy: Option<Sighting>,
    /// The point that it walks to.
    goal: Option<Vec2>,
    /// The direction in which it circles the enemy: 1 or -1.
    side: f32,
    /// The current aiming error in radians.
    unsteady: f32,
    /// The number of consecutive ticks in which it has seen the enemy.
    sighted: u32,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
struct Sighting {
    seat: Seat,
    at: Vec2,
    /// Units per tick.
    pace: Vec2,
    /// Whether shots pass through it.
    protected: bool,
}

impl Bot<Arena> for Chaser {
    const STRENGTHS: &'static [Strength] = &Strength::ALL;

    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> Pad {
        let (Some(me), Some(hp), Some(ground)) = (view.me::<Pos>(), view.me::<Hp>(), view.me::<Ground>()) else {
            return Pad::default();
        };
        if hp.0 == 0 {
            *self = Chaser { strength: self.strength, ..Chaser::default() };
            return Pad::default();
        }
        let map = ground.0.map();
        self.enemy = self.nearest(view, map, me.at);
        let Some(enemy) = self.enemy else { return Pad::default() };
        let in_sight = map.sees(me.at, enemy.at);
        self.sighted = if in_sight { self.sighted + 1 } else { 0 };
        let skill = self.skill();
        if view.tick().0 % DECIDE == u32::from(view.seat().0) % DECIDE {
            self.decide(map, me.at, enemy, rng);
        }
        let dir = self.goal.map_or(Dir8::None, |goal| Dir8::nearest(goal - me.at, 0.2));
        let aim = self.aim(view.me::<Aim>().map_or(0.0, |aim| aim.0), me.at, enemy);
        let wanted = (enemy.at - me.at).to_angle();
        let bursts =
            self.sighted >= skill.reaction && (self.sighted - skill.reaction) % (skill.burst + skill.pause) < skill.burst;
        let fire = !enemy.protected && bursts && turn(aim, wanted).abs() < skill.steady;
        let ammo = view.me::<Ammo>().map_or(0, |ammo| ammo.0);
        let reload = !in_sight && ammo < MAGAZINE / 2;
        Pad { dir, aim, fire, reload }
    }

    fn set_strength(&mut self, strength: Strength) {
        self.strength = strength;
    }
}

impl Chaser {
    fn skill(&self) -> &'static Skill {
        match self.strength {
            Strength::Easy => &EASY,
            Strength::Normal => &NORMAL,
            Strength::Hard => &HARD,
        }
    }

    /// Returns the nearest standing enemy. Enemies behind walls count as farther away, protected ones too, and the current enemy as
    /// slightly nearer.
    fn nearest(&self, view: &View<'_>, map: &Map, me: Vec2) -> Option<Sighting> {
        let ours = view.me::<Side>();
        let standing = view.iter::<Pos>().filter_map(|(id, pos)| {
            let seat = view.owner(id).filter(|seat| *seat != view.seat())?;
            view.get::<Hp>(id).filter(|hp| hp.0 > 0)?;
            if ours.is_some() && view.get::<Side>(id) == ours {
                return None;
            }
            let known = self.enemy.filter(|known| known.seat == seat);
            let pace = known.map_or(Vec2::ZERO, |known| pos.at - known.at);
            let protected = view.get::<Shield>(id).is_some_and(|shield| view.tick().0 < shield.until);
            let distance = me.distance(pos.at) * if map.sees(me, pos.at) { 1.0 } else { 1.6 };
            let cost = distance + if protected { FAR } else { 0.0 } - if known.is_some() { 3.0 } else { 0.0 };
            Some((cost, Sighting { seat, at: pos.at, pace, protected }))
        });
        standing.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, sighting)| sighting)
    }

    /// Chooses the next goal and the aiming error until the next decision.
    fn decide(&mut self, map: &Map, me: Vec2, enemy: Sighting, rng: &mut MatchRng) {
        let unsteady = self.skill().unsteady;
        self.unsteady = rng.random_range(-unsteady..unsteady) + rng.random_range(-unsteady..unsteady);
        if self.side == 0.0 || rng.random_bool(0.25) {
            self.side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        }
        let (gap, apart) = ((enemy.at - me).normalize_or(Vec2::X), enemy.at.distance(me));
        if self.sighted == 0 || apart > FAR {
            // Two bots that run round a wall at the same pace never meet, unless one of them waits.
            let waits = self.sighted == 0 && rng.random_bool(self.skill().hesitation);
            self.goal = if waits { None } else { map.paths.next(map, me, enemy.at) };
            return;
        }
        let away = if apart < NEAR { -gap } else { Vec2::ZERO };
        let step = |side: f32| me + (gap.perp() * side + away).normalize_or_zero() * STEP;
        if !map.walkable(me, step(self.side), crate::rules::RADIUS) {
            self.side = -self.side;
        }
        self.goal = Some(step(self.side));
    }

    /// Returns the new direction of the gun: turned towards the enemy's predicted position, no faster than the bot can.
    fn aim(&self, now: f32, me: Vec2, enemy: Sighting) -> f32 {
        let ticks = enemy.at.distance(me) / SHOT * HZ;
        let ahead = enemy.at + enemy.pace * ticks.min(self.skill().lead);
        let wanted = (ahead - me).to_angle() + self.unsteady;
        (now + turn(now, wanted).clamp(-self.skill().turn, self.skill().turn)).rem_euclid(TAU)
    }
}

/// Returns the angle from one direction to another, from -π to π.
fn turn(from: f32, to: f32) -> f32 {
    (to - from + PI).rem_euclid(TAU) - PI
}

const HZ: f32 = 30.0;
/// Ticks from one decision to the next.
const DECIDE: u32 = 10;
/// The bot backs off from enemies within this distance, in units.
const NEAR: f32 = 4.0;
/// The bot approaches enemies beyond this distance, in units.
const FAR: f32 = 9.0;
/// The length of a step while circling, in units.
const STEP: f32 = 2.5;

/// The skills of a bot.
struct Skill {
    /// Ticks from seeing an enemy to the first shot.
    reaction: u32,
    /// The ticks for which it holds the trigger, and those for which it then pauses.
    burst: u32,
    pause: u32,
    /// The probability with which it waits until the next decision, instead of going where it does not see an enemy.
    hesitation: f64,
    /// The most ticks for which it extrapolates an enemy's movement.
    lead: f32,
    /// The largest turn of the gun per tick, in radians.
    turn: f32,
    /// Half of the largest aiming error, in radians.
    unsteady: f32,
    /// The gun's largest deviation from the enemy at which the bot shoots, in radians.
    steady: f32,
}

const EASY: Skill =
    Skill { reaction: 24, burst: 8, pause: 36, hesitation: 0.3, lead: 6.0, turn: 0.1, unsteady: 0.26, steady: 0.45 };
const NORMAL: Skill =
    Skill { reaction: 15, burst: 12, pause: 18, hesitation: 0.15, lead: 12.0, turn: 0.2, unsteady: 0.18, steady: 0.35 };
const HARD: Skill =
    Skill { reaction: 8, burst: 20, pause: 8, hesitation: 0.1, lead: 24.0, turn: 0.3, unsteady: 0.07, steady: 0.2 };
