//! Results of matches, with their players and guests, for the tests of what a server stores and posts.

use serde_json::{Value as Json, json};
use tickcast::{
    host::{MatchResult, Player},
    lobby::{DisplayName, Identity, RoomId, UserId},
    prelude::Seat,
    server::RunningServer,
};

use crate::server::{Client, seated};

/// Makes an id of a user.
pub fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

/// Makes an identity. Ids that start with `guest-` are guests'.
pub fn who(id: &str, name: &str) -> Identity {
    Identity { user: user(id), name: DisplayName::parse(name).unwrap(), guest: id.starts_with("guest-"), address: None }
}

/// Makes a player who stayed to the end.
pub fn player(seat: u8, id: &str, won: bool) -> Player {
    let mut player = Player::new(Seat(seat), &who(id, id));
    (player.won, player.stayed) = (won, true);
    player
}

/// Makes the result of a match that ended at a time in milliseconds since 1970.
pub fn result(id: &str, ended: u64, players: Vec<Player>) -> MatchResult {
    let mut result = MatchResult::new(id, RoomId::named("abc"), "duel");
    (result.mode, result.began, result.ended) = ("2v2".to_owned(), ended - 5, ended);
    result.winners = players.iter().filter(|player| player.won).map(|player| player.seat).collect();
    result.players = players;
    result
}

/// Enters the lobby. Returns the client and its session.
pub async fn guest(server: &RunningServer, auth: Json) -> (Client, Json) {
    let mut lobby = Client::join(server, "/lobby", auth).await.unwrap();
    let session = lobby.event_named("/lobby", "session").await.data[1].clone();
    (lobby, session)
}

/// Lets two guests play a match that the first one wins. Returns their sessions.
pub async fn play(server: &RunningServer) -> [Json; 2] {
    let (mut ada, first) = guest(server, json!({"name": "Ada"})).await;
    let (mut bob, second) = guest(server, json!({"name": "Bob"})).await;
    let created = ada.request("/lobby", "create", json!({"game": "duel", "config": {"win_at": 20}})).await;
    let joined = bob.request("/lobby", "join", json!({"room": created["room"]})).await;
    let (mut winner, _) = seated(server, created["ticket"].as_str().unwrap()).await;
    let (mut quitter, _) = seated(server, joined["ticket"].as_str().unwrap()).await;
    quitter.request("/gameplay", "leave", Json::Null).await;
    assert_eq!(winner.event_named("/gameplay", "over").await.data[1]["reason"], "finished");
    [first, second]
}
