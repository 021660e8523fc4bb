//! Changes that reach the mirrors, and changes that do not.

use crate::meadow::*;
use tickcast::{prelude::*, protocol::Replicate};

fn table() -> TestRoom<Meadow> {
    let mut table = TestRoom::new(1).seats(2);
    table.run(2);
    table
}

/// The ids of the entities that a player's mirror holds.
fn ids(table: &mut TestRoom<Meadow>, player: usize) -> Vec<u32> {
    table.mirror(player).entities().map(|(id, _)| id.0).collect()
}

fn me(table: &mut TestRoom<Meadow>, player: usize) -> Id {
    let seat = i64::from(table.seat(player).0);
    table.mirror(player).entities().find(|(_, held)| held.get(&Seat::ID).is_some_and(|c| c[0] == seat)).expect("an avatar").0
}

fn column<C: Replicate>(table: &mut TestRoom<Meadow>, player: usize, id: Id) -> Option<Vec<i64>> {
    table.mirror(player).get(id, C::ID).map(<[i64]>::to_vec)
}

#[test]
fn a_mutation_travels_as_a_difference() {
    let mut table = table();
    let id = me(&mut table, 0);
    let before = column::<Pos>(&mut table, 1, id).unwrap();
    table.press(0, east());
    table.run(10);
    let after = column::<Pos>(&mut table, 1, id).unwrap();
    assert_eq!(after[0] - before[0], 96, "6 units a second for half a second are 3 units, 96 steps");
    assert_eq!(after[1], before[1]);
    assert!(*table.frame_bytes(1).last().unwrap() < 20, "{:?}", table.frame_bytes(1));
}

#[test]
fn a_write_that_changes_nothing_visible_costs_nothing() {
    let mut table = table();
    table.run(40);
    let frames = table.stats().frames;
    for _ in 0..19 {
        let world = table.world();
        let mut all = world.query::<(&mut Pos, &mut Hp)>();
        for (mut pos, mut hp) in all.iter_mut(world) {
            pos.at.x += 0.0001;
            hp.set_changed();
        }
        table.run(1);
    }
    assert!(table.stats().frames - frames <= 2, "only the frame a second that says all is well");
}

#[test]
fn spawns_and_despawns_reach_every_mirror() {
    let mut table = table();
    let first = ids(&mut table, 1);
    let entity = table.world().spawn((Pos { at: Vec2::ONE }, Hp(3))).id();
    table.run(1);
    let with_new: Vec<u32> = ids(&mut table, 1);
    assert_eq!(with_new.len(), first.len() + 1);
    let new = Id(*with_new.iter().find(|id| !first.contains(id)).unwrap());
    assert_eq!(column::<Hp>(&mut table, 1, new), Some(vec![3]));
    table.world().despawn(entity);
    table.run(1);
    assert_eq!(ids(&mut table, 1), first);
}

#[test]
fn a_despawn_and_a_respawn_within_one_tick_are_two_entities() {
    let mut table = table();
    let entity = table.world().spawn((Pos { at: Vec2::ONE }, Hp(3))).id();
    table.run(1);
    let old = *ids(&mut table, 0).last().unwrap();
    table.world().despawn(entity);
    table.world().spawn((Pos { at: Vec2::ONE }, Hp(4)));
    table.run(1);
    let held = ids(&mut table, 0);
    assert!(!held.contains(&old), "the id of the dead one rests");
    assert_eq!(column::<Hp>(&mut table, 0, Id(*held.last().unwrap())), Some(vec![4]));
}

#[test]
fn an_entity_that_lives_for_no_tick_is_never_heard_of() {
    let mut table = table();
    let before = ids(&mut table, 0);
    let entity = table.world().spawn((Pos { at: Vec2::ONE }, Hp(3))).id();
    table.world().despawn(entity);
    table.run(1);
    assert_eq!(ids(&mut table, 0), before);
}

#[test]
fn ids_are_not_given_again_while_a_client_may_hold_them() {
    let mut table = table();
    let entity = table.world().spawn(Hp(1)).id();
    table.run(1);
    let old = *ids(&mut table, 0).last().unwrap();
    table.world().despawn(entity);
    table.run(200);
    table.world().spawn(Hp(2));
    table.run(1);
    assert_ne!(*ids(&mut table, 0).last().unwrap(), old, "it rests for ten seconds");
    table.run(20);
    table.world().spawn(Hp(3));
    table.run(1);
    assert!(ids(&mut table, 0).contains(&old), "then it is given again");
}

