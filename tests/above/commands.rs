//! Commands of players, over real sockets and both parsers.

use serde_json::{Value as Json, json};
use tickcast::{
    prelude::*,
    protocol::{Values, WireCommand, encode_command},
};

use crate::server::{Client, PARSERS, create_game, metric, start_with};

#[derive(GameCommand)]
#[command(id = 1)]
struct Guess {
    word: Text<12>,
}

#[derive(GameEvent)]
#[event(id = 1)]
struct Said {
    seat: u8,
    letters: u8,
}

#[derive(GameInput, Clone, Default)]
struct Pad {}

/// Tells everybody how long a guess was.
struct Quiz;

impl Game for Quiz {
    const NAME: &'static str = "quiz";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input().command::<Guess>().event::<Said>().on_join(|seat, world| world.spawn_avatar(seat, ())).systems(
            |guesses: Received<Guess>, mut said: Emit<Said>| {
                for (Seat(seat), guess) in guesses.iter() {
                    said.everyone(Said { seat, letters: guess.word.chars().count() as u8 });
                }
            },
        );
    }
}

fn guess(number: u32, word: &str) -> Vec<u8> {
    let (mut values, mut bytes) = (Values::new(), Vec::new());
    tickcast::protocol::Fields::write(&Guess { word: Text::new(word) }, &mut values);
    encode_command(&mut bytes, &WireCommand { number, id: 1, values });
    bytes
}

/// The next game events, without their tick.
async fn events(player: &mut Client) -> Vec<Json> {
    let events: Vec<Json> = rmp_serde::from_slice(&player.event_named("/gameplay", "e").await.binary.unwrap()).unwrap();
    events[1..].to_vec()
}

#[tokio::test]
async fn a_command_is_answered_and_acts_once() {
    let server = start_with(|server| server.game::<Quiz>()).await;
    for parser in PARSERS {
        let created = create_game(&server, "quiz", json!({})).await;
        let mut player = Client::connect(&server, parser).await;
        player.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
        let welcome = player.event_named("/gameplay", "welcome").await.data[1].clone();
        assert_eq!(welcome["commands"], 0);
        let schema =
            json!([{ "id": 1, "name": "Guess", "shape": "struct", "fields": [{ "name": "word", "type": "text", "max": 12 }] }]);
        assert_eq!(welcome["schema"]["commands"], schema);
        let ok = json!({ "ok": true });
        assert_eq!(player.command(&guess(1, "cät")).await, ok);
        assert_eq!(events(&mut player).await, [json!([1, 1, 3])]);
        assert_eq!(player.command(&guess(1, "cät")).await, ok, "one that came before is answered, and has no effect");
        assert_eq!(player.command(&guess(2, "mouse")).await, ok);
        assert_eq!(events(&mut player).await, [json!([1, 1, 5])]);
        assert_eq!(player.command(b"\x93\x03\x01\x05").await["error"]["code"], "bad_command");
        assert_eq!(player.request_raw("/gameplay", json!(["c", "text"])).await["error"]["code"], "bad_request");
        // The numbers go on after a resume.
        drop(player);
        let mut again = Client::connect(&server, parser).await;
        again.enter("/gameplay", json!({ "resume": welcome["resume"] })).await.unwrap();
        assert_eq!(again.event_named("/gameplay", "welcome").await.data[1]["commands"], 2);
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_commands_is_refused_and_the_seat_plays_on() {
    let server = start_with(|server| server.game::<Quiz>()).await;
    let created = create_game(&server, "quiz", json!({})).await;
    let mut player = Client::join(&server, "/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
    let counted = "tickcast_refused_total{code=\"rate_limited\"}";
    let before = metric(&server, counted).await as usize;
    // A slow machine gives credit back meanwhile, but not for so many.
    let flood: Vec<_> = (1..=400).map(|number| guess(number, "a")).collect();
    let answers = player.commands(&flood).await;
    let refused = answers.iter().filter(|answer| answer["error"]["code"] == "rate_limited").count();
    assert!(refused > 0 && answers[0]["ok"] == true);
    assert!(metric(&server, counted).await as usize >= before + refused);
    let ok = json!({ "ok": true });
    loop {
        if player.command(&guess(500, "a")).await == ok {
            break;
        }
    }
    server.shutdown().await;
}
