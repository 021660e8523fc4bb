//! Commands of players reach the rules once, in order, and within bounds.

use proptest::{collection::vec, prelude::*};
use tickcast::{
    game::{GameDef, GameError},
    prelude::*,
    protocol::{ErrorCode, Fields, Value, Values, WireCommand, decode_command, encode_command},
    room::Room,
};

#[derive(GameCommand, Debug, Clone, PartialEq)]
#[command(id = 1)]
struct Guess {
    word: Text<12>,
}

#[derive(GameCommand, Debug, Clone, PartialEq)]
#[command(id = 2)]
struct Stroke {
    #[q(step = 0.5, range = 0.0..=100.0)]
    from: Vec2,
    pen: Pen,
    points: Blob<600>,
    closed: bool,
}

#[derive(GameCommand, Debug, Clone, PartialEq)]
#[command(id = 3)]
struct Undo;

#[derive(Choice, Debug, Clone, Copy, PartialEq, Default)]
enum Pen {
    #[default]
    Thin,
    Thick,
}

/// The commands that the rules have heard, in order.
#[derive(Resource, Default, Serialize, Deserialize)]
struct Heard(Vec<String>);

#[derive(GameInput, Clone, Default)]
struct Pad {}

struct Scribble;

impl Game for Scribble {
    const NAME: &'static str = "scribble";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.seats(1..=3)
            .command::<Stroke>()
            .command::<Guess>()
            .command::<Undo>()
            .resource(Heard::default())
            .on_join(|seat, world| world.spawn_avatar(seat, ()))
            .systems((guesses, strokes, undos))
            .bot::<Guesser>();
    }
}

fn guesses(all: Received<Guess>, mut heard: ResMut<Heard>, clock: Res<Clock>) {
    heard.0.extend(all.iter().map(|(seat, Guess { word })| format!("{}: {seat} {word}", clock.tick)));
}

fn strokes(all: Received<Stroke>, mut heard: ResMut<Heard>) {
    for (seat, Stroke { from, pen, points, closed }) in all.iter() {
        heard.0.push(format!("{seat} {from} {pen:?} {} {closed}", points.len()));
    }
}

fn undos(all: Received<Undo>, mut heard: ResMut<Heard>) {
    heard.0.extend(all.iter().map(|(seat, _)| format!("{seat} undo")));
}

/// Guesses once.
#[derive(Default, Serialize, Deserialize)]
struct Guesser {
    has_guessed: bool,
}

impl Bot<Scribble> for Guesser {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad {}
    }

    fn command(&mut self, _: &View<'_>, _: &mut MatchRng, commands: &mut BotCommands) {
        if !std::mem::replace(&mut self.has_guessed, true) {
            commands.send(&Guess { word: Text::new("bot") });
        }
    }
}

fn heard(test: &mut TestRoom<Scribble>) -> Vec<String> {
    std::mem::take(&mut test.world().resource_mut::<Heard>().0)
}

fn guess(word: &str) -> Guess {
    Guess { word: Text::new(word) }
}

fn bytes<C: tickcast::game::GameCommand>(number: u32, command: &C) -> Vec<u8> {
    let (mut values, mut bytes) = (Values::new(), Vec::new());
    command.write(&mut values);
    encode_command(&mut bytes, &WireCommand { number, id: C::ID, values });
    bytes
}

#[test]
fn commands_act_once_in_the_order_of_arrival() {
    let mut test = TestRoom::<Scribble>::new(7).seats(2);
    test.run(3);
    test.command(1, &guess("cat"));
    test.command(0, &guess("dög"));
    test.command(1, &Stroke { from: Vec2::new(3.4, 200.0), pen: Pen::Thick, points: Blob::new(&[7; 600]), closed: true });
    test.command(0, &Undo);
    test.run(3);
    assert_eq!(heard(&mut test), ["4: 2 cat", "4: 1 dög", "2 [3.5, 100] Thick 600 true", "1 undo"]);
}

/// A game that hears of two types of commands in the order of arrival.
struct Ordered;

impl Game for Ordered {
    const NAME: &'static str = "ordered";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.command::<Undo>().command::<Guess>().resource(Heard::default()).systems(merge);
    }
}

