//! The systems, in the order in which they run.

use std::collections::{BTreeMap, BTreeSet};

use tickcast::prelude::*;

use crate::space::Space;
use crate::{Crumb, Mass, Merges, Pad, Pos, Push, Returns, SIZE, Standing, Swallowed, SwarmConfig, radius};

/// The mass of a new player.
pub const START: f32 = 20.0;
/// A cell splits from this mass on.
pub const SPLIT_AT: f32 = 40.0;
/// The most cells of a player.
pub const MOST_CELLS: usize = 8;
/// A cell of another player can be eaten if it has at most this part of the mass.
const PREY: f32 = 0.8;
/// How far a cell must be inside of another one to be eaten or merged: this part of its radius.
const INSIDE: f32 = 0.4;
/// How many crumbs are sown in a tick at most.
const SOWN: usize = 25;
/// Crumbs are sown so many in the first tick of a match.
const SOWN_AT_FIRST: usize = 5000;
/// How fast a cell flies off that has split, in units a second, and the part of that which is left after a tick.
const LEAP: f32 = 30.0;
const SLOWING: f32 = 0.88;
/// How long a cell that has split stays apart, in seconds.
const APART: f32 = 8.0;
/// How long a player waits for a new cell, in seconds.
const WAIT: f32 = 2.0;
/// The mass above which a cell loses some, and the part of it that it loses in a second.
const FAT: f32 = 100.0;
const LOSS: f32 = 0.004;
/// The most mass of a cell.
const HEAVIEST: f32 = 20_000.0;

/// What a cell is made of.
type Cell = (Pos, Mass, Push, Merges);

pub fn join(seat: Seat, world: &mut World) {
    world.spawn_avatar(seat, (Standing::default(), Returns(0)));
}

/// Sows crumbs where some are missing.
pub fn sow(
    clock: Res<Clock>, config: Res<SwarmConfig>, crumbs: Query<&Crumb>, mut rng: ResMut<MatchRng>, mut commands: Commands,
) {
    let missing = usize::from(config.crumbs).saturating_sub(crumbs.iter().count());
    let sown = missing.min(if clock.tick == 1 { SOWN_AT_FIRST } else { SOWN });
    let sown: Vec<(Pos, Crumb)> = (0..sown).map(|_| (Pos { at: place(&mut rng) }, Crumb)).collect();
    commands.spawn_batch(sown);
}

fn place(rng: &mut MatchRng) -> Vec2 {
    Vec2::new(rng.random_range(0.0..SIZE), rng.random_range(0.0..SIZE))
}

/// Gives a cell to each player who has none and has waited, far from the large ones.
pub fn appear(
    clock: Res<Clock>, players: Query<(&Seat, &Returns)>, cells: Query<(&Seat, &Pos, &Mass)>, mut rng: ResMut<MatchRng>,
    mut commands: Commands,
) {
    let alive: BTreeSet<Seat> = cells.iter().map(|(seat, ..)| *seat).collect();
    let mut waiting: Vec<Seat> = players.iter().filter(|(_, due)| clock.tick >= due.0).map(|(seat, _)| *seat).collect();
    waiting.sort();
    for seat in waiting.into_iter().filter(|seat| !alive.contains(seat)) {
        let danger = |at: Vec2| cells.iter().map(|(_, there, mass)| mass.0 / (1.0 + there.at.distance(at))).sum::<f32>();
        let places: [Vec2; 4] = std::array::from_fn(|_| place(&mut rng));
        let at = places.into_iter().min_by(|a, b| danger(*a).total_cmp(&danger(*b))).unwrap_or_default();
        let cell: Cell = (Pos { at }, Mass(START), Push::default(), Merges::default());
        commands.spawn((seat, cell));
    }
}

