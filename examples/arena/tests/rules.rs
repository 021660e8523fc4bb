//! The rules of Arena, tested from the view of its seats.

use std::collections::BTreeMap;

use arena::{Ammo, Arena, ArenaConfig, Frags, Hit, Hp, MapName, Pad, Pos, Shield, Shot, Side};
use tickcast::{prelude::*, room::SeatPlan};

const HZ: u32 = 30;
/// The ticks for which an avatar that has spawned is protected.
const PROTECTED: u32 = 2 * HZ;

/// Returns a match of two players who face each other in the courtyard, five units apart on the open floor. Both can be hurt.
fn duel() -> TestRoom<Arena> {
    let mut test = TestRoom::<Arena>::new(7).seats(2);
    test.run(PROTECTED + 1);
    place(&mut test, 0, Vec2::new(17.0, 10.0));
    place(&mut test, 1, Vec2::new(22.0, 10.0));
    test
}

fn place(test: &mut TestRoom<Arena>, player: usize, at: Vec2) {
    let wanted = test.seat(player);
    let world = test.world();
    let mut avatars = world.query::<(&Seat, &mut Pos)>();
    let (_, mut pos) = avatars.iter_mut(world).find(|(seat, _)| **seat == wanted).expect("every player has an avatar");
    pos.at = at;
}

fn at(test: &TestRoom<Arena>, seat: usize) -> Vec2 {
    test.view(seat).me::<Pos>().expect("every player has an avatar").at
}

fn hp(test: &TestRoom<Arena>, seat: usize) -> u8 {
    test.view(seat).me::<Hp>().expect("every player has an avatar").0
}

fn frags(test: &TestRoom<Arena>, seat: usize) -> u16 {
    test.view(seat).me::<Frags>().expect("every player has an avatar").0
}

/// Makes player 0 shoot to the east until player 1 is down.
fn shoot_down(test: &mut TestRoom<Arena>) {
    test.press(0, Pad { fire: true, ..Pad::default() });
    test.run(HZ * 3 / 2);
    test.press(0, Pad::default());
    assert_eq!(hp(test, 1), 0);
}

#[test]
fn a_player_walks_in_the_direction_held() {
    let mut test = duel();
    test.press(0, Pad { dir: Dir8::S, ..Pad::default() });
    test.run(HZ);
    assert!((at(&test, 0) - Vec2::new(17.0, 3.5)).length() < 0.3, "{}", at(&test, 0));
}

#[test]
fn a_player_slides_along_a_wall() {
    let mut test = duel();
    place(&mut test, 0, Vec2::new(20.0, 12.5));
    test.press(0, Pad { dir: Dir8::NE, ..Pad::default() });
    test.run(HZ / 6);
    let now = at(&test, 0);
    assert!((now.y - 13.0).abs() < 0.05, "the wall begins at 13.5, but the player is at {now}");
    assert!(now.x > 20.5, "the player did not slide: {now}");
}

#[test]
fn five_shots_take_a_player_down() {
    let mut test = duel();
    test.press(0, Pad { fire: true, ..Pad::default() });
    test.run(10);
    assert_eq!((hp(&test, 0), hp(&test, 1)), (100, 80));
    test.run(HZ);
    assert_eq!((hp(&test, 1), frags(&test, 0), frags(&test, 1)), (0, 1, 0));
    let hits = test.events::<Hit>(0);
    assert_eq!(hits.len(), 5);
    assert!(hits[..4].iter().all(|hit| !hit.down) && hits[4].down);
    assert_eq!((hits[4].shooter, hits[4].victim), (1, 2));
}

#[test]
fn an_avatar_that_joins_is_protected_for_two_seconds() {
    let mut test = duel();
    let newcomer = test.join();
    test.run(1);
    place(&mut test, newcomer, Vec2::new(20.0, 10.0));
    assert_eq!(protected_for(&test, newcomer), PROTECTED);
    test.press(0, Pad { fire: true, ..Pad::default() });
    test.run(PROTECTED - 1);
    assert_eq!((hp(&test, newcomer), hp(&test, 1)), (100, 0), "shots pass through the newcomer");
    test.run(HZ);
    assert!(hp(&test, newcomer) < 100);
}

/// Returns the ticks for which everybody is told that a player is protected.
fn protected_for(test: &TestRoom<Arena>, player: usize) -> u32 {
    let until = |from: usize| {
        let view = test.view(from);
        let mut shields = view.iter::<Shield>().filter(|(id, _)| view.owner(*id) == Some(test.seat(player)));
        shields.next().expect("every avatar has a shield").1.until
    };
    assert_eq!(until(0), until(1));
    until(0).saturating_sub(test.view(0).tick().0)
}

