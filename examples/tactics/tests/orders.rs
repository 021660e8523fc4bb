//! The rules of a game in virtual time: moves, blows, undo, clocks, and the ways in which it ends.

mod support;

use proptest::prelude::*;
use support::{Duel, RATE, hidden};
use tactics::{
    EndTurn, Hex, Kind, Move, OfferDraw, Refusal, Refused, Resign, Stepped, Strike, Struck, Tactics, TacticsConfig, Terrain, Undo,
};
use tickcast::{
    game::GameDef,
    prelude::*,
    room::{Room, SeatPlan},
};

#[test]
fn both_armies_stand_opposite_and_see_nothing_of_each_other() {
    let duel = Duel::start();
    for player in 0..2 {
        assert_eq!(duel.units(player).len(), 6);
        assert_eq!(duel.figures(player), [], "nobody is in sight");
    }
    let [mut ours, theirs] = [0, 1].map(|player| duel.units(player).into_iter().map(|unit| unit.hex()).collect::<Vec<_>>());
    ours.iter_mut().for_each(|hex| *hex = hex.opposite());
    assert_eq!(ours, theirs);
    assert_eq!(duel.table().round, 1);
}

#[test]
fn a_match_rests_while_a_player_thinks() {
    let mut duel = Duel::start();
    duel.test.run(3);
    let before = duel.test.stats().ticks;
    duel.test.run(200 * RATE);
    assert_eq!(duel.test.stats().ticks, before);
    duel.step_by(2, 0, -1);
    assert!(duel.test.stats().ticks <= before + 2);
}

#[test]
fn a_unit_moves_as_far_as_its_points_and_the_terrain_allow() {
    let mut duel = Duel::start();
    duel.put(Hex::at(-3, 3), Terrain::Forest);
    duel.put(Hex::at(-1, 3), Terrain::Water);
    let all = |q, r| Move { unit: 2, q, r };
    assert_eq!(duel.refusal(0, &all(-3, 0)), Some(Refusal::OutOfReach), "the forest costs two of three points");
    assert_eq!(duel.refusal(0, &all(-1, 3)), Some(Refusal::OutOfReach), "no unit enters water");
    assert_eq!(duel.refusal(0, &all(-2, 4)), Some(Refusal::OutOfReach), "a unit is there");
    assert_eq!(duel.refusal(0, &all(-3, 4)), Some(Refusal::OutOfReach), "it is there already");
    assert_eq!(duel.refusal(0, &all(100, -100)), Some(Refusal::OutOfReach));
    assert_eq!(duel.refusal(0, &Move { unit: 9, q: 0, r: 0 }), Some(Refusal::NoSuchUnit));
    assert_eq!(duel.refusal(0, &all(-3, 3)), None);
    assert_eq!((duel.unit(0, 2).hex(), duel.unit(0, 2).moves), (Hex::at(-3, 3), 1));
    assert_eq!(duel.test.events::<Stepped>(0).len(), 1);
    assert_eq!(duel.test.events::<Stepped>(1), [], "the enemy does not hear of it");
}

#[test]
fn a_unit_halts_where_it_first_sees_an_enemy() {
    let mut duel = Duel::start();
    duel.place(1, 1, Hex::at(-2, -1));
    duel.look();
    // The scout sees over four hexes, and wants to go five.
    duel.order(0, &Move { unit: 6, q: -2, r: -1 });
    assert_eq!(duel.unit(0, 6).hex(), Hex::at(-2, 3));
    assert_eq!(duel.unit(0, 6).moves, 4, "it can go on");
    assert_eq!(duel.figures(0), [(2, 1)]);
    assert_eq!(duel.figures(1), [(2, 1)], "a captain sees over three, and not the scout");
}

#[test]
fn a_forest_hides_from_all_but_neighbours() {
    let mut duel = Duel::start();
    duel.put(Hex::at(-2, 1), Terrain::Forest);
    duel.place(1, 3, Hex::at(-2, 1));
    duel.look();
    assert_eq!(duel.figures(0), []);
    duel.step_by(6, 0, -2);
    assert_eq!(duel.figures(0), [(1, 6), (2, 3)], "they are neighbours now, and see each other");
}

