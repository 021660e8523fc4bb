//! The bots. A bot knows what a player in its seat would know, and gives one order a step.

use std::collections::BTreeMap;

use tickcast::prelude::*;

use crate::{
    EndTurn, Field, Figure, Ground, Hex, Kind, Man, Move, NoInput, Order, Reach, Strike, Table, Tactics, Terrain, Unit,
    hex::{HEXES, board, place},
    home,
    units::other,
};

/// After so many rounds a bot no longer counts on an enemy to be where it was seen.
const REMEMBERED: u8 = 3;

/// Commands an army.
///
/// A weak one strikes what is before it, and otherwise strolls towards the enemy. A strong one weighs blows against their answers, uses
/// cover, keeps its captain away from the enemy, remembers where enemies were seen, and searches the hexes at which it has not looked for
/// long.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Commander {
    strength: Strength,
    /// The enemies that it knows by their numbers, and the rounds in which it saw them last.
    known: BTreeMap<u8, (Kind, Hex, u8)>,
    /// The round in which it last looked at each hex of the board.
    looked: Vec<u8>,
    /// Its units when it gave its last order. If nothing has changed since, the order was refused.
    before: Vec<Unit>,
}

impl Bot<Tactics> for Commander {
    const STRENGTHS: &'static [Strength] = &[Strength::Easy, Strength::Hard];

    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> NoInput {
        NoInput {}
    }

    fn command(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        match self.decide(view, rng) {
            Some(Order::Move(order)) => commands.send(&order),
            Some(Order::Strike(order)) => commands.send(&order),
            Some(_) => commands.send(&EndTurn),
            None => {}
        }
    }

    fn set_strength(&mut self, strength: Strength) {
        self.strength = strength;
    }
}

impl Commander {
    /// Returns the next order; `None` while it is the other's turn.
    pub fn decide(&mut self, view: &View<'_>, rng: &mut MatchRng) -> Option<Order> {
        let (_, table) = view.iter::<Table>().next()?;
        let scene = Scene::of(view, table.round)?;
        self.look(&scene);
        if table.turn != view.seat().0 {
            self.before.clear();
            return None;
        }
        if self.before == scene.units {
            return Some(Order::EndTurn);
        }
        self.before.clone_from(&scene.units);
        let order = match self.strength {
            Strength::Hard => self.best(&scene),
            _ => stroll(&scene, rng),
        };
        Some(order.unwrap_or(Order::EndTurn))
    }

    /// Remembers what is to be seen.
    fn look(&mut self, scene: &Scene) {
        self.looked.resize(HEXES, 0);
        if scene.round == 1 {
            self.known.retain(|_, (.., round)| *round == 1);
        }
        for (looked, hex) in self.looked.iter_mut().zip(board()) {
            let hides = scene.field.ground.get(hex) == Some(Terrain::Forest);
            let sees = |unit: &Unit| match hides {
                true => unit.hex().distance(hex) <= 1,
                false => scene.field.looks(unit.kind, unit.hex(), hex),
            };
            if *looked != scene.round && scene.units.iter().any(sees) {
                *looked = scene.round;
            }
        }
        let looked = &self.looked;
        self.known.retain(|_, (_, hex, round)| {
            let is_gone = place(*hex).is_some_and(|place| looked[place] == scene.round);
            !is_gone && scene.round.saturating_sub(*round) <= REMEMBERED
        });
        self.known.extend(scene.enemies().map(|man| (man.number, (man.kind, man.hex, scene.round))));
    }

    /// Returns the best order: a blow, or a move of the unit that gains most by it.
    fn best(&self, scene: &Scene) -> Option<Order> {
        let ways: Vec<(&Unit, Reach)> =
            scene.units.iter().filter(|unit| unit.ready).map(|unit| (unit, scene.reach(unit))).collect();
        let blows = ways.iter().flat_map(|(unit, reach)| self.blows(scene, unit, reach));
        if let Some((_, order)) = blows.filter(|(worth, _)| *worth > 0).max_by_key(|(worth, _)| *worth) {
            return Some(order);
        }
        let moves = ways.iter().filter_map(|(unit, reach)| {
            let goal = self.goal(scene, unit);
            let now = self.worth(scene, unit, goal, unit.hex());
            let all = reach.hexes().map(|hex| (self.worth(scene, unit, goal, hex) - now, hex));
            let (gain, hex) = all.max_by_key(|(gain, hex)| (*gain, home(scene.seat, *hex)))?;
            (gain > 0).then_some((gain, Order::Move(Move { unit: unit.number, q: hex.q, r: hex.r })))
        });
        moves.max_by_key(|(gain, _)| *gain).map(|(_, order)| order)
    }