#[test]
fn nothing_ends_the_protection_of_a_respawned_avatar_early() {
    let mut test = duel();
    shoot_down(&mut test);
    // The fallen player holds the trigger all the time, and their enemy shoots from next to them.
    test.press(1, Pad { fire: true, aim: 1.5, ..Pad::default() });
    test.press(0, Pad { fire: true, ..Pad::default() });
    while hp(&test, 1) == 0 {
        test.run(1);
    }
    place(&mut test, 0, Vec2::new(17.0, 10.0));
    place(&mut test, 1, Vec2::new(19.0, 10.0));
    assert!(protected_for(&test, 1) > PROTECTED);
    for tick in 1..=PROTECTED {
        test.run(1);
        let shots = test.view(0).iter::<Shot>().filter(|(id, _)| test.view(0).owner(*id) == Some(test.seat(1))).count();
        assert_eq!((hp(&test, 1), shots), (100, 0), "{tick} ticks after the respawn");
    }
    assert_eq!(protected_for(&test, 1), 1);
    test.run(1);
    let view = test.view(0);
    assert!(view.iter::<Shot>().any(|(id, _)| view.owner(id) == Some(test.seat(1))), "the held trigger fires");
    // The enemy may have to reload first.
    test.run(HZ * 2);
    assert!(hp(&test, 1) < 100);
}

#[test]
fn a_wall_stops_shots() {
    let mut test = duel();
    place(&mut test, 0, Vec2::new(16.0, 15.0));
    place(&mut test, 1, Vec2::new(23.0, 15.0));
    test.press(0, Pad { fire: true, ..Pad::default() });
    test.run(HZ * 2);
    assert_eq!(hp(&test, 1), 100);
    assert!(test.view(0).iter::<Shot>().count() <= 1, "shots that have ended are despawned");
}

#[test]
fn an_empty_magazine_reloads_by_itself() {
    let mut test = duel();
    let ammo = |test: &TestRoom<Arena>| test.view(0).me::<Ammo>().unwrap().0;
    test.press(0, Pad { fire: true, aim: 3.0, ..Pad::default() });
    test.run(HZ * 5 / 2);
    assert_eq!(ammo(&test), 0);
    test.press(0, Pad::default());
    test.run(HZ * 3 / 2);
    assert_eq!(ammo(&test), 12);
    let other = test.view(1);
    assert!(other.iter::<Ammo>().all(|(id, _)| other.owner(id) == Some(other.seat())), "only the owner sees its ammunition");
}

#[test]
fn a_manual_reload_takes_time() {
    let mut test = duel();
    test.press(0, Pad { fire: true, aim: 3.0, ..Pad::default() });
    test.run(3);
    test.press(0, Pad { reload: true, ..Pad::default() });
    test.run(6);
    assert_eq!(test.view(0).me::<Ammo>().unwrap().0, 0);
    test.run(HZ * 3 / 2);
    assert_eq!(test.view(0).me::<Ammo>().unwrap().0, 12);
}

#[test]
fn a_fallen_player_respawns_far_away() {
    let mut test = duel();
    shoot_down(&mut test);
    place(&mut test, 0, Vec2::new(3.0, 3.0));
    test.run(HZ * 3);
    assert_eq!(hp(&test, 1), 100);
    assert!(at(&test, 1).distance(at(&test, 0)) > 15.0);
}

#[test]
fn a_fallen_player_neither_walks_nor_shoots() {
    let mut test = duel();
    shoot_down(&mut test);
    let fell = at(&test, 1);
    test.press(1, Pad { dir: Dir8::N, fire: true, ..Pad::default() });
    test.run(10);
    assert_eq!(at(&test, 1), fell);
    let (view, fallen) = (test.view(0), test.seat(1));
    assert!(view.iter::<Shot>().all(|(id, _)| view.owner(id) != Some(fallen)));
}

#[test]
fn the_frag_limit_ends_the_match() {
    let config = ArenaConfig { frag_limit: 1, ..ArenaConfig::default() };
    let mut test = TestRoom::<Arena>::with_config(7, config).seats(2);
    test.run(PROTECTED + 1);
    place(&mut test, 0, Vec2::new(17.0, 10.0));
    place(&mut test, 1, Vec2::new(22.0, 10.0));
    assert!(test.outcome().is_none());
    test.press(0, Pad { fire: true, ..Pad::default() });
    test.run(HZ * 3);
    assert_eq!(test.outcome(), Some(&Outcome::winner(Seat(1))));
}