#[test]
fn terrain_blocks_the_view_and_a_hill_shows_more() {
    let mut duel = Duel::start();
    duel.place(1, 2, Hex::at(-2, 0));
    duel.put(Hex::at(-2, 3), Terrain::Hill);
    duel.put(Hex::at(-2, 1), Terrain::Forest);
    duel.look();
    assert_eq!(duel.figures(0), [], "a hill is between");
    duel.order(0, &Move { unit: 6, q: -2, r: 3 });
    assert_eq!(duel.figures(0), [(2, 2)], "from the hill one sees over the forest");
}

#[test]
fn a_move_that_showed_nothing_can_be_taken_back() {
    let mut duel = Duel::start();
    assert_eq!(duel.refusal(0, &Undo), Some(Refusal::NothingToUndo));
    let before = [2, 3].map(|number| duel.unit(0, number));
    duel.step_by(2, 0, -1);
    duel.step_by(3, 0, -1);
    // Another unit takes the place of the first.
    duel.order(0, &Move { unit: 4, q: -3, r: 4 });
    assert_eq!(duel.undoable(0), 3);
    for left in (0..3).rev() {
        assert_eq!(duel.refusal(0, &Undo), None);
        assert_eq!(duel.undoable(0), left);
    }
    assert_eq!([2, 3].map(|number| duel.unit(0, number)), before);
    assert_eq!(duel.refusal(0, &Undo), Some(Refusal::NothingToUndo));
}

#[test]
fn a_move_that_showed_an_enemy_cannot_be_taken_back_and_none_before_it() {
    let mut duel = Duel::start();
    duel.place(1, 1, Hex::at(-2, -1));
    duel.look();
    duel.step_by(2, 0, -1);
    duel.step_by(6, 0, -1);
    assert_eq!(duel.figures(0), [(2, 1)]);
    assert_eq!(duel.undoable(0), 0);
    assert_eq!(duel.refusal(0, &Undo), Some(Refusal::NothingToUndo));
    duel.step_by(3, 0, -1);
    assert_eq!(duel.undoable(0), 1, "what comes after it can");
}

#[test]
fn a_move_into_the_enemys_sight_cannot_be_taken_back() {
    let mut duel = Duel::start();
    // A scout in a forest sees over four hexes, and is not seen.
    duel.put(Hex::at(-2, 0), Terrain::Forest);
    duel.place(1, 6, Hex::at(-2, 0));
    duel.look();
    assert_eq!(duel.figures(0), [(1, 2), (1, 6)]);
    duel.step_by(3, 0, -1);
    assert_eq!(duel.figures(0), [(1, 2), (1, 3), (1, 6)], "the side of this guard learns that somebody watches");
    assert_eq!(duel.undoable(0), 0);
    duel.step_by(6, 0, -1);
    assert_eq!(duel.undoable(0), 1, "the scout was seen before and after");
}

#[test]
fn nothing_is_taken_back_over_a_blow_or_a_turn() {
    let mut duel = Duel::start();
    duel.place(1, 2, Hex::at(-3, 2));
    duel.look();
    duel.step_by(3, 0, -1);
    assert_eq!(duel.undoable(0), 1);
    duel.place(1, 2, Hex::at(-3, 3));
    duel.order(0, &Strike { unit: 2, target: 2 });
    assert_eq!(duel.refusal(0, &Undo), Some(Refusal::NothingToUndo));
    duel.order(0, &Move { unit: 3, q: -1, r: 2 });
    duel.order(0, &EndTurn);
    assert_eq!(duel.refusal(0, &Undo), Some(Refusal::NotYourTurn));
    assert_eq!(duel.refusal(1, &Undo), Some(Refusal::NothingToUndo));
}

#[test]
fn a_blow_is_answered_by_a_neighbour_that_survives() {
    let mut duel = Duel::start();
    duel.place(1, 2, Hex::at(-3, 3));
    duel.look();
    duel.order(0, &Strike { unit: 2, target: 2 });
    let heard = duel.test.events::<Struck>(1);
    assert_eq!(heard.len(), 2);
    assert!((3..=5).contains(&heard[0].damage) && !heard[0].back && heard[1].back);
    assert_eq!(duel.unit(1, 2).hp, 12 - heard[0].damage);
    assert_eq!(duel.unit(0, 2).hp, 12 - heard[1].damage);
    assert_eq!(duel.refusal(0, &Strike { unit: 2, target: 2 }), Some(Refusal::Spent), "once a turn");
    assert_eq!(duel.refusal(0, &Move { unit: 2, q: -3, r: 4 }), Some(Refusal::Spent), "nor does it move");
}