#[test]
fn components_come_and_go() {
    let mut table = table();
    let entity = table.world().spawn(Hp(1)).id();
    table.run(1);
    let id = Id(*ids(&mut table, 0).last().unwrap());
    table.world().entity_mut(entity).insert((Shield, Pos { at: Vec2::new(1.0, 0.0) }));
    table.run(1);
    assert_eq!(column::<Shield>(&mut table, 0, id), Some(vec![]));
    assert_eq!(column::<Pos>(&mut table, 0, id), Some(vec![32, 0]));
    table.world().entity_mut(entity).remove::<(Shield, Pos)>();
    table.run(1);
    assert_eq!(column::<Shield>(&mut table, 0, id), None);
    table.world().entity_mut(entity).remove::<Hp>();
    table.world().entity_mut(entity).insert(Hp(9));
    table.run(1);
    assert_eq!(column::<Hp>(&mut table, 0, id), Some(vec![9]), "removed and put back within a tick");
}

#[test]
fn owner_only_components_stay_with_their_owner() {
    let mut table = table();
    let (mine, theirs) = (me(&mut table, 0), me(&mut table, 1));
    assert_eq!(column::<Ammo>(&mut table, 0, mine), Some(vec![30]));
    assert_eq!(column::<Ammo>(&mut table, 0, theirs), None);
    table.press(0, fire());
    table.run(1);
    assert_eq!(column::<Ammo>(&mut table, 0, mine), Some(vec![29]));
    assert_eq!(column::<Ammo>(&mut table, 1, mine), None);
    assert_eq!(table.view(1).get::<Ammo>(mine), None, "a bot sees no more than a client");
    assert_eq!(table.view(0).me::<Ammo>(), Some(Ammo(29)));
}

#[test]
fn an_entity_that_changes_hands_takes_its_secrets_along() {
    let mut table = table();
    let item = table.world().spawn((Seat(1), Hp(1), Ammo(5))).id();
    table.run(1);
    let id = Id(*ids(&mut table, 0).last().unwrap());
    assert_eq!((column::<Ammo>(&mut table, 0, id), column::<Ammo>(&mut table, 1, id)), (Some(vec![5]), None));
    table.world().entity_mut(item).insert(Seat(2));
    table.run(1);
    assert_eq!((column::<Ammo>(&mut table, 0, id), column::<Ammo>(&mut table, 1, id)), (None, Some(vec![5])));
    table.world().entity_mut(item).remove::<Seat>();
    table.run(1);
    assert_eq!((column::<Ammo>(&mut table, 0, id), column::<Ammo>(&mut table, 1, id)), (None, None));
    table.world().despawn(item);
    table.run(1);
    assert!(!ids(&mut table, 1).contains(&id.0));
}

#[test]
fn team_components_stay_with_the_team() {
    let mut table = TestRoom::<Meadow>::new(1).seats(3);
    table.run(1);
    let first = me(&mut table, 0);
    assert_eq!(column::<Plan>(&mut table, 2, first), Some(vec![0, 0]), "seats 1 and 3 are on one team");
    assert_eq!(column::<Plan>(&mut table, 1, first), None);
    let world = table.world();
    let mut plans = world.query::<(&Seat, &mut Plan)>();
    plans.iter_mut(world).find(|(seat, _)| seat.0 == 1).unwrap().1.goal = -7;
    table.run(1);
    assert_eq!(column::<Plan>(&mut table, 2, first), Some(vec![-7, 0]));
    let world = table.world();
    let mut teams = world.query::<(&Seat, &mut Team)>();
    *teams.iter_mut(world).find(|(seat, _)| seat.0 == 3).unwrap().1 = Team(0);
    table.run(1);
    assert_eq!(column::<Plan>(&mut table, 2, first), None, "who changes sides forgets the old side's plans");
    let second = me(&mut table, 1);
    assert_eq!(column::<Plan>(&mut table, 2, second), Some(vec![0, 0]));
}

#[test]
fn a_team_only_entity_is_not_heard_of_elsewhere() {
    let mut table = table();
    let camp = table.world().spawn((Team(1), Plan { goal: 4, kind: Kind::Hide })).id();
    table.run(1);
    let id = Id(*ids(&mut table, 0).last().unwrap());
    assert_eq!(column::<Plan>(&mut table, 0, id), Some(vec![4, 2]));
    assert!(!ids(&mut table, 1).contains(&id.0));
    table.world().despawn(camp);
    table.run(1);
    assert!(!ids(&mut table, 0).contains(&id.0));
}