/// Returns a match of two teams of two with a frag limit of one. Seats 1 and 3 stand in a row, with seat 2 behind them.
fn sides() -> TestRoom<Arena> {
    let config = ArenaConfig { frag_limit: 1, ..ArenaConfig::default() };
    let mut test = TestRoom::<Arena>::with_config(7, config);
    test.room().plan(SeatPlan::new(4).teams(2));
    let mut test = test.seats(4);
    test.run(PROTECTED + 1);
    for (player, x) in [(0, 17.0), (2, 19.0), (1, 22.0)] {
        place(&mut test, player, Vec2::new(x, 10.0));
    }
    place(&mut test, 3, Vec2::new(3.0, 3.0));
    test
}

#[test]
fn shots_pass_through_team_mates_and_a_team_wins_together() {
    let mut test = sides();
    assert_eq!((0..4).map(|player| test.view(player).me::<Side>().unwrap().0).collect::<Vec<_>>(), [1, 2, 1, 2]);
    test.press(0, Pad { fire: true, ..Pad::default() });
    test.run(10);
    assert_eq!((hp(&test, 2), hp(&test, 1)), (100, 80));
    test.run(HZ);
    assert_eq!(test.outcome(), Some(&Outcome::winners([Seat(1), Seat(3)])));
}

#[test]
fn bots_do_not_shoot_at_team_mates() {
    let mut test = TestRoom::<Arena>::new(3).bots();
    test.room().plan(SeatPlan::new(2).fill(2).teams(1));
    let mut test = test.seats(1);
    test.run(HZ * 10);
    assert_eq!(test.view(0).iter::<Side>().count(), 2);
    assert!(test.view(0).iter::<Shot>().count() == 0 && test.events::<Hit>(0).is_empty());
}

#[test]
fn the_time_limit_ends_the_match() {
    let config = ArenaConfig { minutes: 1, map: MapName::Cellar, ..ArenaConfig::default() };
    let mut test = TestRoom::<Arena>::with_config(7, config).seats(2);
    test.run(HZ * 60 - 2);
    assert!(test.outcome().is_none());
    test.run(4);
    assert_eq!(test.outcome(), Some(&Outcome::draw()), "nobody has scored a frag");
}

#[test]
fn players_start_far_from_each_other() {
    let mut test = TestRoom::<Arena>::new(7).seats(4);
    test.run(1);
    for a in 0..4 {
        for b in 0..a {
            let apart = at(&test, a).distance(at(&test, b));
            assert!(apart > 10.0, "{a} and {b} are {apart} apart");
        }
    }
}

#[test]
fn bots_find_each_other_and_fight() {
    for map in [MapName::Courtyard, MapName::Cellar] {
        let config = ArenaConfig { map, frag_limit: 100, minutes: 60 };
        let mut test = TestRoom::<Arena>::with_config(3, config).bots().strength(Strength::Normal).seats(1);
        test.run(HZ * 60);
        let view = test.view(0);
        let all: Vec<u16> = view.iter::<Frags>().map(|(_, frags)| frags.0).collect();
        let sum: u16 = all.iter().sum();
        assert!((15..=90).contains(&sum), "the frags of five bots in a minute on {map:?}: {all:?}");
        assert!(all.iter().filter(|frags| **frags > 0).count() >= 3, "fewer than three bots scored: {all:?}");
    }
}

#[test]
fn bots_keep_looking_for_an_enemy() {
    let mut test = TestRoom::<Arena>::new(3).bots().seats(1);
    let mut still: BTreeMap<Seat, (Vec2, u32)> = BTreeMap::new();
    for second in 1..=60 {
        test.run(HZ);
        let (view, me) = (test.view(0), test.seat(0));
        for (id, pos) in view.iter::<Pos>() {
            let seat = view.owner(id).unwrap();
            let stands = seat != me && view.get::<Hp>(id).unwrap().0 > 0;
            let (before, count) = still.get(&seat).copied().unwrap_or((pos.at, 0));
            let count = if stands && before == pos.at { count + 1 } else { 0 };
            assert!(count < 3, "the bot of seat {seat} stands at {before} for {count} s, {second} s into the match");
            still.insert(seat, (pos.at, count));
        }
    }
}

#[test]
fn a_configuration_out_of_range_is_refused() {
    let check = |frag_limit, minutes| Arena::check(&ArenaConfig { frag_limit, minutes, ..ArenaConfig::default() });
    assert_eq!(check(20, 5), Ok(()));
    assert_eq!(check(0, 5), Err("frag_limit is 0, but must be from 1 to 100".into()));
    assert_eq!(check(20, 61), Err("minutes is 61, but must be from 1 to 60".into()));
}