#[test]
fn an_archer_shoots_over_hexes_that_are_clear_and_shows_itself() {
    let mut duel = Duel::start();
    duel.place(0, 4, Hex::at(0, 2));
    duel.place(1, 1, Hex::at(0, 0));
    duel.place(1, 3, Hex::at(1, 1));
    duel.put(Hex::at(0, 2), Terrain::Forest);
    duel.put(Hex::at(0, 0), Terrain::Hill);
    duel.put(Hex::at(0, 1), Terrain::Hill);
    duel.place(0, 6, Hex::at(-5, 5));
    duel.look();
    assert_eq!(duel.refusal(0, &Strike { unit: 4, target: 3 }), Some(Refusal::OutOfRange), "it cannot strike a neighbour");
    assert_eq!(duel.refusal(0, &Strike { unit: 4, target: 1 }), Some(Refusal::NotSeen), "a hill is between");
    duel.put(Hex::at(0, 1), Terrain::Plain);
    duel.place(1, 3, Hex::at(0, -5));
    duel.look();
    assert!(!duel.figures(1).contains(&(1, 4)), "it hides in the forest");
    duel.order(0, &Strike { unit: 4, target: 1 });
    let [hit] = &duel.test.events::<Struck>(1)[..] else { panic!("one cannot strike back over two hexes") };
    assert!((1..=4).contains(&hit.damage), "the hill takes one of 2 to 5");
    assert!(duel.figures(1).contains(&(1, 4)), "it has shown itself");
    duel.order(0, &EndTurn);
    assert!(duel.figures(1).contains(&(1, 4)), "all through the enemy's turn");
    duel.order(1, &EndTurn);
    assert!(!duel.figures(1).contains(&(1, 4)), "until its own side's next turn");
}

#[test]
fn an_enemy_that_is_not_seen_cannot_be_struck_whether_it_is_there_or_not() {
    let mut duel = Duel::start();
    duel.place(1, 2, Hex::at(-3, 3));
    duel.place(1, 3, Hex::at(-4, 4));
    duel.look();
    for target in [1, 9, 0, 255] {
        assert_eq!(duel.refusal(0, &Strike { unit: 2, target }), Some(Refusal::NotSeen));
    }
    assert_eq!(duel.refusal(0, &Strike { unit: 1, target: 2 }), Some(Refusal::OutOfRange));
    duel.strike_until_it_falls(2, 2);
    assert_eq!(duel.refusal(0, &Strike { unit: 3, target: 2 }), Some(Refusal::NotSeen), "it has fallen");
}

#[test]
fn orders_of_one_step_are_obeyed_in_the_order_in_which_they_came() {
    let mut duel = Duel::start();
    let number = duel.units(0).len();
    duel.test.command(0, &Move { unit: 2, q: -3, r: 3 });
    duel.test.command(0, &Undo);
    duel.test.command(0, &Move { unit: 2, q: -4, r: 4 });
    duel.test.command(0, &EndTurn);
    duel.test.command(0, &Move { unit: 3, q: -1, r: 3 });
    duel.test.command(1, &Move { unit: 2, q: 3, r: -3 });
    duel.test.run(1);
    assert_eq!(duel.test.events::<Refused>(0), [Refused { why: Refusal::NotYourTurn }]);
    assert_eq!(duel.test.events::<Refused>(1), []);
    assert_eq!((number, duel.unit(0, 2).hex(), duel.unit(1, 2).hex()), (6, Hex::at(-4, 4), Hex::at(3, -3)));
}

#[test]
fn the_fall_of_a_captain_ends_the_game_and_shows_everything() {
    let mut duel = Duel::start();
    duel.place(1, 1, Hex::at(-3, 3));
    duel.look();
    duel.strike_until_it_falls(2, 1);
    assert_eq!(duel.test.outcome(), Some(&Outcome::winner(Seat(1))));
    assert_eq!(duel.table().end, tactics::End::Captain);
    assert_eq!(duel.figures(0).len(), 11);
    assert_eq!(duel.figures(1).len(), 11);
}

