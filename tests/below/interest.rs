//! The view of a seat in a match with a grid.

use crate::field::*;
use tickcast::{game::GameDef, prelude::*, protocol::Replicate, room::Room};

/// Two players side by side in the middle of cell (0, 0), and one ten cells away.
fn table() -> TestRoom<Field<0, 0>> {
    let mut table = TestRoom::new(1).seats(3);
    table.run(1);
    put(&mut table, 1, 4.0, 4.0);
    put(&mut table, 2, 4.0, 4.0);
    put(&mut table, 3, 84.0, 4.0);
    table.run(2);
    table
}

fn spawn(table: &mut TestRoom<Field<0, 0>>, tag: u32, x: f32, y: f32) -> Entity {
    table.world().spawn((Tag(tag), Pos { hits: 0, at: Vec2::new(x, y) }, Hp(9))).id()
}

#[test]
fn a_seat_sees_its_own_cell_and_those_around_it() {
    let mut table = table();
    for (tag, x) in [(10, 4.0), (11, 15.9), (12, 16.1), (13, -7.9), (14, -8.1)] {
        spawn(&mut table, tag, x, 4.0);
    }
    table.run(1);
    assert_eq!(tags(&mut table, 0), [1, 2, 10, 11, 13]);
    assert_eq!(tags(&mut table, 2), [3]);
}

#[test]
fn entering_a_view_spawns_and_leaving_it_despawns() {
    let mut table = table();
    let entity = spawn(&mut table, 10, 40.0, 4.0);
    table.run(1);
    assert_eq!((tags(&mut table, 0), tags(&mut table, 2)), (vec![1, 2], vec![3]));
    let frames = table.frame_bytes(2).len();
    put(&mut table, 10, 12.0, 4.0);
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10][&Hp::ID], [9], "it comes with all that it has");
    table.world().get_mut::<Hp>(entity).unwrap().0 = 8;
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10][&Hp::ID], [8]);
    put(&mut table, 10, 40.0, 4.0);
    table.run(1);
    assert_eq!((tags(&mut table, 0), tags(&mut table, 2)), (vec![1, 2], vec![3]));
    assert_eq!(table.mirror(0).entities().count(), 2, "nothing is left of it, not even an empty entity");
    assert_eq!(table.frame_bytes(2).len(), frames, "who is elsewhere hears nothing");
}

#[test]
fn a_view_moves_with_its_seat() {
    let mut table = table();
    spawn(&mut table, 10, 30.0, 4.0);
    spawn(&mut table, 11, -4.0, 4.0);
    table.run(1);
    assert_eq!(tags(&mut table, 0), [1, 2, 11]);
    put(&mut table, 1, 20.0, 4.0);
    table.run(1);
    assert_eq!(tags(&mut table, 0), [1, 10], "player 1 and entity 11 are behind, entity 10 ahead");
    assert_eq!(tags(&mut table, 1), [2, 11], "and who stayed lost sight of who went");
}

#[test]
fn walking_along_a_border_does_not_flicker() {
    let mut table = table();
    spawn(&mut table, 10, 15.5, 4.0);
    table.run(1);
    for step in 0..100 {
        // Seen from cell 0, the view ends at 16; the margin is 1.
        put(&mut table, 10, if step % 2 == 0 { 16.9 } else { 15.1 }, 4.0);
        put(&mut table, 2, if step % 3 == 0 { 8.9 } else { 7.0 }, 4.0);
        table.run(1);
        assert!(tags(&mut table, 0).contains(&10) && tags(&mut table, 1).contains(&10), "step {step}");
    }
    put(&mut table, 10, 17.2, 4.0);
    table.run(1);
    assert!(!tags(&mut table, 0).contains(&10), "beyond the margin it is gone");
    put(&mut table, 10, 15.1, 4.0);
    table.run(1);
    assert!(!tags(&mut table, 0).contains(&10), "and it is not back before it is as far within");
}