    /// Returns the blows that a unit can strike from where it is, or after a move, with what each is worth.
    fn blows(&self, scene: &Scene, unit: &Unit, reach: &Reach) -> Vec<(i32, Order)> {
        let mut blows = Vec::new();
        for hex in [unit.hex()].into_iter().chain(reach.hexes()) {
            for enemy in scene.enemies().filter(|enemy| scene.field.can_strike(unit.kind, hex, enemy.hex)) {
                let order = match hex == unit.hex() {
                    true => Order::Strike(Strike { unit: unit.number, target: enemy.number }),
                    false => Order::Move(Move { unit: unit.number, q: hex.q, r: hex.r }),
                };
                blows.push((self.gain(scene, unit, hex, enemy), order));
            }
        }
        blows
    }

    /// Returns what it is worth to strike an enemy from a hex: the damage that it does, less the answer and the danger there.
    fn gain(&self, scene: &Scene, unit: &Unit, hex: Hex, enemy: &Man) -> i32 {
        let ground = &scene.field.ground;
        let done = damage(unit.kind, ground, enemy.hex).min(10 * i32::from(enemy.hp));
        let falls = 10 * i32::from(enemy.hp) <= damage(unit.kind, ground, enemy.hex);
        let is_answered = !falls && enemy.hex.distance(hex) == 1 && enemy.kind.stats().range[0] == 1;
        let answer = if is_answered { damage(enemy.kind, ground, hex) * value(unit.kind) / 10 } else { 0 };
        let fall = if falls { 40 * value(enemy.kind) / 10 } else { 0 };
        done * value(enemy.kind) / 10 + fall - answer - self.danger(scene, unit.kind, hex) / 4 + 12
    }

    /// Returns where a unit wants to be.
    fn goal(&self, scene: &Scene, unit: &Unit) -> Hex {
        let here = unit.hex();
        if scene.keeps_back(unit) {
            return home(scene.seat, Hex::at(-2, 5));
        }
        // Both sides decide alike where two hexes are as good.
        let near = |hex: &Hex| (here.distance(*hex), home(scene.seat, *hex));
        let captain = self.known.values().find(|(kind, ..)| *kind == Kind::Captain).map(|(_, hex, _)| *hex);
        let enemy = captain.or_else(|| self.known.values().map(|(_, hex, _)| *hex).min_by_key(near));
        let enemy = enemy.filter(|_| unit.kind != Kind::Scout || captain.is_some());
        enemy.unwrap_or_else(|| {
            let unseen =
                board().zip(&self.looked).filter(|(hex, _)| scene.field.ground.get(*hex).and_then(Terrain::cost).is_some());
            // Units go different ways: each looks on its own side first.
            let side = |hex: Hex| (hex.q.rem_euclid(3) != unit.number.rem_euclid(3) as i8, hex);
            unseen
                .min_by_key(|(hex, round)| (**round, here.distance(*hex) / 3, side(home(scene.seat, *hex))))
                .map_or(here, |(hex, _)| hex)
        })
    }

    /// Returns what it is worth to have a unit on a hex.
    fn worth(&self, scene: &Scene, unit: &Unit, goal: Hex, hex: Hex) -> i32 {
        let distance = hex.distance(goal) as i32;
        let wanted = if unit.kind == Kind::Archer && !self.known.is_empty() { 3 } else { 1 };
        let cover = scene.field.ground.get(hex).map_or(0, |terrain| i32::from(terrain.cover()));
        // Who waits for ever wins nothing: the others get bolder from round to round.
        let (way, fear) = if scene.keeps_back(unit) { (3, 2) } else { (10, 6 + i32::from(scene.round)) };
        8 * cover - way * (distance - wanted).abs() - self.danger(scene, unit.kind, hex) / fear
    }