#[test]
fn a_clock_that_runs_out_loses_the_game_in_its_tick() {
    let mut duel = Duel::with(TacticsConfig { minutes: 1, increment: 10, ..TacticsConfig::default() });
    duel.wait_until(duel.table().began + 20 * RATE - 1);
    duel.order(0, &EndTurn);
    assert_eq!(duel.table().left[0], 50 * RATE, "a minute, less 20 s, and 10 s more");
    duel.wait_until(duel.table().began + 60 * RATE - 1);
    assert_eq!(duel.test.outcome(), None);
    duel.test.run(1);
    assert_eq!(duel.test.outcome(), Some(&Outcome::winner(Seat(1))));
    assert_eq!(duel.table().end, tactics::End::Time);
}

#[test]
fn an_order_in_the_tick_in_which_the_clock_runs_out_is_too_late() {
    let mut duel = Duel::with(TacticsConfig { minutes: 1, ..TacticsConfig::default() });
    duel.wait_until(duel.table().began + 60 * RATE - 1);
    assert_eq!(duel.refusal(0, &EndTurn), Some(Refusal::NotPlaying));
    assert_eq!(duel.test.outcome(), Some(&Outcome::winner(Seat(2))));
}

#[test]
fn a_player_can_resign_at_any_time() {
    let mut duel = Duel::start();
    duel.order(1, &Resign);
    assert_eq!(duel.test.outcome(), Some(&Outcome::winner(Seat(1))));
}

#[test]
fn a_draw_is_offered_and_taken_or_lapses() {
    let mut duel = Duel::start();
    duel.order(0, &OfferDraw);
    assert_eq!(duel.table().offer, 1);
    duel.order(0, &EndTurn);
    assert_eq!(duel.table().offer, 1);
    duel.order(1, &EndTurn);
    assert_eq!(duel.table().offer, 0, "it was not taken in the other's turn");
    duel.order(1, &OfferDraw);
    assert_eq!(duel.test.outcome(), None);
    duel.order(0, &OfferDraw);
    assert_eq!(duel.test.outcome(), Some(&Outcome::draw()));
    assert_eq!(duel.table().end, tactics::End::Agreed);
}

#[test]
fn a_game_without_a_decision_is_a_draw_after_its_rounds() {
    let mut duel = Duel::with(TacticsConfig { rounds: 5, ..TacticsConfig::default() });
    for round in 1..=5 {
        assert_eq!(duel.table().round, round);
        duel.order(0, &EndTurn);
        duel.order(1, &EndTurn);
    }
    assert_eq!(duel.test.outcome(), Some(&Outcome::draw()));
}

#[test]
fn a_seat_that_stays_empty_loses_and_one_that_is_taken_begins_anew() {
    let mut duel = Duel::start();
    duel.step_by(2, 0, -1);
    duel.test.leave(1);
    duel.test.run(10 * RATE);
    assert_eq!(duel.refusal(0, &EndTurn), Some(Refusal::NotPlaying), "the game waits");
    assert_eq!(duel.test.outcome(), None);
    let third = duel.test.join();
    duel.test.run(2);
    assert_eq!(duel.unit(0, 2).hex(), tactics::ARMY[1].1, "everything is set up anew");
    assert_eq!(duel.units(third).len(), 6);
    duel.test.leave(third);
    duel.test.run(21 * RATE);
    assert_eq!(duel.test.outcome(), Some(&Outcome::winner(Seat(1))));
    assert_eq!(duel.table().end, tactics::End::Left);
}

#[test]
fn in_a_match_of_the_queue_the_one_who_leaves_loses_at_once() {
    let mut test = TestRoom::<Tactics>::new(7);
    test.room().plan(SeatPlan::new(2).teams(2));
    let mut duel = Duel { test: test.seats(2) };
    duel.test.run(2);
    assert_eq!(duel.units(0).len(), 6);
    duel.test.leave(0);
    duel.test.run(1);
    assert_eq!(duel.test.outcome(), Some(&Outcome::winner(Seat(2))));
}

#[test]
fn without_fog_everything_is_seen_and_can_still_be_taken_back() {
    let mut duel = Duel::with(TacticsConfig { fog: false, ..TacticsConfig::default() });
    assert_eq!(duel.figures(0).len(), 12);
    duel.step_by(2, 0, -1);
    assert_eq!(duel.undoable(0), 1);
}

