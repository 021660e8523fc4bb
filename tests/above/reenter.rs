//! Clients that enter a namespace again without having left it, as React's strict mode makes them: they left before their entry was
//! answered, and so sent nothing. `examples/arcade/tests/reenter.rs` has the official client.

use std::{convert::Infallible, time::Duration};

use serde_json::{Value as Json, json};
use tickcast::{
    host::Host,
    net::in_order,
    socketioxide::{
        SocketIo,
        extract::{AckSender, SocketRef},
        handler::ConnectHandler,
    },
};
use tokio::time::{sleep, timeout};

use crate::{
    polling::Polling,
    server::{Client, PARSERS, PATIENCE, create, start, start_with, ticket_for},
};

/// A host's own namespaces. `/shop` takes its time to let a client in, `/slow` to let one go.
const OWN: [&str; 2] = ["/shop", "/slow"];
const A_WHILE: Duration = Duration::from_millis(50);

fn open_own(io: &SocketIo, _: &Host) {
    for path in OWN {
        let admit = async move |socket: SocketRef| {
            socket.on("kick", in_order(|socket: SocketRef| socket.disconnect().unwrap()));
            socket.on(
                "sockets",
                in_order(move |io: SocketIo, ack: AckSender| ack.send(&io.of(path).unwrap().sockets().len()).unwrap()),
            );
            if path == "/slow" {
                socket.on_disconnect(async || sleep(A_WHILE).await);
            } else {
                sleep(A_WHILE).await;
            }
            Ok::<_, Infallible>(())
        };
        io.ns(path, (async || {}).with(admit));
    }
}

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

#[tokio::test]
async fn a_second_entry_into_a_hosts_own_namespace_is_answered() {
    let server = start_with(|builder| builder.namespaces(open_own)).await;
    for (parser, path) in PARSERS.into_iter().flat_map(|parser| OWN.map(|path| (parser, path))) {
        let mut client = Client::connect(&server, parser).await;
        for _ in 0..3 {
            client.enter(path, Json::Null).await.unwrap();
            assert_eq!(client.request(path, "sockets", Json::Null).await, 1, "{parser:?} {path}");
        }
        // This client has not seen yet that it is in, and asks right behind its second entry.
        client.send(0, path, None, Json::Null, None).await;
        assert_eq!(client.request(path, "sockets", Json::Null).await, 1, "{parser:?} {path}: an event waits for the entry");
        client.enter(path, Json::Null).await.unwrap();
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_its_host_put_out_or_that_left_enters_again() {
    let server = start_with(|builder| builder.namespaces(open_own)).await;
    for (parser, path) in PARSERS.into_iter().flat_map(|parser| OWN.map(|path| (parser, path))) {
        let mut client = Client::connect(&server, parser).await;
        for _ in 0..3 {
            client.enter(path, Json::Null).await.unwrap();
            client.send(2, path, None, json!(["kick"]), None).await;
            assert!(client.ended(path).await);
            client.enter(path, Json::Null).await.unwrap();
            client.send(1, path, None, Json::Null, None).await;
        }
        client.enter(path, Json::Null).await.unwrap();
        assert_eq!(client.request(path, "sockets", Json::Null).await, 1, "{parser:?} {path}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_polls_enters_a_hosts_own_namespace_again() {
    let server = start_with(|builder| builder.namespaces(open_own)).await;
    for path in OWN {
        let mut client = Polling::open(server.address(), "socket.io").await;
        client.send(&format!("40{path},")).await;
        comes(&mut client, &format!("40{path},{{")).await;
        for packets in [format!("40{path},"), format!("41{path},\u{1e}40{path},")] {
            client.send(&packets).await;
            comes(&mut client, &format!("40{path},{{")).await;
        }
        client.send(&format!("40{path},\u{1e}42{path},7[\"sockets\"]")).await;
        comes(&mut client, &format!("43{path},7[1]")).await;
    }
    server.shutdown().await;
}
