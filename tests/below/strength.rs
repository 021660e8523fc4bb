//! How strong bots play: by the number of people, or as somebody chose.

use tickcast::{
    game::GameDef,
    prelude::*,
    room::{Room, SeatPlan},
};

use crate::{
    tiers::Tiers,
    walk::{Pos, walking},
};

/// Returns the direction in which the bots go, all of them the same.
fn direction(test: &mut TestRoom<Tiers>) -> Dir8 {
    let all = |test: &TestRoom<Tiers>| -> Vec<(Id, Vec2)> { test.view(0).iter::<Pos>().map(|(id, pos)| (id, pos.at)).collect() };
    // A player who has just come acts from the next tick on.
    test.run(2);
    let before = all(test);
    test.run(1);
    let after = all(test);
    let steps = before.iter().zip(&after).map(|((_, from), (_, to))| Dir8::nearest(*to - *from, 0.1));
    let mut steps: Vec<Dir8> = steps.filter(|dir| *dir != Dir8::None).collect();
    steps.dedup();
    assert_eq!(steps.len(), 1, "the bots go in several directions, or nowhere: {steps:?}");
    steps[0]
}

/// Returns a match with bots in three of four seats, or one less for each person more.
fn full() -> TestRoom<Tiers> {
    let mut test = TestRoom::<Tiers>::new(7).bots();
    test.room().plan(SeatPlan::new(4).fill(4));
    test
}

#[test]
fn bots_are_easy_for_one_person_and_normal_for_several() {
    let mut test = full().seats(1);
    assert_eq!(direction(&mut test), Dir8::E);
    assert_eq!(test.room().strength(), Some(Strength::Easy));
    let friend = test.join();
    assert_eq!(direction(&mut test), Dir8::N, "those who were there already, too");
    test.disconnect(friend);
    assert_eq!(direction(&mut test), Dir8::N, "somebody who is away may come back");
    test.leave(friend);
    assert_eq!(direction(&mut test), Dir8::E);
}

#[test]
fn a_reservation_alone_does_not_make_bots_stronger() {
    let mut test = full().seats(1);
    test.room().reserve("late").unwrap();
    assert_eq!(direction(&mut test), Dir8::E);
}

#[test]
fn a_chosen_strength_holds_for_any_number_of_people() {
    for (strength, dir) in [(Strength::Easy, Dir8::E), (Strength::Normal, Dir8::N), (Strength::Hard, Dir8::W)] {
        let mut test = full().strength(strength).seats(1);
        assert_eq!(direction(&mut test), dir);
        test.join();
        assert_eq!(direction(&mut test), dir);
        let mut test = TestRoom::<Tiers>::new(7).bots();
        test.room().plan(SeatPlan::new(4).fill(4).strength(strength));
        assert_eq!(direction(&mut test.seats(1)), dir);
    }
}

#[test]
fn a_restored_room_has_bots_of_the_same_strength() {
    let mut test = full().strength(Strength::Hard).seats(1);
    test.run(3);
    let def = GameDef::new::<Tiers>().unwrap();
    let mut restored = Room::restore(&def, &test.room().save()).unwrap();
    for _ in 0..20 {
        test.run(1);
        restored.tick();
        assert_eq!(restored.strength(), Some(Strength::Hard));
        assert_eq!(restored.checksum(), test.room().checksum());
    }
}

#[test]
#[should_panic(expected = "the game's bots cannot be hard: they have no strengths to choose from")]
fn a_strength_that_bots_do_not_have_is_refused() {
    struct Plain;
    impl Game for Plain {
        const NAME: &'static str = "plain";
        type Input = crate::walk::Pad;
        type Config = NoConfig;
        fn build(m: &mut MatchBuilder<Self>) {
            walking(m);
        }
    }
    let _ = TestRoom::<Plain>::new(1).strength(Strength::Hard);
}
