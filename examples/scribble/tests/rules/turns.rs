//! The course of a match: who draws when, time, people who leave and come.

use scribble::{Board, Choose, Ending, Offer, Phase, Refusal, Refused, Score, Scribble, ScribbleConfig, read};
use tickcast::{game::GameDef, prelude::*, room::Room};

use crate::{HZ, begin, board, draw, drawing, guess, hint, picture, room, secret, steps};

fn scores(test: &TestRoom<Scribble>, player: usize) -> Score {
    test.view(player).me::<Score>().unwrap()
}

#[test]
fn a_match_begins_with_three_players() {
    let mut test = room(2);
    test.run(100);
    assert_eq!((board(&test).phase, board(&test).missing, board(&test).turn), (Phase::Waiting, 1, 0));
    test.join();
    test.run(2);
    assert_eq!((board(&test).phase, board(&test).drawer, board(&test).round), (Phase::Choosing, 1, 1));
}

#[test]
fn the_drawer_chooses_one_of_three_words() {
    let mut test = room(3);
    let offer = test.view(0).me::<Offer>().unwrap();
    assert_eq!(test.view(1).iter::<Offer>().count() + test.view(2).iter::<Offer>().count(), 0);
    let words = offer.words.map(|word| read(&word));
    assert!(words[0] != words[1] && words[1] != words[2] && words[0] != words[2], "{words:?}");
    test.command(1, &Choose { word: 0 });
    test.command(0, &Choose { word: 3 });
    test.run(1);
    assert_eq!(board(&test).phase, Phase::Choosing);
    for player in [0, 1] {
        assert_eq!(test.events::<Refused>(player), [Refused { why: Refusal::NotOffered }]);
    }
    test.command(0, &Choose { word: 2 });
    test.run(1);
    assert_eq!((board(&test).phase, secret(&test, 0)), (Phase::Drawing, words[2].clone()));
    assert_eq!(test.view(0).me::<Offer>(), None);
    let covered: String = words[2].chars().map(|c| if c == ' ' { ' ' } else { '_' }).collect();
    assert_eq!(hint(&test, 1), covered);
}

#[test]
fn without_a_choice_the_first_word_counts() {
    let mut test = room(3);
    let first = read(&test.view(0).me::<Offer>().unwrap().words[0]);
    test.run(15 * HZ + 1);
    assert_eq!((board(&test).phase, secret(&test, 0)), (Phase::Drawing, first));
}

#[test]
fn everybody_draws_once_a_round_in_the_order_of_seats() {
    let config = ScribbleConfig { rounds: 5, seconds: 20 };
    let mut test = TestRoom::<Scribble>::with_config(3, config).seats(3);
    let mut drawers = Vec::new();
    let mut shown = std::collections::BTreeSet::new();
    for _ in 0..15 {
        test.run(2);
        let Board { drawer, round, phase: Phase::Choosing, .. } = board(&test) else { panic!("{:?}", board(&test)) };
        drawers.push((round, drawer));
        let player = usize::from(drawer) - 1;
        shown.extend(test.view(player).me::<Offer>().unwrap().words);
        test.command(player, &Choose { word: 1 });
        test.run(2);
        draw(&mut test, player, &[begin(0, 5, 5)]);
        let word = secret(&test, player);
        for other in (0..3).filter(|other| *other != player) {
            guess(&mut test, other, &word);
        }
        assert_eq!((board(&test).phase, board(&test).ending), (Phase::Reveal, Ending::AllFound));
        assert_eq!(hint(&test, 0), word, "everybody sees the word");
        test.run(5 * HZ);
    }
    let expected: Vec<(u8, u8)> = (1..=5).flat_map(|round| (1..=3).map(move |seat| (round, seat))).collect();
    assert_eq!(drawers, expected);
    assert_eq!(shown.len(), 45, "no word is offered twice");
    test.run(2);
    let outcome = test.outcome().expect("the match is over").clone();
    let best = (0..3).map(|player| scores(&test, player).points).max().unwrap();
    assert!(outcome.winners.iter().all(|seat| scores(&test, usize::from(seat.0) - 1).points == best));
}