#[test]
fn an_entity_without_a_position_is_seen_by_all() {
    let mut table = table();
    let score = table.world().spawn((Tag(10), Hp(1))).id();
    table.run(1);
    assert!((0..3).all(|player| tags(&mut table, player).contains(&10)));
    table.world().entity_mut(score).insert(Pos { hits: 0, at: Vec2::new(84.0, 4.0) });
    table.run(1);
    assert_eq!([0, 1, 2].map(|player| tags(&mut table, player).contains(&10)), [false, false, true]);
    table.world().entity_mut(score).remove::<Pos>();
    table.run(1);
    assert!((0..3).all(|player| tags(&mut table, player).contains(&10)));
}

#[test]
fn a_team_and_an_owner_see_their_part_wherever_it_is() {
    let mut table = table();
    let parts = (Radar { tag: 10, blip: 1 }, Purse { tag: 10, coins: 5 }, Team(1));
    let far = spawn(&mut table, 10, 500.0, 500.0);
    table.world().entity_mut(far).insert(parts);
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10].keys().copied().collect::<Vec<_>>(), [Radar::ID], "seats 1 and 3 are on team 1");
    assert!(!tags(&mut table, 1).contains(&10));
    put(&mut table, 10, 4.0, 4.0);
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10].keys().copied().collect::<Vec<_>>(), [Pos::ID, Tag::ID, Radar::ID, Hp::ID]);
    assert_eq!(held(&mut table, 1)[&10].keys().copied().collect::<Vec<_>>(), [Pos::ID, Tag::ID, Hp::ID]);
    put(&mut table, 10, 500.0, 500.0);
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10].keys().copied().collect::<Vec<_>>(), [Radar::ID], "the rest of it is removed");
    assert!(!tags(&mut table, 1).contains(&10), "for others it is despawned");
    table.world().entity_mut(far).insert(Seat(2));
    table.run(1);
    assert!(held(&mut table, 1)[&10].contains_key(&Purse::ID), "an owner sees it, and from where it is");
    assert!(held(&mut table, 1)[&10].contains_key(&Hp::ID));
}

#[test]
fn a_seat_without_entities_keeps_its_last_view() {
    let mut table = table();
    spawn(&mut table, 10, 12.0, 4.0);
    let avatar = entity(&mut table, 1);
    table.world().despawn(avatar);
    table.run(1);
    assert_eq!(tags(&mut table, 0), [2, 10]);
    put(&mut table, 10, 60.0, 4.0);
    table.run(1);
    assert_eq!(tags(&mut table, 0), [2]);
}

#[test]
fn a_new_player_does_not_inherit_the_previous_view() {
    let mut table = table();
    let avatar = entity(&mut table, 1);
    table.world().despawn(avatar);
    table.run(1);
    assert_eq!(tags(&mut table, 0), [2]);
    table.leave(0);
    table.run(1);
    assert_eq!(table.room().view(Seat(1)).iter::<Tag>().count(), 0, "a free seat looks from nowhere");
    let again = table.join();
    assert_eq!(table.seat(again), Seat(1));
    table.run(1);
    assert_eq!(tags(&mut table, again), [1], "the new avatar is at (100, 4)");
}

#[test]
fn a_cell_is_encoded_once_for_every_seat_that_sees_it() {
    let mut table = TestRoom::<Field<0, 0>>::new(1).seats(8);
    table.run(1);
    (1..9).for_each(|seat| put(&mut table, seat, 4.0, 4.0));
    table.run(2);
    let before = table.stats().clone();
    for step in 0..10 {
        (1..9).for_each(|seat| put(&mut table, seat, 5.0 - (step % 2) as f32, 4.0));
        table.run(1);
    }
    assert_eq!(table.stats().frames - before.frames, 80);
    assert_eq!(table.stats().blocks - before.blocks, 10, "eight in one cell");
    (1..9).for_each(|seat| put(&mut table, seat, if seat < 5 { 4.0 } else { 20.0 }, 4.0));
    table.run(1);
    let before = table.stats().clone();
    (1..9).for_each(|seat| put(&mut table, seat, if seat < 5 { 12.0 } else { 20.0 }, 4.0));
    table.run(1);
    assert_eq!(table.stats().frames - before.frames, 8);
    assert_eq!(table.stats().blocks - before.blocks, 3, "four come into view, for whom four come into view, and see each other");
}

