//! A seat is told which entity is its avatar, whatever else it owns and whatever is lost on the way.

use crate::meadow::*;
use tickcast::{prelude::*, protocol::Id};

/// Replaces the avatar of a player by a new one. Returns its entity.
fn replace(table: &mut TestRoom<Meadow>, player: usize) -> Entity {
    let seat = table.seat(player);
    let world = table.world();
    let mut avatars = world.query_filtered::<(Entity, &Seat), With<Intent<Pad>>>();
    let (avatar, _) = avatars.iter(world).find(|(_, owner)| **owner == seat).unwrap();
    world.despawn(avatar);
    world.spawn_avatar(seat, (Pos { at: Vec2::ZERO }, Vel(Vec2::ZERO), Hp(100), Facing(0.0)))
}

fn told(table: &mut TestRoom<Meadow>, player: usize) -> Option<u32> {
    table.mirror(player).avatar().map(|id| id.0)
}

#[test]
fn each_seat_is_told_of_its_own_avatar() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.world().spawn((Seat(1), Pos { at: Vec2::ZERO }));
    table.run(1);
    for player in 0..2 {
        let seat = table.seat(player);
        let avatar = table.mirror(player).avatar().unwrap();
        assert_eq!(table.view(player).owner(avatar), Some(seat));
        assert!(table.view(player).get::<Hp>(avatar).is_some(), "the other entity of the seat has no health");
    }
}

#[test]
fn a_change_of_the_avatar_is_told_once() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.run(2);
    assert_eq!((told(&mut table, 0), told(&mut table, 1)), (Some(0), Some(1)));
    replace(&mut table, 0);
    table.run(1);
    assert_eq!((told(&mut table, 0), told(&mut table, 1)), (Some(2), Some(1)), "a freed id is not used again yet");
    let seat = table.seat(0);
    table.run(1);
    table.press(0, Pad { aim: 1.0, ..Pad::default() });
    let next = table.room().tick();
    assert_eq!(next.frames.of(seat).unwrap().len(), 13, "a head, and one turn");
}

#[test]
fn a_lost_frame_with_a_new_avatar_is_made_up_for() {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    table.run(2);
    replace(&mut table, 0);
    table.drop_next(0, 1);
    table.run(1);
    assert_eq!(told(&mut table, 0), Some(0));
    table.run(10);
    assert_eq!(told(&mut table, 0), Some(1));
    let seat = table.seat(0);
    table.room().resync(seat);
    table.run(1);
    assert_eq!(told(&mut table, 0), Some(1), "a snapshot says it, too");
}

#[test]
fn a_player_who_comes_back_knows_the_avatar() {
    let mut table = TestRoom::<Meadow>::new(1).seats(2);
    table.run(2);
    table.disconnect(0);
    replace(&mut table, 0);
    table.run(5);
    table.resume(0).unwrap();
    table.run(1);
    assert_eq!(told(&mut table, 0), Some(2));
}

#[test]
fn a_seat_without_an_avatar_is_told_so() {
    let mut table = TestRoom::<Meadow>::new(1).seats(1);
    table.run(2);
    let avatar = replace(&mut table, 0);
    table.world().despawn(avatar);
    table.run(1);
    assert_eq!(table.mirror(0).avatar(), None::<Id>);
}