/// Splits the cells of the players who want that.
pub fn split(
    clock: Res<Clock>, players: Query<(&Seat, &Intent<Pad>)>, mut cells: Query<(&Seat, &Pos, &mut Mass, &mut Merges)>,
    mut commands: Commands,
) {
    let merges = Merges(clock.tick + clock.ticks(APART));
    for (seat, intent) in players.iter().filter(|(_, intent)| intent.split) {
        let mut count = cells.iter().filter(|(owner, ..)| *owner == seat).count();
        for (_, pos, mut mass, mut old) in cells.iter_mut().filter(|(owner, ..)| *owner == seat) {
            if mass.0 < SPLIT_AT || count >= MOST_CELLS {
                continue;
            }
            count += 1;
            mass.0 /= 2.0;
            *old = merges;
            let push = Push(Vec2::from_angle(intent.aim) * LEAP);
            let cell: Cell = (*pos, *mass, push, merges);
            commands.spawn((*seat, cell));
        }
    }
}

/// Moves the cells. Large ones are slow.
pub fn walk(clock: Res<Clock>, players: Query<(&Seat, &Intent<Pad>)>, mut cells: Query<(&Seat, &mut Pos, &mut Mass, &mut Push)>) {
    let wishes: BTreeMap<Seat, Vec2> = players.iter().map(|(seat, intent)| (*seat, wish(intent))).collect();
    for (seat, mut pos, mut mass, mut push) in &mut cells {
        let speed = 16.0 / mass.0.sqrt().sqrt();
        let velocity = wishes.get(seat).copied().unwrap_or_default() * speed + push.0;
        pos.at = (pos.at + velocity * clock.dt).clamp(Vec2::ZERO, Vec2::splat(SIZE));
        push.0 *= SLOWING;
        if mass.0 > FAT {
            mass.0 -= mass.0 * LOSS * clock.dt;
        }
    }
}

/// Returns the direction in which a player wants to go; its length is the part of the full speed.
fn wish(pad: &Pad) -> Vec2 {
    Vec2::from_angle(pad.aim) * pad.pace
}

/// Merges the cells of a player that touch and may, and keeps the others apart.
pub fn merge(clock: Res<Clock>, mut cells: Query<(Entity, &Seat, &mut Pos, &mut Mass, &Merges)>, mut commands: Commands) {
    let mut by_seat: BTreeMap<Seat, Vec<Entity>> = BTreeMap::new();
    for (entity, seat, ..) in &cells {
        by_seat.entry(*seat).or_default().push(entity);
    }
    for entities in by_seat.values().filter(|entities| entities.len() > 1) {
        let mut gone = BTreeSet::new();
        for (at, &first) in entities.iter().enumerate() {
            for &second in &entities[at + 1..] {
                if gone.contains(&first) || gone.contains(&second) {
                    continue;
                }
                let Ok([mut one, mut other]) = cells.get_many_mut([first, second]) else { continue };
                let way = other.2.at - one.2.at;
                let reach = radius(one.3.0) + radius(other.3.0);
                if way.length_squared() >= reach * reach {
                    continue;
                }
                if clock.tick >= one.4.0.max(other.4.0) {
                    let total = one.3.0 + other.3.0;
                    one.2.at = (one.2.at * one.3.0 + other.2.at * other.3.0) / total;
                    one.3.0 = total.min(HEAVIEST);
                    commands.entity(second).despawn();
                    gone.insert(second);
                    continue;
                }
                // Cells that were born in one place have no way between them.
                let way = if way == Vec2::ZERO { Vec2::X } else { way };
                let shift = way.normalize() * (reach - way.length()).max(0.0) * 0.25;
                one.2.at = (one.2.at - shift).clamp(Vec2::ZERO, Vec2::splat(SIZE));
                other.2.at = (other.2.at + shift).clamp(Vec2::ZERO, Vec2::splat(SIZE));
            }
        }
    }
}

