//! The rules, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use swarm::{Crumb, MOST_CELLS, Mass, Pad, Pos, SPLIT_AT, START, Standing, Swallowed, Swarm, SwarmConfig, radius};
use tickcast::prelude::*;

/// A world without crumbs.
fn bare(players: usize) -> TestRoom<Swarm> {
    let mut test = TestRoom::<Swarm>::with_config(7, SwarmConfig { crumbs: 0, ..SwarmConfig::default() }).seats(players);
    test.run(2);
    test
}

/// The cells of a seat: where they are, and their masses.
fn cells(test: &mut TestRoom<Swarm>, seat: u8) -> Vec<(Vec2, f32)> {
    let world = test.world();
    let mut cells = world.query::<(&Seat, &Pos, &Mass)>();
    cells.iter(world).filter(|(owner, ..)| owner.0 == seat).map(|(_, pos, mass)| (pos.at, mass.0)).collect()
}

/// Puts the only cell of a seat somewhere, with a mass.
fn put(test: &mut TestRoom<Swarm>, seat: u8, at: Vec2, mass: f32) {
    let world = test.world();
    let mut cells = world.query::<(&Seat, &mut Pos, &mut Mass)>();
    let (_, mut pos, mut weight) = cells.iter_mut(world).find(|(owner, ..)| owner.0 == seat).unwrap();
    (pos.at, weight.0) = (at, mass);
}

fn mass(cells: &[(Vec2, f32)]) -> f32 {
    cells.iter().map(|(_, mass)| mass).sum()
}

#[test]
fn a_player_begins_with_one_cell_and_is_seen_by_all() {
    let mut test = bare(2);
    assert_eq!(cells(&mut test, 1).len(), 1);
    assert_eq!(mass(&cells(&mut test, 2)), START);
    test.run(20);
    let standings: Vec<u16> = test.view(0).iter::<Standing>().map(|(_, standing)| standing.mass).collect();
    assert_eq!(standings, [START as u16; 2]);
}

#[test]
fn a_cell_eats_the_crumbs_below_it_and_goes_where_its_player_wants() {
    let mut test = bare(1);
    put(&mut test, 1, Vec2::new(100.0, 100.0), START);
    for x in [101.0, 104.0, 107.0] {
        test.world().spawn((Pos { at: Vec2::new(x, 100.0) }, Crumb));
    }
    test.world().spawn((Pos { at: Vec2::new(104.0, 120.0) }, Crumb));
    test.press(0, Pad { aim: 0.0, pace: 1.0, split: false });
    test.run(40);
    let [(at, mass)] = cells(&mut test, 1)[..] else { panic!("one cell") };
    assert!(at.x > 107.0 && (at.y - 100.0).abs() < 0.1, "{at}");
    assert_eq!(mass, START + 3.0);
    assert_eq!(test.view(0).iter::<Crumb>().count(), 1, "the one beside the way is left");
}

#[test]
fn a_large_cell_eats_a_small_one_whose_player_comes_back() {
    let mut test = bare(2);
    put(&mut test, 1, Vec2::new(100.0, 100.0), 100.0);
    put(&mut test, 2, Vec2::new(101.0, 100.0), 50.0);
    test.run(1);
    assert_eq!((mass(&cells(&mut test, 1)), cells(&mut test, 2).len()), (150.0, 0));
    assert_eq!(test.events::<Swallowed>(1), [Swallowed { by: 1, whom: 2 }]);
    test.run(39);
    assert_eq!(cells(&mut test, 2).len(), 0);
    test.run(3);
    assert_eq!(mass(&cells(&mut test, 2)), START);
}

#[test]
fn cells_of_about_one_size_leave_each_other_alone() {
    let mut test = bare(2);
    put(&mut test, 1, Vec2::new(100.0, 100.0), 100.0);
    put(&mut test, 2, Vec2::new(100.5, 100.0), 81.0);
    test.run(10);
    assert_eq!((cells(&mut test, 1).len(), cells(&mut test, 2).len()), (1, 1));
}

#[test]
fn a_cell_splits_flies_off_and_merges_again_and_no_mass_is_lost() {
    let mut test = bare(1);
    put(&mut test, 1, Vec2::new(150.0, 150.0), 2.0 * SPLIT_AT);
    test.press(0, Pad { aim: 0.0, pace: 0.0, split: true });
    test.run(1);
    let halves = cells(&mut test, 1);
    assert_eq!(halves.iter().map(|(_, mass)| *mass).collect::<Vec<_>>(), [SPLIT_AT; 2]);
    test.press(0, Pad { aim: 0.0, pace: 0.0, split: false });
    test.run(30);
    let apart = cells(&mut test, 1);
    assert!(apart[0].0.distance(apart[1].0) > 5.0, "{apart:?}");
    // The first half follows, because the other one waits at the border of the world.
    test.press(0, Pad { aim: 0.0, pace: 1.0, split: false });
    test.run(20 * 40);
    assert_eq!(cells(&mut test, 1).len(), 1);
    assert_eq!(mass(&cells(&mut test, 1)), 2.0 * SPLIT_AT);
}

