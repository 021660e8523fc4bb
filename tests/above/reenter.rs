//! Clients that enter a namespace again without having left it, as React's strict mode makes them: they left before their entry was
//! answered, and so sent nothing.

use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::{
    polling::Polling,
    server::{Client, PARSERS, PATIENCE, create, start, ticket_for},
};

#[tokio::test]
async fn a_second_entry_into_the_lobby_is_answered() {
    let server = start().await;
    for parser in PARSERS {
        let mut friend = Client::join(&server, "/lobby", json!({})).await.unwrap();
        let mut client = Client::connect(&server, parser).await;
        let mut users = Vec::new();
        for name in ["Ada", "Bob", "Cy"] {
            client.enter("/lobby", json!({ "name": name })).await.unwrap();
            let session = client.event_named("/lobby", "session").await.data[1].clone();
            assert_eq!(session["name"], name, "{parser:?}: the newest entry counts");
            users.push(session["user"].clone());
        }
        client.enter("/", Json::Null).await.unwrap();
        client.enter("/", Json::Null).await.unwrap();
        assert_eq!(client.request("/", "info", Json::Null).await["ok"], true);
        let answer = client.request("/lobby", "games", json!({})).await;
        assert_eq!(answer["ok"], true, "{parser:?}: {answer}");
        let people = friend.request("/lobby", "presence", json!({ "users": users })).await;
        let statuses: Vec<_> = people["users"].as_array().unwrap().iter().map(|person| person["status"].clone()).collect();
        assert_eq!(statuses, ["offline", "offline", "online"], "{parser:?}: nothing of the other entries is left");
        client.send(1, "/lobby", None, Json::Null, None).await;
        client.enter("/lobby", json!({})).await.unwrap();
    }
    server.shutdown().await;
}

/// Polls until a text has come.
async fn comes(client: &mut Polling, text: &str) {
    let polls = async { while !client.poll().await.contains(text) {} };
    timeout(PATIENCE, polls).await.unwrap_or_else(|_| panic!("{text} does not come"));
}

#[tokio::test]
async fn a_client_that_polls_enters_again() {
    let server = start().await;
    let mut client = Polling::open(server.address(), "socket.io").await;
    for name in ["Ada", "Bob"] {
        client.send(&format!("40/lobby,{{\"name\":\"{name}\"}}")).await;
        comes(&mut client, &format!("\"name\":\"{name}\"")).await;
    }
    client.send("42/lobby,1[\"games\"]").await;
    comes(&mut client, "43/lobby,1[{").await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_seat_that_is_left_for_another_without_a_word_is_away() {
    let server = start().await;
    for parser in PARSERS {
        let (first, second) = (create(&server, json!({})).await, create(&server, json!({})).await);
        let friend = ticket_for(&server, &first["room"]).await;
        let mut friend = Client::join(&server, "/gameplay", json!({ "ticket": friend })).await.unwrap();
        let mut client = Client::connect(&server, parser).await;
        for created in [&first, &second] {
            client.enter("/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
            let welcome = client.event_named("/gameplay", "welcome").await.data[1].clone();
            assert_eq!(welcome["room"], created["room"], "{parser:?}");
            client.input(&[0x91, 0], false).await;
            client.event_named("/gameplay", "s").await;
        }
        let is_away = |seats: &Json| seats.as_array().unwrap().iter().any(|seat| seat["status"] == "away");
        while !is_away(&friend.event_named("/gameplay", "seats").await.data[1]) {}
        client.request("/gameplay", "leave", Json::Null).await;
    }
    server.shutdown().await;
}