#[test]
fn a_bot_sees_no_more_than_a_client() {
    let mut table = table();
    spawn(&mut table, 10, 12.0, 4.0);
    spawn(&mut table, 11, 30.0, 4.0);
    table.run(1);
    for player in 0..3 {
        let mut seen: Vec<u32> = table.view(player).iter::<Tag>().map(|(_, tag)| tag.0).collect();
        seen.sort_unstable();
        assert_eq!(seen, tags(&mut table, player));
    }
    let far = table.view(2).iter::<Tag>().find(|(_, tag)| tag.0 == 3).unwrap().0;
    assert_eq!((table.view(0).get::<Tag>(far), table.view(0).owner(far)), (None, None));
    assert_eq!(table.view(2).owner(far), Some(Seat(3)));
}

#[test]
fn lost_frames_are_made_good_across_cells() {
    let mut table = table();
    spawn(&mut table, 10, 12.0, 4.0);
    spawn(&mut table, 11, 40.0, 4.0);
    spawn(&mut table, 12, -4.0, 4.0);
    table.run(1);
    table.drop_next(0, 1);
    put(&mut table, 10, 40.0, 4.0);
    put(&mut table, 11, 12.0, 4.0);
    table.run(1);
    put(&mut table, 1, 20.0, 4.0);
    table.run(3);
    assert_eq!((table.stats().missed, table.stats().merged), (1, 1));
    assert_eq!(tags(&mut table, 0), [1, 11]);
    table.disconnect(0);
    put(&mut table, 1, 4.0, 4.0);
    table.run(5);
    let (snapshots, merged) = (table.stats().snapshots, table.stats().merged);
    table.resume(0).unwrap();
    table.run(1);
    assert_eq!((table.stats().snapshots, table.stats().merged), (snapshots, merged + 1), "what it held in view is known");
    assert_eq!(tags(&mut table, 0), [1, 2, 11, 12]);
}

#[test]
fn a_component_with_a_rate_is_sent_at_that_rate() {
    let mut table = table();
    let entity = spawn(&mut table, 10, 4.0, 4.0);
    while !table.room().current_tick().0.is_multiple_of(5) {
        table.run(1);
    }
    table.run(1);
    table.world().entity_mut(entity).insert(Mood(7));
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10][&Mood::ID], [7], "that it is there is told at once");
    let mut told = Vec::new();
    for mood in 20..35 {
        table.world().get_mut::<Mood>(entity).unwrap().0 = mood;
        table.run(1);
        let tick = table.room().current_tick().0;
        if tick.is_multiple_of(5) {
            told.push(i64::from(mood));
        }
        assert_eq!(held(&mut table, 0)[&10][&Mood::ID], [*told.last().unwrap_or(&7)], "tick {tick}");
    }
    assert_eq!(told.len(), 3);
    table.world().entity_mut(entity).remove::<Mood>();
    table.run(1);
    assert!(!held(&mut table, 0)[&10].contains_key(&Mood::ID), "and that it is gone");
}

#[test]
fn a_far_entity_is_sent_rarely_and_at_once_when_near() {
    let mut table = TestRoom::<Field<4, 0>>::new(1).seats(1);
    table.run(1);
    put(&mut table, 1, 4.0, 4.0);
    let far = table.world().spawn((Tag(10), Pos { hits: 0, at: Vec2::new(20.0, 4.0) }, Hp(0))).id();
    table.run(2);
    let mut changes = 0;
    for hp in 1..=40 {
        let before = held(&mut table, 0)[&10][&Hp::ID].clone();
        table.world().get_mut::<Hp>(far).unwrap().0 = hp;
        table.run(1);
        let now = held(&mut table, 0)[&10][&Hp::ID].clone();
        changes += u32::from(before != now);
        assert!(i64::from(hp) - now[0] < 4);
    }
    assert!((10..=12).contains(&changes), "{changes} updates in 40 ticks, with those for two checksums");
    table.world().entity_mut(far).insert(Mood(1));
    table.run(1);
    assert!(held(&mut table, 0)[&10].contains_key(&Mood::ID), "a new component is told at once");
    put(&mut table, 1, 12.0, 4.0);
    table.run(1);
    assert_eq!(held(&mut table, 0)[&10][&Hp::ID], [40], "near, it is as it is");
    put(&mut table, 1, 4.0, 4.0);
    table.run(1);
    table.world().despawn(far);
    table.run(1);
    assert_eq!(tags(&mut table, 0), [1], "that it is gone is told at once");
}