#[test]
fn small_cells_do_not_split_and_a_player_has_eight_at_most() {
    let mut test = bare(1);
    put(&mut test, 1, Vec2::new(150.0, 150.0), SPLIT_AT - 1.0);
    test.press(0, Pad { split: true, ..Pad::default() });
    test.run(1);
    assert_eq!(cells(&mut test, 1).len(), 1);
    put(&mut test, 1, Vec2::new(150.0, 150.0), 90.0);
    for n in 0..20 {
        put(&mut test, 1, Vec2::new(150.0, 150.0), 90.0 + n as f32);
        test.press(0, Pad { aim: n as f32, pace: 0.0, split: n % 2 == 0 });
        test.run(1);
    }
    let cells = cells(&mut test, 1);
    assert!((2..=MOST_CELLS).contains(&cells.len()), "{} cells", cells.len());
}

#[test]
fn a_player_who_leaves_takes_their_cells_along() {
    let mut test = bare(2);
    test.leave(1);
    test.run(1);
    assert_eq!(cells(&mut test, 2).len(), 0);
}

#[test]
fn the_heaviest_wins_when_time_is_over() {
    let config = SwarmConfig { minutes: 1, crumbs: 0 };
    let mut test = TestRoom::<Swarm>::with_config(7, config).seats(2);
    test.run(2);
    put(&mut test, 2, Vec2::new(10.0, 10.0), 50.0);
    test.run(20 * 60 - 3);
    assert_eq!(test.outcome(), None);
    test.run(1);
    assert_eq!(test.outcome(), Some(&Outcome::winner(Seat(2))));
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    for config in [SwarmConfig { minutes: 0, ..SwarmConfig::default() }, SwarmConfig { crumbs: 5001, ..SwarmConfig::default() }] {
        assert!(Swarm::check(&config).unwrap_err().contains("must be from"));
    }
    assert_eq!(Swarm::check(&SwarmConfig::default()), Ok(()));
}

#[test]
fn a_saved_match_goes_on_as_it_would_have() {
    let mut test = TestRoom::<Swarm>::with_config(3, SwarmConfig { crumbs: 400, ..SwarmConfig::default() }).bots();
    test.run(100);
    let saved = test.room().save();
    let def = tickcast::game::GameDef::new::<Swarm>().unwrap();
    let mut restored = tickcast::room::Room::restore(&def, &saved).unwrap();
    for _ in 0..60 {
        test.run(1);
        restored.tick();
    }
    assert_eq!(test.room().checksum(), restored.checksum());
}

#[test]
fn bots_eat_and_the_stronger_ones_eat_more() {
    let grown = |strength: Strength| {
        let config = SwarmConfig { crumbs: 1500, ..SwarmConfig::default() };
        let mut test = TestRoom::<Swarm>::with_config(11, config).bots().strength(strength);
        test.run(20 * 20);
        let world = test.world();
        let mut standings = world.query::<&Standing>();
        standings.iter(world).map(|standing| u32::from(standing.mass)).sum::<u32>()
    };
    let (easy, hard) = (grown(Strength::Easy), grown(Strength::Hard));
    assert!(easy > 30 * START as u32 && hard > easy, "{easy}, {hard}");
}

#[test]
fn a_radius_grows_with_the_root_of_the_mass() {
    assert_eq!(radius(400.0), 2.0 * radius(100.0));
}

/// The bar for a player's line in a full world: 25 kB a second.
#[test]
fn a_hundred_in_one_world_cost_a_client_less_than_25_kilobytes_a_second() {
    let mut test = TestRoom::<Swarm>::new(5).seats(100);
    test.run(20 * 5);
    let before: Vec<usize> = (0..100).map(|player| test.frame_bytes(player).len()).collect();
    for tick in 0..20 * 5u32 {
        for player in 0..100 {
            let aim = (player as f32 + tick as f32 * 0.02) % std::f32::consts::TAU;
            test.press(player, Pad { aim, pace: 1.0, split: tick % 40 == 0 });
        }
        test.run(1);
    }
    for (player, &before) in before.iter().enumerate() {
        let bytes: usize = test.frame_bytes(player)[before..].iter().sum();
        assert!(bytes / 5 < 25_000, "player {player} got {} bytes a second", bytes / 5);
    }
    assert_eq!(test.view(0).iter::<Standing>().count(), 100, "everybody knows how everybody stands");
}