fn merge(undos: Received<Undo>, guesses: Received<Guess>, mut heard: ResMut<Heard>) {
    let undos = undos.numbered().map(|(place, seat, _)| (place, seat, String::from("undo")));
    let guesses = guesses.numbered().map(|(place, seat, guess)| (place, seat, guess.word.to_string()));
    let mut all: Vec<_> = undos.chain(guesses).collect();
    all.sort();
    heard.0.extend(all.iter().map(|(place, seat, text)| format!("{place}: {seat} {text}")));
}

#[test]
fn commands_of_several_types_have_their_places_in_the_step() {
    let mut test = TestRoom::<Ordered>::new(7).seats(2);
    test.run(1);
    test.command(1, &guess("cat"));
    test.command(0, &Undo);
    test.command(1, &Undo);
    test.command(1, &guess("dog"));
    test.run(1);
    test.command(0, &Undo);
    test.run(1);
    let heard = &test.world().resource::<Heard>().0;
    assert_eq!(heard[..], ["0: 2 cat", "1: 1 undo", "2: 2 undo", "3: 2 dog", "0: 1 undo"]);
}

#[test]
fn a_command_that_came_before_is_not_taken_again() {
    let mut test = TestRoom::<Scribble>::new(7).seats(1);
    let seat = test.seat(0);
    for number in [1, 1, 2, 1, 2] {
        assert_eq!(test.room().command(seat, &bytes(number, &guess("cat"))), Ok(()));
    }
    test.run(2);
    assert_eq!(heard(&mut test).len(), 2);
    test.disconnect(0);
    test.resume(0).unwrap();
    assert_eq!(test.room().newest_command(seat), 2, "the numbers go on");
    test.leave(0);
    test.run(1);
    let next = test.join();
    assert_eq!((test.seat(next), test.room().newest_command(seat)), (seat, 0), "another player begins with 1");
}

#[test]
fn a_flood_is_refused_and_nothing_of_it_counts() {
    let mut test = TestRoom::<Scribble>::new(7).seats(2);
    test.run(1);
    let seat = test.seat(0);
    let taken = (1..=100).filter(|number| test.room().command(seat, &bytes(*number, &Undo)).is_ok()).count();
    assert_eq!(taken, 40);
    assert_eq!(test.room().command(seat, &bytes(41, &Undo)), Err(ErrorCode::RateLimited));
    test.run(30);
    let taken = (41..=100).filter(|number| test.room().command(seat, &bytes(*number, &Undo)).is_ok()).count();
    assert_eq!(taken, 20, "so many come back in a second");
    // A large one costs its bytes.
    let seat = test.seat(1);
    let stroke = Stroke { from: Vec2::ZERO, pen: Pen::Thin, points: Blob::new(&[1; 600]), closed: false };
    let taken = (1..=40).filter(|number| test.room().command(seat, &bytes(*number, &stroke)).is_ok()).count();
    assert_eq!(taken, 40, "40 strokes are below 64 KiB");
}

#[test]
fn bytes_that_are_no_command_are_refused() {
    let mut test = TestRoom::<Scribble>::new(7).seats(1);
    let seat = test.seat(0);
    let wrong: [&[u8]; 9] = [
        b"",
        b"\x90",
        b"\x93\x00\x01\xa3cat",
        b"\x93\x01\x09\xa3cat",
        b"\x93\x01\x01\xc4\x03cat",
        b"\x93\x01\x01\xad1234567890123",
        b"\x93\x01\x01\xa2\xff\xfe",
        b"\x94\x01\x01\xa3cat\x00",
        b"\x93\x01\x01\xa3cat\x00",
    ];
    for bytes in wrong {
        assert_eq!(test.room().command(seat, bytes), Err(ErrorCode::BadCommand), "{bytes:?}");
    }
    // Thick is the last pen.
    assert_eq!(test.room().command(seat, b"\x97\x01\x02\x00\x00\x02\xc4\x00\x00"), Err(ErrorCode::BadCommand));
    assert_eq!(test.room().command(seat, b"\x97\x01\x02\x00\x00\x01\xc4\x00\x00"), Ok(()));
    assert_eq!(test.room().command(Seat(3), &bytes(1, &Undo)), Err(ErrorCode::ResumeExpired));
}

#[test]
fn a_bot_sends_commands_like_a_player() {
    let mut test = TestRoom::<Scribble>::new(7).bots();
    test.room().plan(tickcast::room::SeatPlan::new(3).fill(2));
    test.join();
    test.run(3);
    assert_eq!(heard(&mut test).len(), 1);
}

