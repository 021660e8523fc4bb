//! Listens to what players say, and gives points for the right word.

use tickcast::{bevy_ecs::system::SystemParam, prelude::*};

use crate::{
    Found, Guess, MOST_TEXT, Near, Phase, Refusal, Refused, Said, Score,
    guess::{Verdict, judge},
    turn::{Player, Turn},
    words,
};

/// The time between two texts of a player, in seconds.
const BETWEEN: f32 = 0.4;
/// Points for the word at the last moment, and how many more at the first.
const LATE: u32 = 100;
const EARLY: u32 = 200;
/// More points for the first who find the word.
const RANKS: [u16; 3] = [60, 40, 20];

type Speaker<'a> = (&'a Seat, &'a mut Player, &'a mut Score);

/// The answers to what players say.
#[derive(SystemParam)]
pub(crate) struct Answers<'w> {
    said: Emit<'w, Said>,
    found: Emit<'w, Found>,
    near: Emit<'w, Near>,
    refused: Emit<'w, Refused>,
}

/// Judges what players say. A right guess is not shown to the others, and a near one neither.
pub(crate) fn listen(
    guesses: Received<Guess>, clock: Res<Clock>, turn: Res<Turn>, mut all: Query<Speaker>, mut answers: Answers,
) {
    let Answers { said, found, near, refused } = &mut answers;
    for (seat, guess) in guesses.iter() {
        let text = tidy(&guess.text);
        let knowing: Vec<Seat> =
            all.iter().filter(|(seat, _, score)| turn.knows(**seat, score)).map(|(seat, ..)| *seat).collect();
        let rank = all.iter().map(|(.., score)| score.found).max().unwrap_or(0) + 1;
        let Some((_, mut player, mut score)) = all.iter_mut().find(|(speaker, ..)| **speaker == seat) else { continue };
        let refusal = match () {
            () if text.is_empty() => Some(Refusal::NoText),
            () if clock.tick < player.ready => Some(Refusal::TooFast),
            () if turn.phase == Phase::Choosing && turn.drawer == Some(seat) => Some(Refusal::MustChoose),
            () => None,
        };
        if let Some(why) = refusal {
            refused.to(seat, Refused { why });
            continue;
        }
        player.ready = clock.tick + clock.ticks(BETWEEN);
        let text = Text::<MOST_TEXT>::new(&text);
        if turn.phase != Phase::Drawing {
            said.everyone(Said { seat: seat.0, is_secret: false, text });
        } else if knowing.contains(&seat) {
            knowing.iter().for_each(|to| said.to(*to, Said { seat: seat.0, is_secret: true, text: text.clone() }));
        } else {
            match judge(words::word(turn.word), &text) {
                Verdict::Right => {
                    let points = points(&turn, &clock, rank);
                    *score = Score { points: score.points.saturating_add(points), gained: points, found: rank };
                    found.everyone(Found { seat: seat.0, rank, points });
                }
                Verdict::Near => near.to(seat, Near { text }),
                Verdict::Wrong => said.everyone(Said { seat: seat.0, is_secret: false, text }),
            }
        }
    }
}

fn points(turn: &Turn, clock: &Clock, rank: u8) -> u16 {
    let left = turn.ends.saturating_sub(clock.tick);
    let early = EARLY * left / (turn.ends - turn.began).max(1);
    (LATE + early) as u16 + RANKS.get(usize::from(rank) - 1).copied().unwrap_or(0)
}

/// Returns a text without control characters, and with single spaces.
fn tidy(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