#[test]
fn a_restored_match_knows_where_seats_looked_from() {
    let mut table = table();
    let avatar = entity(&mut table, 1);
    table.world().despawn(avatar);
    table.run(1);
    let saved = table.room().save();
    let again = Room::restore(&table.room().def().clone(), &saved).unwrap();
    let seen: Vec<Tag> = again.view(Seat(1)).iter::<Tag>().map(|(_, tag)| tag).collect();
    assert_eq!(seen, [Tag(2)]);
}

#[test]
fn a_grid_that_makes_no_sense_is_an_error_that_says_so() {
    #[derive(Component, Replicate)]
    #[replicate(id = 1)]
    struct Level(u8);
    struct Wrong<const N: u8>;
    impl<const N: u8> Game for Wrong<N> {
        const NAME: &'static str = "wrong";
        type Input = Pad;
        type Config = NoConfig;
        fn build(m: &mut MatchBuilder<Self>) {
            m.replicate::<Level>();
            match N {
                0 => m.interest(Grid::<Level>::cells(8.0)),
                1 => m.interest(Grid::<Pos>::cells(8.0)),
                2 => m.interest(Grid::<Pos>::cells(0.0)),
                _ => m.interest(Grid::<Pos>::cells(8.0).radius(17)),
            };
        }
    }
    let errors = [GameDef::new::<Wrong<0>>(), GameDef::new::<Wrong<1>>(), GameDef::new::<Wrong<2>>(), GameDef::new::<Wrong<3>>()];
    let errors = errors.map(|wrong| wrong.err().unwrap().to_string());
    assert!(errors[0].contains("Level, which has no field of type Vec2"), "{errors:?}");
    assert!(errors[1].contains("Pos, which is not replicated"), "{errors:?}");
    assert!(errors[2].contains("larger than 0"), "{errors:?}");
    assert!(errors[3].contains("at most 16 rings"), "{errors:?}");
}

#[test]
fn a_restored_match_goes_on_alike() {
    let mut table = TestRoom::<Field<3, 0>>::new(5).bots();
    let spawned = (0..40u32).map(|n| (n, Vec2::new((n % 8) as f32 * 7.3 + 80.0, (n / 8) as f32 * 6.1 - 10.0)));
    let spawned: Vec<_> = spawned.map(|(n, at)| (Tag(n + 10), Pos { hits: 0, at }, Drift(at / 900.0), Mood(n as u8))).collect();
    table.world().spawn_batch(spawned);
    for ticks in [1, 17, 40, 83] {
        table.run(ticks);
        let world = table.world();
        world.query::<&mut Mood>().iter_mut(world).for_each(|mut mood| mood.0 = mood.0.wrapping_mul(7).wrapping_add(3));
        table.run(1);
        let saved = table.room().save();
        let mut again = Room::restore(&table.room().def().clone(), &saved).unwrap();
        let again_saved = again.save();
        assert!(saved == again_saved, "what is restored is what was saved");
        let first: Vec<u64> = (0..60).map(|_| (table.run(1), table.room().checksum()).1).collect();
        let second: Vec<u64> = (0..60).map(|_| (again.tick(), again.checksum()).1).collect();
        let differs = first.iter().zip(&second).position(|(a, b)| a != b);
        assert_eq!(differs, None, "ticks after the restore");
    }
}
