//! For random worlds and random loss of frames, a mirror after merged diffs holds what a plain full state says.

use std::collections::BTreeMap;

use crate::meadow::*;
use proptest::{collection::vec, prelude::*};
use tickcast::{
    prelude::*,
    protocol::Replicate,
    replication::{Mirror, Replicator, Viewer},
};

use bevy_ecs::prelude::{Entity, World};
use tickcast::protocol::{Columns, Frame, Head, Kind as FrameKind, Schema, TypeSpec};

/// One thing that rules may do to a world. `which` picks an entity.
#[derive(Debug, Clone)]
enum Act {
    Spawn { hp: Option<u8>, at: Option<(i16, i16)>, owner: Option<u8>, team: Option<u8> },
    Despawn { which: usize },
    Move { which: usize, by: (i8, i8) },
    Turn { which: usize, to: u16 },
    Arm { which: usize, ammo: u8 },
    Plan { which: usize, goal: i32 },
    Own { which: usize, owner: Option<u8> },
    Side { which: usize, team: Option<u8> },
    Shield { which: usize, on: bool },
    Heal { which: usize, hp: Option<u8> },
}

fn act() -> impl Strategy<Value = Act> {
    let which = || 0..1000usize;
    let seat = || proptest::option::of(1..4u8);
    let team = || proptest::option::of(0..2u8);
    prop_oneof![
        3 => (any::<Option<u8>>(), any::<Option<(i16, i16)>>(), seat(), team())
            .prop_map(|(hp, at, owner, team)| Act::Spawn { hp, at, owner, team }),
        2 => which().prop_map(|which| Act::Despawn { which }),
        6 => (which(), any::<(i8, i8)>()).prop_map(|(which, by)| Act::Move { which, by }),
        2 => (which(), any::<u16>()).prop_map(|(which, to)| Act::Turn { which, to }),
        2 => (which(), any::<u8>()).prop_map(|(which, ammo)| Act::Arm { which, ammo }),
        2 => (which(), any::<i32>()).prop_map(|(which, goal)| Act::Plan { which, goal }),
        2 => (which(), seat()).prop_map(|(which, owner)| Act::Own { which, owner }),
        2 => (which(), team()).prop_map(|(which, team)| Act::Side { which, team }),
        1 => (which(), any::<bool>()).prop_map(|(which, on)| Act::Shield { which, on }),
        2 => (which(), any::<Option<u8>>()).prop_map(|(which, hp)| Act::Heal { which, hp }),
    ]
}

fn perform(world: &mut World, alive: &mut Vec<Entity>, act: &Act) {
    let pick = |alive: &[Entity], which: usize| (!alive.is_empty()).then(|| alive[which % alive.len()]);
    let (Act::Despawn { which }
    | Act::Move { which, .. }
    | Act::Turn { which, .. }
    | Act::Arm { which, .. }
    | Act::Plan { which, .. }
    | Act::Own { which, .. }
    | Act::Side { which, .. }
    | Act::Shield { which, .. }
    | Act::Heal { which, .. }) = *act
    else {
        let Act::Spawn { hp, at, owner, team } = *act else { return };
        let mut entity = world.spawn_empty();
        hp.map(|hp| entity.insert(Hp(hp)).id());
        at.map(|(x, y)| entity.insert(Pos { at: Vec2::new(f32::from(x), f32::from(y)) / 32.0 }).id());
        owner.map(|owner| entity.insert(Seat(owner)).id());
        team.map(|team| entity.insert(Team(team)).id());
        alive.push(entity.id());
        return;
    };
    let Some(entity) = pick(alive, which) else { return };
    if let Act::Despawn { .. } = act {
        alive.retain(|alive| *alive != entity);
        world.despawn(entity);
        return;
    }
    let mut entity = world.entity_mut(entity);
    match *act {
        Act::Move { by: (x, y), .. } => {
            if let Some(mut pos) = entity.get_mut::<Pos>() {
                pos.at += Vec2::new(f32::from(x), f32::from(y)) / 50.0;
            }
        }
        Act::Turn { to, .. } => drop(entity.insert(Facing(f32::from(to) / 1000.0)).id()),
        Act::Arm { ammo, .. } => drop(entity.insert(Ammo(ammo)).id()),
        Act::Plan { goal, .. } => drop(entity.insert(Plan { goal, kind: Kind::Hide }).id()),
        Act::Own { owner: Some(owner), .. } => drop(entity.insert(Seat(owner)).id()),
        Act::Own { owner: None, .. } => drop(entity.remove::<Seat>().id()),
        Act::Side { team: Some(team), .. } => drop(entity.insert(Team(team)).id()),
        Act::Side { team: None, .. } => drop(entity.remove::<Team>().id()),
        Act::Shield { on: true, .. } => drop(entity.insert(Shield).id()),
        Act::Shield { on: false, .. } => drop(entity.remove::<Shield>().id()),
        Act::Heal { hp: Some(hp), .. } => drop(entity.insert(Hp(hp)).id()),
        Act::Heal { hp: None, .. } => drop(entity.remove::<Hp>().id()),
        Act::Spawn { .. } | Act::Despawn { .. } => {}
    }
}

