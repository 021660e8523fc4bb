//! Spectators: what everyone may see, late, and nothing else.

use tickcast::{
    game::GameDef,
    prelude::*,
    replication::Mirror,
    room::{Outbox, Room},
};

use crate::walk::{HZ, Pad, Pos, walking};

const DELAY: u32 = 10;

#[derive(Component, Replicate)]
#[replicate(id = 2, to = owner)]
struct Hand(u32);

#[derive(GameEvent, Clone)]
#[event(id = 1)]
struct Step {
    tick: u32,
}

/// Avatars that walk by themselves, each in a direction of its own, on a grid or not.
struct March<const GRID: bool>;

impl<const GRID: bool> Game for March<GRID> {
    const NAME: &'static str = "march";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        walking(m)
            .seats(1..=8)
            .replicate::<Hand>()
            .event::<Step>()
            .spectator_delay(secs(DELAY as f32 / f32::from(HZ)))
            .on_join(deal)
            .systems(march);
        if GRID {
            m.interest(Grid::<Pos>::cells(8.0).radius(1));
        }
    }
}

/// Puts a new avatar far from the others, with a secret.
fn deal(seat: Seat, world: &mut World) {
    let mut avatars = world.query::<(Entity, &Seat, &mut Pos)>();
    let (avatar, _, mut pos) = avatars.iter_mut(world).find(|(_, of, _)| **of == seat).expect("it was just spawned");
    pos.at = Vec2::splat(f32::from(seat.0) * 100.0);
    world.entity_mut(avatar).insert(Hand(7));
}

fn march(clock: Res<'_, Clock>, mut all: Query<'_, '_, (&Seat, &mut Pos)>, mut steps: Emit<'_, Step>) {
    for (seat, mut pos) in &mut all {
        pos.at += Vec2::new(f32::from(seat.0), 1.0);
    }
    steps.everyone(Step { tick: clock.tick });
}

struct Audience {
    room: Room,
    mirror: Mirror,
    /// The positions of the players by tick, in steps of 1/32.
    past: Vec<Vec<i64>>,
    events: usize,
}

impl Audience {
    fn of<const GRID: bool>(seats: u8) -> Self {
        let def = GameDef::new::<March<GRID>>().unwrap();
        let mut room = Room::new(&def, None, 1).unwrap();
        for _ in 0..seats {
            let seat = room.reserve("somebody").unwrap();
            room.enter(seat, None).unwrap();
        }
        room.open_gallery();
        let mirror = Mirror::new(room.schema().clone());
        Self { room, mirror, past: Vec::new(), events: 0 }
    }

    fn tick(&mut self) -> Outbox {
        let out = self.room.tick();
        let seats: Vec<Seat> = self.room.seats().iter().map(|info| info.seat).collect();
        let of = |seat: &Seat| self.room.view(*seat).me::<Pos>().map(|pos| (pos.at.x * 32.0) as i64);
        self.past.push(seats.iter().filter_map(of).collect());
        for scene in &out.scenes {
            self.mirror.apply(&scene.frame.to_bytes()).unwrap();
            self.events += usize::from(!scene.events.is_empty());
        }
        out
    }

    fn seen(&self) -> Vec<i64> {
        let mut seen: Vec<i64> = self.mirror.entities().filter_map(|(_, held)| Some(held.get(&1)?[0])).collect();
        seen.sort_unstable();
        seen
    }
}

fn watch<const GRID: bool>() {
    let mut audience = Audience::of::<GRID>(4);
    for tick in 1..=60u32 {
        if tick == 30 {
            audience.room.leave(Seat(2));
        }
        audience.tick();
        let Some(seen_tick) = tick.checked_sub(DELAY).filter(|tick| *tick > 0) else {
            assert!(audience.seen().is_empty(), "nothing is shown before its time");
            assert!(audience.room.gallery_snapshot().is_none());
            continue;
        };
        assert_eq!(audience.mirror.tick().0, seen_tick);
        let mut expected = audience.past[seen_tick as usize - 1].clone();
        expected.sort_unstable();
        assert_eq!(audience.seen(), expected, "at tick {tick}");
    }
    let no_hands = audience.mirror.entities().all(|(_, held)| !held.contains_key(&2));
    assert!(no_hands, "what goes to owners is not for spectators");
    assert_eq!(audience.events, 60 - DELAY as usize);
    let late = audience.room.gallery_snapshot().unwrap();
    let mut newcomer = Mirror::new(audience.room.schema().clone());
    newcomer.apply(&late.to_bytes()).unwrap();
    assert!(newcomer.entities().eq(audience.mirror.entities()), "a snapshot is what the others have");
}

#[test]
fn spectators_see_public_state_late() {
    watch::<false>();
}

#[test]
fn spectators_of_a_grid_see_all_of_it() {
    watch::<true>();
}

#[test]
fn a_closed_gallery_costs_nothing() {
    let mut audience = Audience::of::<false>(1);
    audience.tick();
    audience.room.close_gallery();
    let out = audience.room.tick();
    assert!(out.scenes.is_empty() && !out.frames.is_empty());
}