#[test]
fn a_configuration_out_of_its_bounds_is_refused_with_a_sentence() {
    let refused = |config: TacticsConfig| Tactics::check(&config).unwrap_err();
    let config = TacticsConfig::default;
    assert_eq!(refused(TacticsConfig { minutes: 0, ..config() }), "minutes is 0, but must be from 1 to 60");
    assert_eq!(refused(TacticsConfig { increment: 61, ..config() }), "increment is 61, but must be from 0 to 60");
    assert_eq!(refused(TacticsConfig { rounds: 201, ..config() }), "rounds is 201, but must be from 5 to 200");
    assert!(Tactics::check(&config()).is_ok());
}

#[test]
fn a_match_that_is_saved_in_the_middle_of_a_turn_goes_on_as_it_was() {
    let mut duel = Duel::start();
    duel.step_by(2, 0, -1);
    duel.test.command(0, &Move { unit: 3, q: -1, r: 3 });
    let def = GameDef::new::<Tactics>().unwrap();
    let mut restored = Room::restore(&def, &duel.test.room().save()).unwrap();
    assert_eq!(restored.checksum(), duel.test.room().checksum());
    restored.tick();
    duel.test.run(1);
    assert_eq!(restored.checksum(), duel.test.room().checksum(), "the order that waited acts in both");
    assert_eq!(duel.undoable(0), 2);
    // The players come back to the restored match, and take back what they did before.
    let view = restored.view(Seat(1));
    assert_eq!(view.me::<tactics::Undoable>().unwrap().0, 2);
    let left = view.iter::<tactics::Unit>().map(|(_, unit)| unit.moves).collect::<Vec<_>>();
    assert_eq!(left, duel.units(0).iter().map(|unit| unit.moves).collect::<Vec<_>>());
    // Nobody comes back within the grace time, and nobody takes the seats.
    for _ in 0..82 * RATE {
        restored.tick();
    }
    assert!(restored.is_over());
}

/// Something that a player may try.
#[derive(Debug, Clone)]
enum Try {
    Move(u8, i8, i8),
    Strike(u8, u8),
    Undo,
    EndTurn,
    Wait(u32),
}

fn attempt() -> impl Strategy<Value = (usize, Try)> {
    let what = prop_oneof![
        12 => (0u8..8, -5i8..=5, -5i8..=5).prop_map(|(unit, q, r)| Try::Move(unit, q, r)),
        4 => (1u8..=6, 1u8..=6).prop_map(|(unit, target)| Try::Strike(unit, target)),
        2 => Just(Try::Undo),
        1 => Just(Try::EndTurn),
        1 => (1u32..50).prop_map(Try::Wait),
    ];
    (0usize..2, what)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever both players try, each holds exactly its own units and those of the enemy that it sees, and hears of no others.
    #[test]
    fn a_hidden_unit_is_never_sent(seed: u64, tries in proptest::collection::vec(attempt(), 1..120)) {
        let mut duel = Duel::seeded(seed);
        // The armies meet sooner.
        for (number, q, r) in [(2, -3, 1), (3, 0, 1), (4, -2, 2), (6, 1, 1)] {
            for player in 0..2 {
                let hex = Hex::at(q, r);
                duel.place(player, number, if player == 0 { hex } else { hex.opposite() });
            }
        }
        duel.look();
        for (player, what) in tries {
            if duel.test.outcome().is_some() {
                break;
            }
            let heard = [0, 1].map(|player| duel.test.events::<Stepped>(player).len());
            match what {
                Try::Move(unit, q, r) => duel.test.command(player, &Move { unit, q, r }),
                Try::Strike(unit, target) => duel.test.command(player, &Strike { unit, target }),
                Try::Undo => duel.test.command(player, &Undo),
                Try::EndTurn => duel.test.command(player, &EndTurn),
                Try::Wait(ticks) => duel.test.run(ticks),
            }
            let before = duel.field();
            duel.test.run(1);
            hidden::check(&mut duel, &before, heard)?;
        }
    }
}

#[test]
fn kinds_differ_and_no_unit_is_seen_where_it_begins() {
    let kinds = [Kind::Captain, Kind::Guard, Kind::Archer, Kind::Scout];
    for (at, kind) in kinds.iter().enumerate() {
        assert!(kinds[at + 1..].iter().all(|other| other.stats() != kind.stats()));
    }
}
