//! Bots play whole matches, and stronger ones find more words.

use scribble::{Ending, Ink, Phase, Score, Scribble, ScribbleConfig};
use tickcast::prelude::*;

use crate::{HZ, board};

/// Plays a match of four bots. Returns the points of the bots, the endings of the turns, and the most pieces of ink on a sheet.
fn played(strength: Strength, seed: u64) -> (u32, Vec<Ending>, usize) {
    let config = ScribbleConfig { rounds: 1, seconds: 60 };
    let mut test = TestRoom::<Scribble>::with_config(seed, config).bots().strength(strength).seats(1);
    let (mut endings, mut phase, mut most) = (Vec::new(), Phase::Waiting, 0);
    while test.outcome().is_none() {
        test.run(HZ);
        let board = board(&test);
        if board.phase == Phase::Reveal && phase != Phase::Reveal {
            endings.push(board.ending);
        }
        phase = board.phase;
        most = most.max(test.view(0).iter::<Ink>().count());
        assert!(test.room().current_tick().0 < 600 * HZ, "the match does not end");
    }
    let points = test.view(0).iter::<Score>().map(|(_, score)| u32::from(score.points)).sum();
    (points, endings, most)
}

#[test]
fn bots_draw_and_guess_beside_a_person_who_does_nothing() {
    let (points, endings, most) = played(Strength::Normal, 5);
    assert_eq!(endings.len(), 4);
    assert_eq!(endings.iter().filter(|ending| **ending == Ending::Idle).count(), 1, "only the person draws nothing: {endings:?}");
    assert!(most > 5, "{most} pieces of ink");
    assert!(points > 0);
}

#[test]
fn stronger_bots_find_more_words() {
    let points = |strength| (0..6).map(|seed| played(strength, seed).0).sum::<u32>();
    let (easy, normal, hard) = (points(Strength::Easy), points(Strength::Normal), points(Strength::Hard));
    assert!(easy < normal && normal < hard, "easy {easy}, normal {normal}, hard {hard}");
}
