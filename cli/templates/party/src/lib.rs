//! The rules of My game: whoever buzzes first says a word that begins with the letter.
//!
//! This crate knows no network. A match depends on nothing but its seed, its inputs and its commands, so keep to the rules of
//! determinism in Tickcast's guide: no clock but `Clock`, no random numbers but `MatchRng`.

use std::collections::BTreeSet;

use tickcast::prelude::*;

/// The points that win.
const GOAL: u16 = 5;
/// How long a player has for a word, in seconds.
const ANSWERING: f32 = 10.0;
/// The fewest letters of a word.
const SHORTEST: usize = 3;
/// The words that bots know, with all letters that are asked for.
const WORDS: &str = "anchor apple arrow autumn axle badge banjo barrel bench bucket cactus candle carpet castle comet \
    daisy diver dragon drum dune ladder lamp lemon lion lobster magnet maple marble melon mirror \
    paint parrot pepper piano pocket rabbit river robin rocket rope saddle salt shadow shovel spoon \
    table tiger timber tower tulip";

/// The letter, and who may say a word.
#[derive(Component, Replicate)]
#[replicate(id = 1)]
pub struct Round {
    /// The letter as a code of ASCII, a small one.
    pub letter: u8,
    /// The seat of the player who has buzzed; 0 if nobody has.
    pub holder: u8,
    /// The tick in which the time for the word is over.
    pub ends: u32,
}

/// The points of a player.
#[derive(Component, Replicate)]
#[replicate(id = 2)]
pub struct Score(pub u16);

/// The buttons of a player.
#[derive(GameInput, Clone, Default)]
pub struct Pad {
    /// Buzzes once.
    #[one_shot]
    pub buzz: bool,
}

/// A player says a word.
#[derive(GameCommand)]
#[command(id = 1)]
pub struct Say {
    /// The word.
    pub word: Text<24>,
}

/// A player has said a word, or none in time.
#[derive(GameEvent)]
#[event(id = 1)]
pub struct Said {
    /// The player's seat.
    pub seat: u8,
    /// The word; empty if there was none.
    pub word: Text<24>,
    /// Whether it counts.
    pub good: bool,
}

/// The words that were said.
#[derive(Resource, Default, Serialize, Deserialize)]
pub struct Used(BTreeSet<String>);

/// The game, as a server hosts it.
pub struct Rules;

impl Game for Rules {
    const NAME: &'static str = "my-game";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(10)
            .seats(1..=8)
            .replicate::<(Round, Score)>()
            .command::<Say>()
            .event::<Said>()
            .resource(Used::default())
            .on_join(join)
            .systems((buzz, hear, time_out))
            .finish_when(finish)
            .bot::<Guest>()
            .fill(3);
    }
}

fn join(seat: Seat, world: &mut World) {
    if world.query::<&Round>().iter(world).next().is_none() {
        let letter = any_letter(&mut world.resource_mut::<MatchRng>());
        let (holder, ends) = (0, 0);
        world.spawn(Round {
            letter,
            holder,
            ends,
        });
    }
    world.spawn_avatar(seat, Score(0));
}

fn any_letter(rng: &mut MatchRng) -> u8 {
    let letters: BTreeSet<u8> = WORDS
        .split_whitespace()
        .map(|word| word.as_bytes()[0])
        .collect();
    let letters: Vec<u8> = letters.into_iter().collect();
    letters[rng.random_range(0..letters.len())]
}

fn buzz(clock: Res<Clock>, players: Query<(&Seat, &Intent<Pad>)>, mut round: Single<&mut Round>) {
    let first = players.iter().find(|(_, intent)| intent.buzz);
    if let Some((seat, _)) = first.filter(|_| round.holder == 0) {
        round.holder = seat.0;
        round.ends = clock.tick + clock.ticks(ANSWERING);
    }
}

fn hear(
    words: Received<Say>,
    mut round: Single<&mut Round>,
    mut scores: Query<(&Seat, &mut Score)>,
    mut used: ResMut<Used>,
    mut rng: ResMut<MatchRng>,
    mut said: Emit<Said>,
) {
    for (seat, Say { word: heard }) in words.iter() {
        if round.holder != seat.0 {
            continue;
        }
        let (word, seat) = (heard.trim().to_lowercase(), seat.0);
        let fits = word.len() >= SHORTEST && word.chars().all(char::is_alphabetic);
        let good = fits && word.as_bytes()[0] == round.letter && used.0.insert(word);
        round.holder = 0;
        if good {
            round.letter = any_letter(&mut rng);
        }
        for (_, mut score) in scores
            .iter_mut()
            .filter(|(owner, _)| good && owner.0 == seat)
        {
            score.0 += 1;
        }
        let word = heard.clone();
        said.everyone(Said { seat, word, good });
    }
}