/// The plain reference: what a seat should hold, straight from the world.
type Reference = BTreeMap<u32, BTreeMap<u8, Vec<i64>>>;

fn reference(world: &mut World, replicator: &Replicator, viewer: Viewer) -> Reference {
    fn add<C: Component + Replicate>(world: &mut World, replicator: &Replicator, viewer: Viewer, to: &mut Reference) {
        let mut all = world.query::<(Entity, &C, Option<&Seat>, Option<&Team>)>();
        for (entity, component, owner, team) in all.iter(world) {
            let sees = match C::TO {
                tickcast::protocol::Audience::Everyone => true,
                tickcast::protocol::Audience::Owner => owner == Some(&viewer.seat),
                tickcast::protocol::Audience::Team => team.is_some() && team.copied() == viewer.team,
            };
            if sees {
                let id = replicator.ids().get(entity).expect("what is replicated has an id").0;
                let mut columns = vec![0; C::WIDTH];
                component.quantise(&mut columns);
                to.entry(id).or_default().insert(C::ID, columns);
            }
        }
    }
    let mut all = Reference::new();
    add::<Seat>(world, replicator, viewer, &mut all);
    add::<Pos>(world, replicator, viewer, &mut all);
    add::<Hp>(world, replicator, viewer, &mut all);
    add::<Ammo>(world, replicator, viewer, &mut all);
    add::<Plan>(world, replicator, viewer, &mut all);
    add::<Facing>(world, replicator, viewer, &mut all);
    add::<Shield>(world, replicator, viewer, &mut all);
    all
}

/// Returns the content of a mirror. Entities whose last component is gone count as gone.
fn held(mirror: &Mirror) -> Reference {
    let held = mirror.entities().filter(|(_, components)| !components.is_empty());
    held.map(|(id, components)| (id.0, components.iter().map(|(c, columns)| (*c, columns.to_vec())).collect())).collect()
}

fn schema() -> Schema {
    fn spec<C: Replicate>() -> TypeSpec {
        C::spec(Some(C::ID), Some(C::TO))
    }
    let components =
        vec![spec::<Seat>(), spec::<Pos>(), spec::<Hp>(), spec::<Ammo>(), spec::<Plan>(), spec::<Facing>(), spec::<Shield>()];
    Schema::new("test", 20, components, vec![], Pad::spec(None, None)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 3000 }))]

    #[test]
    fn a_mirror_holds_the_full_state_whatever_was_lost(
        script in vec((vec(act(), 0..6), any::<bool>(), any::<bool>()), 1..60),
        packed: bool,
    ) {
        let mut world = World::new();
        let mut replicator = Replicator::new(&mut world, 20);
        if packed {
            replicator.pack();
        }
        replicator.register::<Pos>(&mut world);
        replicator.register::<Hp>(&mut world);
        replicator.register::<Ammo>(&mut world);
        replicator.register::<Plan>(&mut world);
        replicator.register::<Facing>(&mut world);
        replicator.register::<Shield>(&mut world);
        let schema = std::sync::Arc::new(schema());
        let mut alive = Vec::new();
        // Two seats: one that loses frames, one that gets all. Both keep their teams, as the room would send a snapshot.
        let mut watchers: Vec<(Viewer, Mirror, bool)> = [(1, Some(Team(0))), (2, None)]
            .map(|(seat, team)| (Viewer { seat: Seat(seat), team }, Mirror::new(schema.clone()), false)).into();
        for (tick, (acts, lost_first, lost_second)) in (1..).zip(&script) {
            acts.iter().for_each(|act| perform(&mut world, &mut alive, act));
            let tick = Tick(tick);
            replicator.collect(&mut world, tick);
            replicator.encode_checks();
            for ((viewer, mirror, in_step), lost) in watchers.iter_mut().zip([*lost_first, *lost_second && tick.0.is_multiple_of(3)]) {
                if lost {
                    *in_step = false;
                    continue;
                }
                let base = mirror.tick();
                let (kind, mut blocks) = match base {
                    Tick(0) => (FrameKind::Snapshot, [replicator.snapshot(*viewer)].into_iter().collect()),
                    _ if *in_step => (FrameKind::Diff, replicator.diff(*viewer).into_owned()),
                    base => (FrameKind::Merged, [replicator.merged(*viewer, base).unwrap()].into_iter().collect()),
                };
                blocks = blocks.with(&replicator.checks(*viewer));
                let frame = Frame::new(Head { kind, tick, base, ack: 0, margin: 0 }, blocks);
                let bytes = frame.to_bytes();
                prop_assert_eq!(bytes.len(), frame.len());
                let applied = mirror.apply(&bytes).unwrap();
                prop_assert_eq!(applied.desync, None);
                prop_assert_eq!(held(mirror), reference(&mut world, &replicator, *viewer), "seat {} tick {}", viewer.seat, tick);
                *in_step = true;
            }
        }
    }

    #[test]
    fn no_bytes_break_a_mirror(bytes: Vec<u8>) {
        let mut mirror = Mirror::new(schema().into());
        let _ = mirror.apply(&bytes);
    }
}