#[test]
fn angles_take_the_short_way() {
    let mut table = table();
    let id = me(&mut table, 0);
    for (aim, expected) in [(6.2, 253), (0.1, 4), (3.2, 130)] {
        table.press(0, Pad { aim, ..Pad::default() });
        table.run(1);
        assert_eq!(column::<Facing>(&mut table, 1, id), Some(vec![expected]));
    }
}

#[test]
fn lost_frames_are_made_good_by_one_merged_diff() {
    let mut table = table();
    table.press(0, east());
    table.drop_next(1, 1);
    table.run(2);
    assert_eq!(table.stats().missed, 1);
    let gone = table.world().spawn(Hp(7)).id();
    table.run(1);
    table.world().despawn(gone);
    table.world().spawn(Hp(8));
    table.run(1);
    assert_eq!(table.mirror(1).tick(), table.room().current_tick());
    assert_eq!(table.stats().merged, 1);
    for id in ids(&mut table, 0) {
        assert_eq!(column::<Pos>(&mut table, 0, Id(id)), column::<Pos>(&mut table, 1, Id(id)));
    }
    assert_eq!(ids(&mut table, 0), ids(&mut table, 1));
}

#[test]
fn a_seat_that_takes_nothing_is_tried_less_and_less() {
    let mut table = table();
    table.press(0, east());
    table.drop_next(1, u32::MAX);
    table.run(100);
    assert!(table.stats().missed < 16, "{} tries in 100 ticks", table.stats().missed);
    table.drop_next(1, 0);
    table.run(10);
    assert_eq!(table.mirror(1).tick(), table.room().current_tick(), "half a second later at most it is in step");
}

#[test]
fn a_seat_away_too_long_gets_a_snapshot() {
    let mut table = table();
    table.press(0, east());
    table.drop_next(1, u32::MAX);
    table.run(250);
    let (snapshots, merged) = (table.stats().snapshots, table.stats().merged);
    table.drop_next(1, 0);
    table.run(10);
    assert_eq!((table.stats().snapshots, table.stats().merged), (snapshots + 1, merged));
    let id = me(&mut table, 0);
    assert_eq!(column::<Pos>(&mut table, 0, id), column::<Pos>(&mut table, 1, id));
}

#[test]
fn a_flipped_column_is_found_and_mended() {
    let mut table = table();
    table.press(0, east());
    table.run(1);
    let mut broken = tickcast::replication::Mirror::new(table.room().schema().clone());
    let seat = table.seat(1);
    table.room().resync(seat);
    let next = |table: &mut TestRoom<Meadow>, mirror: &mut tickcast::replication::Mirror| {
        let frames = table.room().tick().frames;
        let applied = mirror.apply(&frames.of(seat).expect("somebody walks").to_bytes()).unwrap();
        let [high, low] = (applied.tick.0 as u16).to_be_bytes();
        table.room().handle(seat, &[0x91, 0xcd, high, low]).unwrap();
        applied
    };
    assert!((0..45).all(|_| next(&mut table, &mut broken).desync.is_none()));
    broken.corrupt(Id(1), Hp::ID, 0, 1);
    let (tick, desync) = (0..41)
        .map(|_| next(&mut table, &mut broken))
        .find_map(|applied| Some((applied.tick, applied.desync?)))
        .expect("the checksum of the next two seconds says it");
    assert_eq!((desync.component, broken.get(Id(1), Hp::ID)), (Hp::ID, Some(&[101][..])));
    next(&mut table, &mut broken);
    table.room().resync(seat);
    let mended = next(&mut table, &mut broken).mended;
    assert_eq!(mended, Some(tickcast::replication::Mended { tick, desync, entities: vec![Id(1)] }));
    assert_eq!(broken.get(Id(1), Hp::ID), Some(&[100][..]));
    for _ in 0..90 {
        let applied = next(&mut table, &mut broken);
        assert_eq!((applied.desync, applied.mended), (None, None), "healed");
    }
}

#[test]
fn an_entity_made_public_in_a_lost_frame_still_despawns() {
    let mut table = table();
    let camp = table.world().spawn((Team(1), Plan { goal: 4, kind: Kind::Hide })).id();
    table.run(1);
    let id = *ids(&mut table, 0).last().unwrap();
    table.drop_next(0, 1);
    table.world().entity_mut(camp).insert(Hp(5));
    table.run(1);
    table.world().despawn(camp);
    table.run(4);
    assert!(!ids(&mut table, 0).contains(&id));
}
