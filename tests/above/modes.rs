//! Modes over real sockets: parties, teams, ready checks, backfill and ratings.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tickcast::{
    host::Parties,
    lobby::UserId,
    matchmaking::Mode,
    prelude::*,
    server::{RunningServer, StartError},
};

use crate::race::Race;
use crate::server::{Client, Duel, seated};

const LOBBY: &str = "/lobby";
const QUEUE: &str = "/matchmaking";
const SEAT: &str = "/gameplay";

/// The first input of a seat, which goes.
const GO: &[u8] = &[0x94, 0, 1, 0, 1];

struct Stage {
    server: RunningServer,
}

/// Somebody in the lobby and on `/matchmaking`.
struct Guest {
    client: Client,
    user: UserId,
}

impl Stage {
    async fn open() -> Self {
        let duo = || Mode::teams(2).of(2..=2);
        let server = tickcast::server()
            .game::<Race>()
            .mode::<Race>("2v2", duo().rated())
            .mode::<Race>("checked", duo().ready_check(secs(30.0)))
            .mode::<Race>("hasty", Mode::teams(2).ready_check(secs(0.3)))
            .mode::<Race>("open", duo().backfill())
            .mode::<Race>("filled", duo().bots_after(secs(0.5)).backfill());
        Self { server: server.start("127.0.0.1:0").await.unwrap() }
    }

    async fn guest(&self) -> Guest {
        Guest::come(&self.server).await
    }

    /// So many guests in one party, the leader first.
    async fn party(&self, size: usize) -> Vec<Guest> {
        let mut guests = vec![self.guest().await];
        let code = guests[0].ask_lobby("party_create", Json::Null).await["party"]["code"].clone();
        for _ in 1..size {
            let mut guest = self.guest().await;
            guest.ask_lobby("party_join", json!({ "code": code })).await;
            guests.push(guest);
        }
        guests
    }
}

impl Guest {
    async fn come(server: &RunningServer) -> Self {
        let mut client = Client::join(server, QUEUE, json!({})).await.unwrap();
        let session = client.event_named(QUEUE, "session").await.data[1].clone();
        client.enter(LOBBY, json!({ "token": session["token"] })).await.unwrap();
        Self { client, user: UserId::parse(session["user"].as_str().unwrap()).unwrap() }
    }

    async fn ask_lobby(&mut self, event: &str, argument: Json) -> Json {
        let answer = self.client.request(LOBBY, event, argument).await;
        assert_eq!(answer["ok"], true, "{event}: {answer}");
        answer
    }

    async fn ask(&mut self, event: &str, argument: Json) -> Json {
        self.client.request(QUEUE, event, argument).await
    }

    async fn enqueue(&mut self, mode: &str) -> Json {
        self.ask("enqueue", json!({"game": "race", "mode": mode})).await
    }

    async fn refused(&mut self, event: &str, argument: Json) -> Json {
        self.ask(event, argument).await["error"]["code"].clone()
    }

    async fn hears(&mut self, event: &str) -> Json {
        self.client.event_named(QUEUE, event).await.data[1].clone()
    }

    async fn rating(&mut self) -> f64 {
        self.ask("rating", json!({"game": "race", "mode": "2v2"})).await["rating"].as_f64().unwrap()
    }
}

/// The one room and the teams in which people were matched.
async fn teams(guests: &mut [Guest]) -> (String, Vec<u64>) {
    let (mut rooms, mut teams) = (Vec::new(), Vec::new());
    for guest in guests {
        let matched = guest.hears("matched").await;
        rooms.push(matched["room"].as_str().unwrap().to_owned());
        teams.push(matched["team"].as_u64().unwrap());
    }
    rooms.dedup();
    assert_eq!(rooms.len(), 1, "{rooms:?}");
    (rooms.remove(0), teams)
}

