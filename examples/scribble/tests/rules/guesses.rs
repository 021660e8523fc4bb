//! What players say, who hears it, and the points for the right word.

use scribble::{Found, Near, Phase, Refusal, Refused, Said, Score, Scribble};
use tickcast::prelude::*;

use crate::{HZ, begin, board, draw, drawing, guess, room, secret};

fn said(test: &TestRoom<Scribble>, player: usize) -> Vec<(u8, bool, String)> {
    test.events::<Said>(player).into_iter().map(|said| (said.seat, said.is_secret, said.text.to_string())).collect()
}

#[test]
fn a_wrong_guess_is_heard_by_all() {
    let mut test = drawing(3);
    guess(&mut test, 1, "  is it \u{7} a   xylophone ");
    for player in 0..3 {
        assert_eq!(said(&test, player), [(2, false, "is it a xylophone".into())]);
    }
}

#[test]
fn a_near_miss_is_told_to_nobody_else() {
    let mut test = drawing(3);
    let miss = format!("{}s", secret(&test, 0));
    guess(&mut test, 1, &miss);
    assert_eq!(test.events::<Near>(1), [Near { text: Text::new(&miss) }]);
    for player in [0, 2] {
        assert_eq!((test.events::<Near>(player).len(), said(&test, player).len()), (0, 0));
    }
    assert_eq!(test.view(1).me::<Score>().unwrap(), Score::default());
}

#[test]
fn a_right_guess_is_not_shown_as_text() {
    let mut test = drawing(4);
    let word = secret(&test, 0);
    guess(&mut test, 1, &format!("A {}!", word.to_uppercase()));
    guess(&mut test, 2, &word);
    for player in 0..4 {
        assert_eq!(said(&test, player), []);
        let found = test.events::<Found>(player);
        assert_eq!(found.iter().map(|found| (found.seat, found.rank)).collect::<Vec<_>>(), [(2, 1), (3, 2)]);
    }
    let score = |player| test.view(player).me::<Score>().unwrap();
    assert_eq!((score(1).found, score(2).found, score(3).found), (1, 2, 0));
    assert_eq!(score(1).points, test.events::<Found>(0)[0].points);
}

#[test]
fn those_who_know_the_word_talk_among_themselves() {
    let mut test = drawing(4);
    let word = secret(&test, 0);
    guess(&mut test, 1, &word);
    guess(&mut test, 1, &word);
    guess(&mut test, 0, &format!("yes, {word}"));
    let heard = [(2, true, word.clone()), (1, true, format!("yes, {word}"))];
    assert_eq!((said(&test, 0), said(&test, 1)), (heard.to_vec(), heard.to_vec()));
    assert_eq!((said(&test, 2), said(&test, 3)), (vec![], vec![]));
    assert_eq!(test.view(1).me::<Score>().unwrap().found, 1, "it counts once");
}

#[test]
fn earlier_guesses_get_more_and_the_drawer_gets_the_average() {
    let mut test = drawing(4);
    draw(&mut test, 0, &[begin(0, 5, 5)]);
    let word = secret(&test, 0);
    guess(&mut test, 3, &word);
    test.run(20 * HZ - HZ / 2);
    guess(&mut test, 1, &word);
    let points = |test: &TestRoom<Scribble>, player| test.view(player).me::<Score>().unwrap().points;
    let (first, second) = (points(&test, 3), points(&test, 1));
    assert_eq!((first, second), (100 + 199 + 60, 100 + 99 + 40));
    assert_eq!(points(&test, 0), 0, "not before the end of the turn");
    test.run(20 * HZ);
    assert_eq!(board(&test).phase, Phase::Reveal);
    assert_eq!(points(&test, 0), (first + second) / 3);
    assert_eq!(points(&test, 2), 0);
    test.run(5 * HZ);
    assert_eq!(test.view(1).me::<Score>().unwrap(), Score { points: second, gained: 0, found: 0 }, "the next turn begins");
}

#[test]
fn between_turns_everybody_talks_but_who_chooses_says_nothing() {
    let mut test = room(3);
    guess(&mut test, 0, "cat");
    guess(&mut test, 1, "hurry");
    assert_eq!(test.events::<Refused>(0), [Refused { why: Refusal::MustChoose }]);
    assert_eq!(said(&test, 2), [(2, false, "hurry".into())]);
}

#[test]
fn texts_that_come_too_fast_or_are_empty_are_refused() {
    let mut test = drawing(3);
    for text in ["zebu", "yak", " \n "] {
        test.command(1, &scribble::Guess { text: Text::new(text) });
    }
    test.run(2);
    assert_eq!(test.events::<Refused>(1), [Refused { why: Refusal::TooFast }, Refused { why: Refusal::NoText }]);
    assert_eq!(said(&test, 0), [(2, false, "zebu".into())]);
    test.run(HZ / 2);
    guess(&mut test, 1, "yak");
    assert_eq!(said(&test, 0).len(), 2);
}