#[test]
fn commands_that_wait_are_saved_with_the_match() {
    let mut test = TestRoom::<Scribble>::new(7).seats(1);
    test.run(2);
    test.command(0, &guess("cat"));
    let mut restored = Room::restore(&GameDef::new::<Scribble>().unwrap(), &test.room().save()).unwrap();
    assert_eq!(restored.checksum(), test.room().checksum());
    restored.tick();
    test.run(1);
    assert_eq!(restored.checksum(), test.room().checksum());
    assert_eq!(heard(&mut test), ["3: 1 cat"]);
    assert_eq!(restored.newest_command(Seat(1)), 1);
}

/// A game that hears of commands and steps on input.
struct Quiz;

impl Game for Quiz {
    const NAME: &'static str = "quiz";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input().command::<Guess>().resource(Heard::default()).systems(guesses);
    }
}

#[test]
fn a_command_wakes_a_match_that_rests() {
    let mut test = TestRoom::<Quiz>::new(7).seats(1);
    test.run(1000);
    let before = test.stats().ticks;
    test.command(0, &guess("cat"));
    test.run(10);
    assert_eq!(test.world().resource::<Heard>().0, ["1001: 1 cat"]);
    assert_eq!(test.stats().ticks, before + 1);
}

#[test]
fn mistakes_in_a_registration_are_named() {
    macro_rules! game {
        ($name:ident, $build:expr) => {
            struct $name;
            impl Game for $name {
                const NAME: &'static str = "wrong";
                type Input = Pad;
                type Config = NoConfig;
                fn build(m: &mut MatchBuilder<Self>) {
                    $build(m);
                }
            }
        };
    }
    #[derive(GameCommand)]
    #[command(id = 1)]
    struct Other {}
    game!(Twice, |m: &mut MatchBuilder<Self>| {
        m.command::<Guess>().command::<Guess>();
    });
    game!(Clash, |m: &mut MatchBuilder<Self>| {
        m.command::<Guess>().command::<Other>();
    });
    game!(Missing, |m: &mut MatchBuilder<Self>| {
        m.systems(|_: Received<Guess>| {});
    });
    let said = |result: Result<GameDef, GameError>| result.err().unwrap().to_string();
    assert_eq!(said(GameDef::new::<Twice>()), "wrong: two commands are called Guess: clients know them by name");
    assert_eq!(said(GameDef::new::<Clash>()), "wrong: Guess and Other both have the wire id 1");
    let missing = said(GameDef::new::<Missing>());
    assert!(missing.contains("Guess is used by the rules but not registered: add .command::<..>()"), "{missing}");
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Int),
        ".{0,20}".prop_map(|text: String| Value::Text(text.into())),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
    ]
}

proptest! {
    #[test]
    fn a_command_travels_unchanged_and_others_are_refused(
        word in ".{0,6}", x in 0.0f32..100.0, points in vec(any::<u8>(), 0..600), number in 1u32.., wrong in vec(value(), 0..6), id in 1u8..=4,
    ) {
        let schema = GameDef::new::<Scribble>().unwrap().schema().clone();
        let stroke = Stroke { from: Vec2::new(x, 1.0), pen: Pen::Thick, points: Blob::new(&points), closed: true };
        for (bytes, id) in [(bytes(number, &guess(&word)), 1), (bytes(number, &stroke), 2)] {
            let command = decode_command(&schema, &bytes).unwrap();
            prop_assert_eq!((command.number, command.id), (number, id));
            let mut again = Vec::new();
            encode_command(&mut again, &command);
            prop_assert_eq!(again, &bytes[..]);
            for cut in 0..bytes.len() {
                prop_assert!(decode_command(&schema, &bytes[..cut]).is_err());
            }
        }
        let read = Guess::read(&mut tickcast::protocol::ValueReader::new(&decode_command(&schema, &bytes(1, &guess(&word))).unwrap().values));
        prop_assert_eq!(read, Some(guess(&word)));
        // Whatever comes, it is a command or none, and never a panic.
        let mut odd = Vec::new();
        encode_command(&mut odd, &WireCommand { number, id, values: wrong.into() });
        let _ = decode_command(&schema, &odd);
    }
}
