//! The bot: it flees from what could eat it, hunts what it could eat, and grazes otherwise.

use tickcast::prelude::*;

use crate::{Crumb, Mass, Pad, Pos, SIZE, SPLIT_AT, Swarm, radius};

/// A bot that looks around now and then, and keeps its direction in between.
#[derive(Default, Serialize, Deserialize)]
pub struct Nibbler {
    strength: Strength,
    aim: f32,
}

/// What a strength can do.
struct Skill {
    /// How many ticks are between two looks around.
    rest: u32,
    /// How far it notices a danger or a prey, in units, from the rims of both.
    notice: f32,
    /// Whether it splits to reach a prey.
    leaps: bool,
}

const EASY: Skill = Skill { rest: 16, notice: 3.0, leaps: false };
const NORMAL: Skill = Skill { rest: 8, notice: 8.0, leaps: false };
const HARD: Skill = Skill { rest: 4, notice: 12.0, leaps: true };

/// A cell of somebody.
struct Seen {
    at: Vec2,
    mass: f32,
}

impl Bot<Swarm> for Nibbler {
    const STRENGTHS: &'static [Strength] = &Strength::ALL;

    fn think(&mut self, view: &View<'_>, _rng: &mut MatchRng) -> Pad {
        let skill = self.skill();
        if view.tick().0 % skill.rest != u32::from(view.seat().0) % skill.rest {
            return Pad { aim: self.aim, pace: 1.0, split: false };
        }
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for (id, Mass(mass)) in view.iter::<Mass>() {
            let Some(Pos { at }) = view.get::<Pos>(id) else { continue };
            let list = if view.owner(id) == Some(view.seat()) { &mut own } else { &mut others };
            list.push(Seen { at, mass });
        }
        let Some(me) = own.iter().max_by(|a, b| a.mass.total_cmp(&b.mass)) else { return Pad::default() };
        let (aim, split) = decide(view, me, &others, skill);
        self.aim = aim.unwrap_or(self.aim);
        Pad { aim: self.aim, pace: 1.0, split }
    }

    fn set_strength(&mut self, strength: Strength) {
        self.strength = strength;
    }
}

impl Nibbler {
    fn skill(&self) -> &'static Skill {
        match self.strength {
            Strength::Easy => &EASY,
            Strength::Normal => &NORMAL,
            Strength::Hard => &HARD,
        }
    }
}

/// Returns where to go, if anything says so, and whether to split.
fn decide(view: &View<'_>, me: &Seen, others: &[Seen], skill: &Skill) -> (Option<f32>, bool) {
    let gap = |other: &Seen| other.at.distance(me.at) - radius(me.mass) - radius(other.mass);
    let nearest = |list: &mut dyn Iterator<Item = &Seen>| -> Option<(f32, Vec2)> {
        let gaps = list.map(|other| (gap(other), other.at)).filter(|(gap, _)| *gap < skill.notice);
        gaps.min_by(|a, b| a.0.total_cmp(&b.0))
    };
    if let Some((_, from)) = nearest(&mut others.iter().filter(|other| other.mass * 0.8 >= me.mass)) {
        return (Some(inward(me.at, me.at - from)), false);
    }
    if let Some((gap, prey)) = nearest(&mut others.iter().filter(|other| other.mass <= 0.8 * me.mass)) {
        let small = others.iter().any(|other| other.at == prey && other.mass <= 0.35 * me.mass);
        let split = skill.leaps && small && me.mass >= 2.0 * SPLIT_AT && (1.0..8.0).contains(&gap);
        return (Some((prey - me.at).to_angle()), split);
    }
    let crumbs = view.iter::<Crumb>().filter_map(|(id, _)| view.get::<Pos>(id));
    let crumb = crumbs.map(|pos| pos.at - me.at).min_by(|a, b| a.length_squared().total_cmp(&b.length_squared()));
    (Some(crumb.map_or_else(|| (Vec2::splat(SIZE / 2.0) - me.at).to_angle(), Vec2::to_angle)), false)
}

/// Returns the angle of a way that does not end at the border of the world.
fn inward(at: Vec2, way: Vec2) -> f32 {
    let there = at + way.normalize_or_zero() * 10.0;
    let inside = there.clamp(Vec2::splat(5.0), Vec2::splat(SIZE - 5.0));
    let way = inside - at;
    if way.length_squared() < 1.0 { (Vec2::splat(SIZE / 2.0) - at).to_angle() } else { way.to_angle() }
}
