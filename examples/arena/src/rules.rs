//! The systems of a tick, in order: avatars walk, guns fire, shots fly, hits do damage, and fallen avatars respawn.

use tickcast::prelude::*;

use crate::{Aim, Ammo, ArenaConfig, Down, End, Flight, Frags, Ground, Gun, Hit, Hp, Pad, Pos, Shield, Shot, Side, hit_circle};

/// The radius of an avatar, in units.
pub(crate) const RADIUS: f32 = 0.5;
/// The speed of an avatar, in units per second.
pub(crate) const WALK: f32 = 6.5;
/// The speed of a shot, in units per second.
pub(crate) const SHOT: f32 = 24.0;
/// The longest time by which a shot may hit an avatar later than it was there, in seconds: because its shooter saw it there.
pub(crate) const FAVOUR: f32 = 0.2;
pub(crate) const FULL_HP: u8 = 100;
pub(crate) const MAGAZINE: u8 = 12;
const DAMAGE: u8 = 20;
/// The time between two shots, in seconds.
const BETWEEN_SHOTS: f32 = 0.18;
/// The time that a reload takes, in seconds.
const RELOAD: f32 = 1.2;
/// The time from falling to respawning, in seconds.
const RESPAWN: f32 = 2.5;
/// The time for which an avatar that has spawned is protected and does not shoot, in seconds.
const SHIELD: f32 = 2.0;

/// Spawns an avatar far from all others, protected for [`SHIELD`] seconds.
pub(crate) fn join(seat: Seat, world: &mut World) {
    let team = world.resource::<Teams>().of(seat);
    let others: Vec<Vec2> = world.query::<(&Pos, &Hp)>().iter(world).filter(|(_, hp)| hp.0 > 0).map(|(pos, _)| pos.at).collect();
    let map = world.resource::<ArenaConfig>().map;
    let at = map.map().farthest_spawn(&others);
    let shield = shield(world.resource::<Clock>());
    let seen = (Pos { at }, Ground(map), Aim::default(), Hp(FULL_HP), Frags(0), Ammo(MAGAZINE), shield);
    let avatar = world.spawn_avatar(seat, (seen, Gun::default(), Down::default()));
    if let Some(team) = team {
        world.entity_mut(avatar).insert(Side(team.0));
    }
}

/// Returns the protection of an avatar that spawns now. Players see it from this tick on, or from the next if it joins between two.
fn shield(clock: &Clock) -> Shield {
    Shield { until: clock.tick + 1 + clock.ticks(SHIELD) }
}

/// Returns whether two seats are on the same side. In a match without teams, each seat is a side of its own.
fn are_friends(teams: Teams, a: Seat, b: Seat) -> bool {
    a == b || teams.of(a).is_some_and(|team| teams.of(b) == Some(team))
}

/// Moves the avatars. Walls block them, other avatars do not.
pub(crate) fn walk(clock: Res<Clock>, config: Res<ArenaConfig>, mut avatars: Query<(&Intent<Pad>, &Hp, &mut Pos, &mut Aim)>) {
    for (intent, hp, mut pos, mut aim) in &mut avatars {
        if hp.0 > 0 {
            pos.at = config.map.map().slide(pos.at, intent.dir.unit() * WALK * clock.dt, RADIUS);
            aim.0 = intent.aim;
        }
    }
}

type Gunner<'a> = (&'a Intent<Pad>, &'a Hp, &'a Shield, &'a mut Ammo, &'a mut Gun);

/// Fires the guns whose trigger is held and that are ready. Nobody shoots while protected: who cannot be hurt does no harm. A trigger
/// that is held meanwhile fires as soon as the protection ends. Empty magazines reload by themselves.
pub(crate) fn trigger(clock: Res<Clock>, mut gunners: Query<Gunner>) {
    for (intent, hp, shield, mut ammo, mut gun) in &mut gunners {
        let ready = clock.tick >= gun.ready;
        if ready && ammo.0 == 0 {
            ammo.0 = MAGAZINE;
        }
        if hp.0 > 0 && ready && intent.fire && clock.tick >= shield.until {
            ammo.0 -= 1;
            *gun = Gun { ready: clock.tick + clock.ticks(BETWEEN_SHOTS), fired: clock.tick };
        }
        let change = intent.reload && (1..MAGAZINE).contains(&ammo.0);
        if change || ammo.0 == 0 && ready {
            ammo.0 = 0;
            gun.ready = clock.tick + clock.ticks(RELOAD);
        }
    }
}

/// Spawns the shots of the guns that have just fired.
pub(crate) fn shoot(mut commands: Commands, clock: Res<Clock>, shooters: Query<(&Seat, &Pos, &Aim, &Gun)>, seen: Seen<Pos>) {
    for (seat, pos, aim, gun) in &shooters {
        if gun.fired == clock.tick {
            let shot = Shot { from: pos.at, heading: aim.0, born: clock.tick };
            let way = Vec2::from_angle(aim.0) * SHOT * clock.dt;
            let picture = seen.picture(*seat);
            commands.spawn((*seat, shot, Flight { at: pos.at, way, end: End::Flying, picture }));
        }
    }
}