#[test]
fn letters_are_uncovered_in_time_and_never_all() {
    let mut test = drawing(3);
    draw(&mut test, 0, &[begin(0, 5, 5)]);
    let word = secret(&test, 0);
    let covered = |test: &TestRoom<Scribble>| hint(test, 1).matches('_').count();
    let letters = covered(&test);
    test.run(15 * HZ);
    assert_eq!(covered(&test), letters, "none at first");
    test.run(20 * HZ);
    assert_eq!(covered(&test), letters - letters * 2 / 5);
    for (shown, letter) in hint(&test, 1).chars().zip(word.chars()) {
        assert!(shown == '_' || shown == letter);
    }
    test.run(5 * HZ + 1);
    assert_eq!((board(&test).phase, board(&test).ending), (Phase::Reveal, Ending::TimeUp));
}

#[test]
fn a_drawer_who_draws_nothing_is_skipped() {
    let mut test = drawing(3);
    test.run(19 * HZ);
    assert_eq!(board(&test).phase, Phase::Drawing);
    test.run(HZ + 1);
    assert_eq!((board(&test).phase, board(&test).ending), (Phase::Reveal, Ending::Idle));
    // Who did not even choose has less time.
    let mut test = room(3);
    test.run((15 + 8) * HZ + 2);
    assert_eq!(board(&test).ending, Ending::Idle);
}

#[test]
fn a_turn_ends_when_its_drawer_leaves_and_the_points_stay() {
    let mut test = drawing(4);
    draw(&mut test, 0, &[begin(2, 5, 5), steps(&[(3, 3)])]);
    let word = secret(&test, 0);
    guess(&mut test, 2, &word);
    test.leave(0);
    test.run(2);
    let board = test.view(1).iter::<Board>().next().unwrap().1;
    assert_eq!((board.phase, board.ending), (Phase::Reveal, Ending::Left));
    assert!(scores(&test, 2).points > 100);
    test.run(5 * HZ + 2);
    let board = test.view(1).iter::<Board>().next().unwrap().1;
    assert_eq!((board.phase, board.drawer), (Phase::Choosing, 2));
    assert_eq!(picture(&mut test, 1), [], "the next sheet is empty");
    test.leave(1);
    test.run(3);
    let board = test.view(2).iter::<Board>().next().unwrap().1;
    assert_eq!((board.phase, board.drawer), (Phase::Choosing, 3), "two play on");
}

#[test]
fn a_match_that_is_left_alone_ends_after_a_while() {
    let mut test = drawing(3);
    let word = secret(&test, 0);
    guess(&mut test, 2, &word);
    test.leave(0);
    test.leave(1);
    test.run(6 * HZ);
    let board = test.view(2).iter::<Board>().next().unwrap().1;
    assert_eq!((board.phase, board.missing), (Phase::Waiting, 1));
    assert_eq!(test.outcome(), None);
    test.run(45 * HZ);
    assert_eq!(test.outcome().unwrap().winners, [Seat(3)]);
}

#[test]
fn one_who_comes_late_guesses_at_once_and_draws_in_this_round() {
    let mut test = drawing(3);
    draw(&mut test, 0, &[begin(0, 5, 5)]);
    let late = test.join();
    test.run(1);
    let word = secret(&test, 0);
    for player in [1, 2] {
        guess(&mut test, player, &word);
    }
    assert_eq!(board(&test).phase, Phase::Drawing, "it waits for the newcomer, too");
    guess(&mut test, late, &word);
    assert_eq!(board(&test).phase, Phase::Reveal);
    for drawer in 2..=4 {
        test.run(5 * HZ + 1);
        assert_eq!((board(&test).phase, board(&test).drawer), (Phase::Choosing, drawer));
        test.run((15 + 8) * HZ + 1);
    }
}

#[test]
fn a_match_goes_on_in_the_same_way_after_it_was_saved() {
    let mut test = TestRoom::<Scribble>::new(11).bots();
    test.run(30 * HZ);
    let def = GameDef::new::<Scribble>().unwrap();
    let mut restored = Room::restore(&def, &test.room().save()).unwrap();
    assert_eq!(restored.checksum(), test.room().checksum());
    for _ in 0..60 * HZ {
        test.run(1);
        restored.tick();
    }
    assert_eq!(restored.checksum(), test.room().checksum());
}

#[test]
fn a_wrong_configuration_is_refused() {
    for (config, said) in [
        (ScribbleConfig { rounds: 0, ..ScribbleConfig::default() }, "rounds is 0, but must be from 1 to 5"),
        (ScribbleConfig { seconds: 200, ..ScribbleConfig::default() }, "seconds is 200, but must be from 20 to 180"),
    ] {
        assert_eq!(Scribble::check(&config).unwrap_err(), said);
    }
}