/// Whoever says nothing in time has buzzed for nothing.
fn time_out(clock: Res<Clock>, mut round: Single<&mut Round>, mut said: Emit<Said>) {
    if round.holder != 0 && clock.tick >= round.ends {
        let (seat, word, good) = (round.holder, Text::new(""), false);
        said.everyone(Said { seat, word, good });
        round.holder = 0;
    }
}

fn finish(scores: Query<(&Seat, &Score)>) -> Option<Outcome> {
    let mut winners = scores.iter().filter(|(_, score)| score.0 >= GOAL);
    winners.next().map(|(seat, _)| Outcome::winner(*seat))
}

/// A bot that knows some words.
#[derive(Default, Serialize, Deserialize)]
pub struct Guest;

impl Bot<Rules> for Guest {
    fn think(&mut self, view: &View<'_>, rng: &mut MatchRng) -> Pad {
        let open = view.iter::<Round>().any(|(_, round)| round.holder == 0);
        Pad {
            buzz: open && rng.random_bool(0.02),
        }
    }

    fn command(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        let round = view.iter::<Round>().next();
        let Some((_, round)) = round.filter(|(_, round)| Seat(round.holder) == view.seat()) else {
            return;
        };
        let known = WORDS
            .split_whitespace()
            .filter(|word| word.as_bytes()[0] == round.letter);
        let known: Vec<&str> = known.collect();
        if rng.random_bool(0.05)
            && let Some(word) = known.choose(rng)
        {
            commands.send(&Say {
                word: Text::new(word),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A match with two players and the letter L. Nobody has buzzed.
    fn started() -> TestRoom<Rules> {
        let mut test = TestRoom::<Rules>::new(7).seats(2);
        test.run(1);
        letter(&mut test);
        test
    }

    /// Asks for the letter L.
    fn letter(test: &mut TestRoom<Rules>) {
        let world = test.world();
        let mut rounds = world.query::<&mut Round>();
        rounds.single_mut(world).unwrap().letter = b'l';
    }

    fn buzz(test: &mut TestRoom<Rules>, player: usize) {
        test.press(player, Pad { buzz: true });
        test.run(2);
    }

    fn say(test: &mut TestRoom<Rules>, player: usize, word: &str) {
        test.command(
            player,
            &Say {
                word: Text::new(word),
            },
        );
        test.run(2);
    }

    fn score(test: &TestRoom<Rules>, player: usize) -> u16 {
        test.view(player).me::<Score>().unwrap().0
    }

    #[test]
    fn a_word_with_the_letter_is_a_point_for_who_has_buzzed() {
        let mut test = started();
        say(&mut test, 1, "lamp");
        buzz(&mut test, 0);
        buzz(&mut test, 1);
        say(&mut test, 1, "lemon");
        assert_eq!((score(&test, 0), score(&test, 1)), (0, 0));
        say(&mut test, 0, " Lion ");
        assert_eq!((score(&test, 0), score(&test, 1)), (1, 0));
    }

    #[test]
    fn words_with_another_letter_short_ones_and_those_said_before_do_not_count() {
        let mut test = started();
        for word in ["tiger", "la", "l33t", "lamp", "lamp"] {
            buzz(&mut test, 0);
            say(&mut test, 0, word);
            letter(&mut test);
        }
        let said = test.events::<Said>(1);
        let good: Vec<bool> = said.iter().map(|said| said.good).collect();
        assert_eq!(good, [false, false, false, true, false]);
    }

    #[test]
    fn the_time_for_a_word_is_over() {
        let mut test = started();
        buzz(&mut test, 0);
        test.run(10 * ANSWERING as u32);
        buzz(&mut test, 1);
        say(&mut test, 1, "lemon");
        assert_eq!((score(&test, 0), score(&test, 1)), (0, 1));
    }

    #[test]
    fn bots_play_to_the_end() {
        let mut test = TestRoom::<Rules>::new(7).bots();
        test.run(10 * 600);
        assert!(test.outcome().is_some());
    }
}