type Target<'a> = (Entity, &'a Seat, &'a Hp, &'a Shield);

/// Moves each shot by one tick, up to the first obstacle. Avatars are where the shooter saw them. Shots pass through team mates and
/// protected avatars.
pub(crate) fn fly(
    clock: Res<Clock>, config: Res<ArenaConfig>, teams: Res<Teams>, mut shots: Query<(&Seat, &mut Flight)>,
    avatars: Query<Target>, seen: Seen<Pos>,
) {
    for (shooter, mut flight) in &mut shots {
        let picture = flight.picture;
        let (from, to) = (flight.at, flight.at + flight.way);
        let wall = config.map.map().hit(from, to).map(|along| (along, End::Wall));
        let exposed = avatars.iter().filter(|(_, _, hp, shield)| hp.0 > 0 && clock.tick >= shield.until);
        let targets = exposed.filter(|(_, seat, ..)| !are_friends(*teams, **seat, *shooter));
        let hits = targets.filter_map(|(avatar, seat, ..)| {
            let at = seen.at(picture, avatar)?.at;
            Some((hit_circle(from, to, at, RADIUS)?, End::Avatar(*seat)))
        });
        match hits.chain(wall).min_by(|(a, _), (b, _)| a.total_cmp(b)) {
            Some((along, end)) => {
                flight.at = from.lerp(to, along);
                flight.end = end;
            }
            None => flight.at = to,
        }
    }
}

type Fighter<'a> = (&'a Seat, &'a mut Hp, &'a mut Frags);

/// Applies the damage of shots that hit an avatar, and despawns all shots that have ended.
pub(crate) fn strike(
    mut commands: Commands, shots: Query<(Entity, &Seat, &Flight)>, mut fighters: Query<Fighter>, mut hits: Emit<Hit>,
) {
    for (entity, shooter, flight) in &shots {
        if let End::Avatar(victim) = flight.end
            && let Some((_, mut hp, _)) = fighters.iter_mut().find(|(seat, hp, _)| **seat == victim && hp.0 > 0)
        {
            hp.0 = hp.0.saturating_sub(DAMAGE);
            let down = hp.0 == 0;
            hits.everyone(Hit { at: flight.at, shooter: shooter.0, victim: victim.0, down });
            if let Some((_, _, mut frags)) = fighters.iter_mut().find(|(seat, ..)| down && *seat == shooter) {
                frags.0 += 1;
            }
        }
        if flight.end != End::Flying {
            commands.entity(entity).despawn();
        }
    }
}

type Body<'a> = (&'a mut Pos, &'a mut Hp, &'a mut Ammo, &'a mut Gun, &'a mut Down, &'a mut Shield);

/// Respawns fallen avatars after [`RESPAWN`] seconds, far from all standing ones, protected like newcomers.
pub(crate) fn respawn(clock: Res<Clock>, config: Res<ArenaConfig>, mut bodies: Query<Body>) {
    let mut standing: Vec<Vec2> = bodies.iter().filter(|(_, hp, ..)| hp.0 > 0).map(|(pos, ..)| pos.at).collect();
    for (mut pos, mut hp, mut ammo, mut gun, mut down, mut safe) in &mut bodies {
        if hp.0 > 0 {
            continue;
        }
        if down.until == 0 {
            down.until = clock.tick + clock.ticks(RESPAWN);
        } else if clock.tick >= down.until {
            pos.at = config.map.map().farthest_spawn(&standing);
            standing.push(pos.at);
            (*hp, *ammo, *gun, *down) = (Hp(FULL_HP), Ammo(MAGAZINE), Gun::default(), Down::default());
            *safe = shield(&clock);
        }
    }
}

/// Returns the leading side when it reaches the frag limit or when the time is over. Sides with equal frags win together.
pub(crate) fn winner(
    clock: Res<Clock>, config: Res<ArenaConfig>, teams: Res<Teams>, scores: Query<(&Seat, &Frags)>,
) -> Option<Outcome> {
    let teams = *teams;
    let side = |seat: Seat| scores.iter().filter(move |(friend, _)| are_friends(teams, seat, **friend));
    let sums = scores.iter().map(|(seat, _)| (*seat, side(*seat).map(|(_, frags)| u32::from(frags.0)).sum::<u32>()));
    let most = sums.clone().map(|(_, sum)| sum).max()?;
    if most < u32::from(config.frag_limit) && clock.seconds() < f32::from(config.minutes) * 60.0 {
        return None;
    }
    let leaders = sums.filter(|(_, sum)| *sum == most).map(|(seat, _)| seat);
    Some(if most == 0 { Outcome::draw() } else { Outcome::winners(leaders) })
}