/// Lets the cells eat the crumbs below them. The largest eat first.
pub fn graze(
    crumbs: Query<(Entity, &Pos), With<Crumb>>, mut cells: Query<(Entity, &Pos, &mut Mass), Without<Crumb>>,
    mut commands: Commands,
) {
    let space = Space::new(crumbs.iter().map(|(entity, pos)| (pos.at, entity)));
    let mut eaters: Vec<(f32, Entity)> = cells.iter().map(|(entity, _, mass)| (mass.0, entity)).collect();
    eaters.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut eaten = BTreeSet::new();
    for (_, entity) in eaters {
        let Ok((_, pos, mut mass)) = cells.get_mut(entity) else { continue };
        let found: Vec<Entity> = space.within(pos.at, radius(mass.0)).map(|(_, crumb)| crumb).collect();
        for crumb in found {
            if eaten.insert(crumb) {
                mass.0 = (mass.0 + 1.0).min(HEAVIEST);
                commands.entity(crumb).despawn();
            }
        }
    }
}

/// Lets cells eat those of other players that are small enough and inside of them.
pub fn hunt(
    clock: Res<Clock>, mut cells: Query<(Entity, &Seat, &Pos, &mut Mass)>,
    mut players: Query<(&Seat, &mut Standing, &mut Returns)>, mut commands: Commands, mut swallowed: Emit<Swallowed>,
) {
    let mut all: Vec<(f32, Entity)> = cells.iter().map(|(entity, .., mass)| (mass.0, entity)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let space = Space::new(cells.iter().map(|(entity, seat, pos, mass)| (pos.at, (entity, *seat, mass.0))));
    let mut left: BTreeMap<Seat, usize> = BTreeMap::new();
    for (_, seat, ..) in &cells {
        *left.entry(*seat).or_default() += 1;
    }
    let mut gone = BTreeSet::new();
    for (_, hunter) in all {
        if gone.contains(&hunter) {
            continue;
        }
        let Ok((_, by, pos, mut mass)) = cells.get_mut(hunter) else { continue };
        let reach = radius(mass.0);
        for (at, (prey, whom, weight)) in space.within(pos.at, reach) {
            let is_inside = at.distance(pos.at) < reach - INSIDE * radius(weight);
            if whom == *by || weight > PREY * mass.0 || !is_inside || !gone.insert(prey) {
                continue;
            }
            mass.0 = (mass.0 + weight).min(HEAVIEST);
            commands.entity(prey).despawn();
            if let Some((_, mut standing, _)) = players.iter_mut().find(|(seat, ..)| *seat == by) {
                standing.eaten = standing.eaten.saturating_add(1);
            }
            let rest = left.entry(whom).or_default();
            *rest = rest.saturating_sub(1);
            if *rest == 0 {
                swallowed.everyone(Swallowed { by: by.0, whom: whom.0 });
                if let Some((.., mut returns)) = players.iter_mut().find(|(seat, ..)| **seat == whom) {
                    returns.0 = clock.tick + clock.ticks(WAIT);
                }
            }
        }
    }
}

/// Counts the mass of each player.
pub fn count(cells: Query<(&Seat, &Mass)>, mut players: Query<(&Seat, &mut Standing)>) {
    let mut masses: BTreeMap<Seat, f32> = BTreeMap::new();
    for (seat, mass) in &cells {
        *masses.entry(*seat).or_default() += mass.0;
    }
    for (seat, mut standing) in &mut players {
        let mass = masses.get(seat).copied().unwrap_or_default() as u16;
        standing.mass = mass;
        standing.best = standing.best.max(mass);
    }
}

/// Ends the match when its time is over. The heaviest wins, unless nobody is.
pub fn finish(clock: Res<Clock>, config: Res<SwarmConfig>, players: Query<(&Seat, &Standing)>) -> Option<Outcome> {
    if clock.seconds() < 60.0 * f32::from(config.minutes) {
        return None;
    }
    let heaviest = players.iter().map(|(_, standing)| standing.mass).max().unwrap_or_default();
    let mut winners = players.iter().filter(|(_, standing)| standing.mass == heaviest && heaviest > 0);
    Some(winners.next().map_or_else(Outcome::draw, |(seat, _)| Outcome::winner(*seat)))
}