#[tokio::test]
async fn two_parties_of_two_play_each_other_and_ratings_move() {
    let stage = Stage::open().await;
    let mut guests = stage.party(2).await;
    guests.extend(stage.party(2).await);
    assert_eq!(guests[0].enqueue("2v2").await, json!({"ok": true, "position": 1}));
    assert_eq!(guests[2].enqueue("2v2").await["ok"], true);
    let mut seats = Vec::new();
    for guest in &mut guests {
        let matched = guest.hears("matched").await;
        let (client, welcome) = seated(&stage.server, matched["ticket"].as_str().unwrap()).await;
        seats.push((client, matched["team"].as_u64().unwrap(), welcome["seat"].as_u64().unwrap(), matched["room"].clone()));
    }
    let of_teams: Vec<_> = seats.iter().map(|(_, team, seat, room)| (*team, *seat, room == &seats[0].3)).collect();
    assert_eq!(of_teams, [(1, 1, true), (1, 3, true), (2, 2, true), (2, 4, true)]);

    seats[1].0.input(GO, false).await;
    let over = seats[3].0.event_named(SEAT, "over").await.data[1].clone();
    assert_eq!((&over["reason"], &over["winners"]), (&json!("finished"), &json!([1, 3])));
    for (guest, won) in guests.iter_mut().zip([true, true, false, false]) {
        let rating = guest.rating().await;
        assert!(if won { rating > 1550.0 } else { rating < 1450.0 }, "{rating}");
    }
    let told = guests[0].ask("leaders", json!({"game": "race", "mode": "2v2"})).await;
    let leaders = told["leaders"].as_array().unwrap();
    let heights: Vec<f64> = leaders.iter().map(|leader| leader["rating"].as_f64().unwrap()).collect();
    assert_eq!((&told["mode"], heights.len()), (&json!("2v2"), 4));
    assert!(heights.is_sorted_by(|a, b| a >= b) && heights[1] > 1550.0 && heights[2] < 1450.0, "{heights:?}");
    assert!(leaders.iter().all(|leader| leader["name"].is_string() && leader["user"].is_string()), "{told}");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_party_plays_two_single_players_and_is_not_split() {
    let stage = Stage::open().await;
    let mut guests = vec![stage.guest().await];
    guests.extend(stage.party(2).await);
    guests.push(stage.guest().await);
    for at in [0, 1, 3] {
        assert_eq!(guests[at].enqueue("2v2").await["ok"], true);
    }
    let (_, teams) = teams(&mut guests).await;
    assert!(teams[1] == teams[2] && teams[0] == teams[3] && teams[0] != teams[1], "{teams:?}");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn accepting_players_requeue_and_decliners_leave() {
    let stage = Stage::open().await;
    let mut guests = stage.party(2).await;
    guests.extend([stage.guest().await, stage.guest().await]);
    for at in [0, 2, 3] {
        assert_eq!(guests[at].enqueue("checked").await["ok"], true);
    }
    let mut check = Json::Null;
    for guest in &mut guests {
        let asked = guest.hears("ready_check").await;
        assert_eq!((&asked["mode"], &asked["players"], &asked["seconds"]), (&json!("checked"), &json!(4), &json!(30.0)));
        check = json!({"check": asked["check"]});
    }
    let late = &mut stage.guest().await;
    assert_eq!(late.enqueue("checked").await["position"], 1, "who is asked does not wait");
    assert_eq!(guests[0].refused("accept", json!({"check": 0})).await, "unknown_check");
    assert_eq!(guests[0].ask("accept", check.clone()).await["ok"], true);
    assert_eq!(guests[3].hears("ready").await["accepted"], 1);
    assert_eq!(guests[3].ask("decline", check.clone()).await["ok"], true);
    assert_eq!(guests[3].hears("unready").await["requeued"], false);
    assert_eq!(guests[3].refused("accept", check.clone()).await, "unknown_check");
    for guest in &mut guests[1..3] {
        assert_eq!(guest.ask("accept", check.clone()).await["ok"], true);
    }
    for guest in &mut guests[..3] {
        let told = guest.hears("unready").await;
        assert_eq!((&told["reason"], &told["requeued"]), (&json!("declined"), &json!(true)));
    }
    // With their age: they are matched with the one who came later, and would stand before him.
    let late_check = late.hears("ready_check").await["check"].clone();
    for guest in &mut guests[..3] {
        assert_eq!(guest.hears("ready_check").await["check"], late_check);
        assert_eq!(guest.ask("accept", json!({"check": late_check})).await["ok"], true);
    }
    assert_eq!(late.ask("accept", json!({"check": late_check})).await["ok"], true);
    let (_, teams) = teams(&mut guests[..3]).await;
    assert!(teams[0] == teams[1] && teams[0] != teams[2], "{teams:?}");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_player_who_misses_the_ready_check_leaves() {
    let stage = Stage::open().await;
    let mut guests = [stage.guest().await, stage.guest().await];
    for guest in &mut guests {
        guest.enqueue("hasty").await;
    }
    let check = guests[0].hears("ready_check").await["check"].clone();
    assert_eq!(guests[0].ask("accept", json!({"check": check})).await["ok"], true);
    let told = [guests[0].hears("unready").await, guests[1].hears("unready").await];
    assert_eq!(told[0], json!({"check": check, "reason": "timed_out", "requeued": true}));
    assert_eq!(told[1], json!({"check": check, "reason": "timed_out", "requeued": false}));
    assert_eq!(guests[0].refused("enqueue", json!({"game": "race"})).await, "already_queued");
    assert_eq!(guests[1].refused("leave", Json::Null).await, "not_queued");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_free_seat_is_given_to_a_queued_player() {
    let stage = Stage::open().await;
    let mut guests = Vec::new();
    for _ in 0..4 {
        let mut guest = stage.guest().await;
        guest.enqueue("open").await;
        guests.push(guest);
    }
    let mut seats = Vec::new();
    for guest in &mut guests {
        let matched = guest.hears("matched").await;
        seats.push((seated(&stage.server, matched["ticket"].as_str().unwrap()).await, matched));
    }
    let mut late = stage.guest().await;
    late.enqueue("open").await;
    late.hears("status").await;
    let ((mut gone, welcome), matched) = seats.remove(2);
    assert_eq!(gone.request(SEAT, "leave", Json::Null).await["ok"], true);
    let found = late.hears("matched").await;
    assert_eq!((&found["room"], &found["team"]), (&matched["room"], &matched["team"]));
    let (_, taken) = seated(&stage.server, found["ticket"].as_str().unwrap()).await;
    assert_eq!(taken["seat"], welcome["seat"]);
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_party_queues_and_leaves_as_one() {
    let stage = Stage::open().await;
    let mut party = stage.party(2).await;
    assert_eq!(party[1].refused("enqueue", json!({"game": "race"})).await, "not_leader");
    assert_eq!(party[0].enqueue("2v2").await["ok"], true);
    assert_eq!(party[1].hears("status").await["waiting"], 2);
    assert_eq!(party[1].ask("leave", Json::Null).await["ok"], true);
    assert_eq!(party[0].hears("left").await, json!({"reason": "party"}));
    assert_eq!(party[0].enqueue("2v2").await["ok"], true);
    let gone = party.pop().unwrap();
    drop(gone.client);
    assert_eq!(party[0].hears("left").await, json!({"reason": "party"}));
    assert_eq!(party[0].refused("enqueue", json!({"game": "race"})).await, "party_absent");
    let mut three = stage.party(3).await;
    assert_eq!(three[0].refused("enqueue", json!({"game": "race"})).await, "party_too_large");
    stage.server.shutdown().await;
}

/// The people who change a party: its leader, a member, and somebody from outside.
#[tokio::test]
async fn a_party_that_changes_is_out_of_the_queue() {
    let stage = Stage::open().await;
    for change in ["leave", "kick", "join"] {
        let mut party = stage.party(2).await;
        let mut other = stage.guest().await;
        let code = party[0].ask_lobby("party", Json::Null).await["party"]["code"].clone();
        assert_eq!(party[0].enqueue("2v2").await["ok"], true);
        other.enqueue("2v2").await;
        match change {
            "leave" => party[1].ask_lobby("party_leave", Json::Null).await,
            "kick" => {
                let user = party[1].user.clone();
                party[0].ask_lobby("party_kick", json!({ "user": user })).await
            }
            _ => other.ask_lobby("party_join", json!({ "code": code })).await,
        };
        for member in &mut party {
            assert_eq!(member.hears("left").await, json!({"reason": "party"}), "{change}");
        }
        assert_eq!(party[0].enqueue("2v2").await["ok"], change != "join", "{change}");
        if change == "join" {
            // The person who waited alone is now in the party, which is too large for the mode.
            assert_eq!(other.hears("left").await, json!({"reason": "party"}));
            assert_eq!(party[0].refused("enqueue", json!({"game": "race", "mode": "2v2"})).await, "party_too_large");
        } else {
            assert_eq!(party[1].enqueue("2v2").await["ok"], true, "{change}: who is out of the party queues alone at once");
        }
        party.push(other);
        for mut guest in party {
            guest.ask("leave", Json::Null).await;
        }
    }
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_change_that_leaves_the_party_whole_leaves_it_in_the_queue() {
    let stage = Stage::open().await;
    let mut party = stage.party(2).await;
    assert_eq!(party[0].enqueue("2v2").await["ok"], true);
    let heir = party[1].user.clone();
    party[0].ask_lobby("party_promote", json!({ "user": heir })).await;
    party[1].ask_lobby("party_ready", json!({ "ready": true })).await;
    let others = &mut stage.party(2).await;
    assert_eq!(others[0].enqueue("2v2").await["ok"], true);
    party.append(others);
    let (_, teams) = teams(&mut party).await;
    assert!(teams[0] == teams[1] && teams[2] == teams[3], "{teams:?}");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn leaving_the_party_declines_its_ready_check() {
    let stage = Stage::open().await;
    let mut guests = stage.party(2).await;
    guests.extend(stage.party(2).await);
    for leader in [0, 2] {
        assert_eq!(guests[leader].enqueue("checked").await["ok"], true);
    }
    let mut check = Json::Null;
    for guest in &mut guests {
        check = json!({"check": guest.hears("ready_check").await["check"]});
    }
    for guest in &mut guests[..3] {
        assert_eq!(guest.ask("accept", check.clone()).await["ok"], true);
    }
    guests[1].ask_lobby("party_leave", Json::Null).await;
    assert_eq!(guests[3].ask("accept", check.clone()).await["ok"], true);
    for (at, guest) in guests.iter_mut().enumerate() {
        let told = guest.hears("unready").await;
        assert_eq!((&told["reason"], &told["requeued"]), (&json!("declined"), &json!(at >= 2)));
    }
    stage.server.shutdown().await;
}

#[tokio::test]
async fn friends_see_queueing_and_playing() {
    let stage = Stage::open().await;
    let mut watcher = stage.guest().await;
    let mut party = stage.party(2).await;
    let user = party[1].user.clone();
    watcher.ask_lobby("presence", json!({ "users": [user] })).await;
    let mut presence = async || watcher.client.event_named(LOBBY, "presence").await.data[1]["status"].clone();
    party[0].enqueue("2v2").await;
    assert_eq!(presence().await, "queue");
    assert_eq!(party[0].ask("leave", Json::Null).await["ok"], true);
    assert_eq!(presence().await, "online");
    party[0].enqueue("filled").await;
    assert_eq!(presence().await, "queue");
    let matched = party[1].hears("matched").await;
    assert_eq!(presence().await, "online", "between the queue and the seat");
    let _seat = seated(&stage.server, matched["ticket"].as_str().unwrap()).await;
    assert_eq!(presence().await, "match");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn bots_take_the_seats_that_nobody_waits_for() {
    let stage = Stage::open().await;
    let mut party = stage.party(2).await;
    assert_eq!(party[0].enqueue("filled").await["ok"], true);
    let matched = party[0].hears("matched").await;
    let (mut client, _) = seated(&stage.server, matched["ticket"].as_str().unwrap()).await;
    let seats = client.event_named(SEAT, "seats").await.data[1].clone();
    let status = |seat: &Json| (seat["seat"].as_u64().unwrap(), seat["status"].as_str().unwrap().to_owned());
    let status: Vec<_> = seats.as_array().unwrap().iter().map(status).collect();
    let expected = [(1, "playing"), (2, "bot"), (4, "bot")].map(|(seat, status)| (seat, status.to_owned()));
    assert_eq!(status, expected, "the seat of the other member is kept");
    let mut late = stage.guest().await;
    late.enqueue("filled").await;
    let found = late.hears("matched").await;
    assert_eq!((&found["room"], &found["team"]), (&matched["room"], &json!(2)), "a bot makes room for a person");
    let (_, taken) = seated(&stage.server, found["ticket"].as_str().unwrap()).await;
    assert_eq!(taken["seat"].as_u64().unwrap() % 2, 0);
    client.input(GO, false).await;
    assert_eq!(client.event_named(SEAT, "over").await.data[1]["winners"], json!([1]));
    stage.server.shutdown().await;
}

/// One party of everybody whom the test names, as a host of its own idea of parties would have it.
#[derive(Clone, Default)]
struct Friends(Arc<Mutex<Vec<UserId>>>);

impl Parties for Friends {
    fn members(&self, user: &UserId) -> Vec<UserId> {
        let friends = self.0.lock().unwrap();
        if friends.contains(user) { friends.clone() } else { Vec::new() }
    }
}

#[tokio::test]
async fn a_host_may_know_the_parties_better() {
    let friends = Friends::default();
    let server = tickcast::server().game::<Race>().parties(friends.clone()).start("127.0.0.1:0").await.unwrap();
    let mut guests = [Guest::come(&server).await, Guest::come(&server).await];
    friends.0.lock().unwrap().extend(guests.iter().map(|guest| guest.user.clone()));
    assert_eq!(guests[1].refused("enqueue", json!({"game": "race"})).await, "not_leader");
    assert_eq!(guests[0].ask("enqueue", json!({"game": "race"})).await["ok"], true);
    let rooms = [guests[0].hears("matched").await["room"].clone(), guests[1].hears("matched").await["room"].clone()];
    assert_eq!(rooms[0], rooms[1]);
    server.shutdown().await;
}

#[tokio::test]
async fn a_queue_entry_that_fits_no_mode_is_refused() {
    let stage = Stage::open().await;
    let mut guest = stage.guest().await;
    assert_eq!(guest.refused("enqueue", json!({"game": "race", "mode": "9v9"})).await, "unknown_mode");
    assert_eq!(guest.refused("rating", json!({"game": "chess"})).await, "unknown_game");
    assert_eq!(guest.refused("enqueue", json!({"game": "race", "properties": {"map": "moon"}})).await, "bad_request");
    assert_eq!(guest.refused("enqueue", json!({"game": "race", "regions": {"eu": "near"}})).await, "bad_request");
    assert_eq!(guest.refused("accept", Json::Null).await, "bad_request");
    assert_eq!(guest.refused("decline", json!({"check": 1})).await, "unknown_check");
    assert_eq!(guest.ask("rating", json!({"game": "race"})).await["rating"], 1500.0);
    assert_eq!(guest.refused("leaders", json!({"game": "chess"})).await, "unknown_game");
    assert_eq!(guest.ask("leaders", json!({"game": "race"})).await["leaders"], json!([]));
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_server_with_a_mode_that_cannot_be_does_not_start() {
    let wrong = [
        tickcast::server().game::<Race>().mode::<Race>("5v5", Mode::teams(2).of(5..=5)),
        tickcast::server().game::<Duel>().mode::<Duel>("bots", Mode::teams(2).bots_after(secs(1.0))),
        tickcast::server().game::<Race>().mode::<Duel>("1v1", Mode::teams(2)),
        tickcast::server().game::<Race>().mode::<Race>("1v1", Mode::teams(2)).mode::<Race>("1v1", Mode::teams(2)),
        tickcast::server().game::<Race>().mode::<Race>("1 v 1!", Mode::teams(2)),
        tickcast::server().game::<Race>().mode::<Race>("alone", Mode::teams(1)),
    ];
    for builder in wrong {
        let error = builder.start("127.0.0.1:0").await.err();
        assert!(matches!(error, Some(StartError::Mode { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn modes_from_a_file_extend_or_replace_the_programs() {
    let written = json!({"race": {"1v1": {"teams": 2, "players": 1}, "2v2": {"teams": 2, "players": 2}}});
    let program = tickcast::server().game::<Race>().mode::<Race>("1v1", Mode::teams(2).of(2..=2));
    let server = program.modes(serde_json::from_value(written).unwrap()).start("127.0.0.1:0").await.unwrap();
    let mut guest = Guest::come(&server).await;
    for (mode, needed) in [("1v1", 2), ("2v2", 4)] {
        assert_eq!(guest.enqueue(mode).await["ok"], true);
        assert_eq!(guest.hears("status").await["needed"], needed);
        guest.ask("leave", Json::Null).await;
    }
    server.shutdown().await;
    let unknown = serde_json::from_value(json!({"chess": {"1v1": {"teams": 2, "players": 1}}})).unwrap();
    let error = tickcast::server().game::<Race>().modes(unknown).start("127.0.0.1:0").await.err();
    assert_eq!(error.unwrap().to_string(), "chess: the mode \"1v1\" cannot be: the game is not hosted");
}
