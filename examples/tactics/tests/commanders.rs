//! Bots play whole games by the rules, the strong one better than the weak one, and the same seed gives the same game.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use support::{Duel, hidden};
use tactics::{Commander, EndTurn, Order, Refused, Stepped, Tactics};
use tickcast::{prelude::*, room::SeatPlan, sim::MatchRng};

/// The most orders of a game: far more than 60 rounds take.
const ORDERS: usize = 6000;

fn commander(strength: Strength) -> Commander {
    let mut commander = Commander::default();
    Bot::<Tactics>::set_strength(&mut commander, strength);
    commander
}

/// Lets two commanders play. Returns the seats that won.
fn play(seed: u64, strengths: [Strength; 2]) -> Vec<Seat> {
    let mut duel = Duel::seeded(seed);
    let mut commanders = strengths.map(commander);
    let mut rng = MatchRng::seeded(seed);
    for _ in 0..ORDERS {
        if duel.test.outcome().is_some() {
            break;
        }
        let player = usize::from(duel.table().turn - 1);
        let order = commanders[player].decide(&duel.test.view(player), &mut rng);
        match order {
            Some(Order::Move(order)) => duel.test.command(player, &order),
            Some(Order::Strike(order)) => duel.test.command(player, &order),
            _ => duel.test.command(player, &EndTurn),
        }
        let heard = [0, 1].map(|player| duel.test.events::<Stepped>(player).len());
        let before = duel.field();
        duel.test.run(1);
        if seed == 1 {
            hidden::check(&mut duel, &before, heard).unwrap();
        }
        if usize::from(duel.table().turn - 1) == player {
            // The other one looks on.
            assert_eq!(commanders[1 - player].decide(&duel.test.view(1 - player), &mut rng), None);
        }
    }
    assert_eq!([0, 1].map(|player| duel.test.events::<Refused>(player).len()), [0, 0], "bots keep to the rules");
    duel.test.outcome().expect("a game ends").winners.clone()
}

#[test]
fn the_strong_bot_beats_the_weak_one() {
    let mut wins = 0;
    for seed in 0..8 {
        let hard = usize::from(seed % 2 == 1);
        let mut strengths = [Strength::Easy; 2];
        strengths[hard] = Strength::Hard;
        wins += usize::from(play(seed, strengths) == [Seat(hard as u8 + 1)]);
    }
    assert!(wins >= 7, "{wins} of 8");
}

#[test]
fn two_strong_bots_come_to_a_decision() {
    let decided = (10..16).filter(|seed| !play(*seed, [Strength::Hard; 2]).is_empty()).count();
    assert!(decided >= 5, "{decided} of 6");
}

#[test]
fn bots_in_a_room_play_a_game_to_its_end_without_a_pause() {
    let play = |seed| {
        let mut test = TestRoom::<Tactics>::new(seed).bots().strength(Strength::Easy);
        test.room().plan(SeatPlan::new(2).fill(2).strength(Strength::Easy));
        for _ in 0..6000 {
            test.run(1);
            if test.over().is_some() {
                break;
            }
        }
        (test.over().cloned(), test.room().checksum())
    };
    let (over, sum) = play(3);
    assert!(over.is_some(), "bots alone play on, each step moved by the one before");
    assert_eq!(play(3).1, sum);
    assert_ne!(play(4).1, sum);
}

#[test]
fn a_bot_that_is_saved_with_its_match_goes_on_in_the_same_way() {
    let def = tickcast::game::GameDef::new::<Tactics>().unwrap();
    let mut test = TestRoom::<Tactics>::new(5).bots().strength(Strength::Hard);
    test.room().plan(SeatPlan::new(2).fill(2).strength(Strength::Hard));
    test.run(30);
    let mut restored = tickcast::room::Room::restore(&def, &test.room().save()).unwrap();
    while test.over().is_none() {
        test.run(1);
        restored.tick();
    }
    assert_eq!(restored.checksum(), test.room().checksum());
}