    /// Returns the damage that the known enemies could do to a unit on a hex in their next turn, weighed by its value.
    fn danger(&self, scene: &Scene, kind: Kind, hex: Hex) -> i32 {
        let reaches = |kind: Kind, at: Hex| {
            let stats = kind.stats();
            at.distance(hex) <= u32::from(stats.moves) + stats.range[1]
        };
        let all = self.known.values().filter(|(kind, at, _)| reaches(*kind, *at));
        all.map(|(enemy, ..)| damage(*enemy, &scene.field.ground, hex)).sum::<i32>() * value(kind) / 10
    }
}

/// What a bot sees.
struct Scene {
    seat: Seat,
    round: u8,
    units: Vec<Unit>,
    /// The ground, its own units, and the enemies in sight.
    field: Field,
}

impl Scene {
    fn of(view: &View<'_>, round: u8) -> Option<Self> {
        let (seat, ground) = (view.seat(), view.iter::<Ground>().next()?.1);
        let units: Vec<Unit> = view.iter::<Unit>().map(|(_, unit)| unit).collect();
        let enemies = view.iter::<Figure>().filter(|(_, figure)| figure.side != seat.0);
        let enemies = enemies.map(|(_, Figure { side, number, kind, hp, q, r })| Man {
            side: Seat(side),
            number,
            kind,
            hp,
            hex: Hex::at(q, r),
            exposed: true,
        });
        let men = units.iter().map(|unit| unit.man(seat)).chain(enemies).collect();
        Some(Self { seat, round, units, field: Field { ground, men, fog: true } })
    }

    /// Whether a unit is a captain with an army before it.
    fn keeps_back(&self, unit: &Unit) -> bool {
        unit.kind == Kind::Captain && self.units.len() > 2 && self.round <= 20
    }

    fn enemies(&self) -> impl Iterator<Item = &Man> {
        self.field.men.iter().filter(|man| man.side != self.seat)
    }

    fn reach(&self, unit: &Unit) -> Reach {
        self.field.reach(unit.hex(), unit.moves)
    }
}

/// Returns ten times the damage of a kind against a unit on a hex, on average.
fn damage(kind: Kind, ground: &Ground, at: Hex) -> i32 {
    let [least, most] = kind.stats().damage.map(i32::from);
    let cover = ground.get(at).map_or(0, |terrain| i32::from(terrain.cover()));
    (5 * (least + most) - 10 * cover).max(10)
}

/// Returns ten times the value of a point of health.
fn value(kind: Kind) -> i32 {
    match kind {
        Kind::Captain => 40,
        Kind::Archer => 14,
        Kind::Guard => 10,
        Kind::Scout => 9,
    }
}

/// Strikes what can be struck, or moves some unit towards the enemy's home. Ends the turn early now and then.
fn stroll(scene: &Scene, rng: &mut MatchRng) -> Option<Order> {
    let ready: Vec<&Unit> = scene.units.iter().filter(|unit| unit.ready).collect();
    let blows: Vec<Order> = ready
        .iter()
        .flat_map(|unit| {
            let struck = scene.enemies().filter(|enemy| scene.field.can_strike(unit.kind, unit.hex(), enemy.hex));
            struck.map(|enemy| Order::Strike(Strike { unit: unit.number, target: enemy.number }))
        })
        .collect();
    if let Some(order) = blows.choose(rng).filter(|_| rng.random_bool(0.8)) {
        return Some(order.clone());
    }
    let is_fresh = |unit: &&&Unit| unit.kind != Kind::Captain && unit.moves == unit.kind.stats().moves;
    let fresh: Vec<&&Unit> = ready.iter().filter(is_fresh).collect();
    let unit = fresh.choose(rng).filter(|_| rng.random_bool(0.8))?;
    let goal = home(other(scene.seat), Hex::at(-2, 5));
    let ahead: Vec<Hex> = scene.reach(unit).hexes().filter(|hex| hex.distance(goal) <= unit.hex().distance(goal)).collect();
    let hex = ahead.choose(rng)?;
    Some(Order::Move(Move { unit: unit.number, q: hex.q, r: hex.r }))
}
