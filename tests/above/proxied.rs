//! Behind a proxy: whose address counts, and whose page is the server's own. And what all clients together may have.

use std::time::Duration;

use serde_json::json;
use tickcast::server::{RunningServer, StartError};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::server::{Client, Connection, Duel, Parser, dropped, get, http, start_limited, start_with};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

/// Begins a session with more headers, and returns the status.
async fn begin(server: &RunningServer, headers: &str) -> u16 {
    http(server, "GET", HANDSHAKE, headers, "").await.0
}

async fn start_behind(proxy: &str) -> RunningServer {
    start_with(|builder| builder.trust_proxy(proxy).config(|config| config.net.connections_per_address = 3)).await
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_limits_of_its_own() {
    let server = start_behind("127.0.0.0/8").await;
    for n in 0..3 {
        assert_eq!(begin(&server, "x-forwarded-for: 9.9.9.9\r\n").await, 200, "session {n}");
        assert_eq!(begin(&server, "forwarded: for=\"[2001:db8::1]:80\"\r\n").await, 200, "session {n}");
    }
    let before = dropped(&server, "address").await;
    for same in ["x-forwarded-for: 9.9.9.9", "x-forwarded-for: 1.1.1.1, 9.9.9.9, 127.0.0.2", "forwarded: for=\"[2001:db8::2]\""] {
        assert_eq!(begin(&server, &format!("{same}\r\n")).await, 429, "{same}");
    }
    assert!(dropped(&server, "address").await >= before + 3);
    assert_eq!(begin(&server, "x-forwarded-for: 9.9.9.8\r\n").await, 200, "another client");
    assert_eq!(get(&server, "/healthz").await.0, 200, "the proxy itself");
    server.shutdown().await;
}

#[tokio::test]
async fn a_header_that_no_trusted_proxy_sent_changes_nothing() {
    for proxy in ["10.0.0.0/8", "127.0.0.2"] {
        let server = start_behind(proxy).await;
        let statuses = [
            begin(&server, "x-forwarded-for: 9.9.9.1\r\n").await,
            begin(&server, "x-forwarded-for: 9.9.9.2\r\n").await,
            begin(&server, "forwarded: for=9.9.9.3\r\n").await,
            begin(&server, "x-forwarded-for: 9.9.9.4\r\n").await,
        ];
        assert_eq!(statuses, [200, 200, 200, 429], "{proxy}: loopback is no proxy here, so it is counted");
        server.shutdown().await;
    }
}

#[tokio::test]
async fn websockets_behind_a_proxy_are_counted_by_client_until_they_end() {
    let server = start_behind("127.0.0.1").await;
    let connect = async |client: &str| {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.address());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    };
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(connect("9.9.9.9").await.unwrap());
    }
    assert!(connect("9.9.9.9").await.is_err_and(|error| error.to_string().contains("429")));
    connect("9.9.9.8").await.unwrap();
    drop(sockets.pop());
    // The server needs a moment to see that one has gone, and a client has only so many handshakes.
    while connect("9.9.9.9").await.is_err() {
        sleep(Duration::from_millis(200)).await;
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_own_page_behind_a_proxy_is_the_one_that_the_client_asked_for() {
    let server = start_with(|builder| builder.trust_proxy("127.0.0.1")).await;
    let page = "origin: https://play.test\r\n";
    for (more, expected) in [
        ("", 403),
        ("x-forwarded-host: play.test\r\nx-forwarded-proto: https\r\n", 200),
        ("x-forwarded-host: evil.test, play.test\r\n", 200),
        ("x-forwarded-host: play.test\r\nx-forwarded-proto: http\r\n", 403),
        ("x-forwarded-host: other.test\r\n", 403),
        ("forwarded: for=9.9.9.9;host=play.test;proto=https\r\n", 200),
    ] {
        assert_eq!(begin(&server, &format!("{page}{more}")).await, expected, "{more}");
    }
    server.shutdown().await;
    let server = start_with(|builder| builder).await;
    assert_eq!(begin(&server, &format!("{page}x-forwarded-host: play.test\r\n")).await, 403, "without a trusted proxy");
    server.shutdown().await;
}

#[tokio::test]
async fn a_text_that_names_no_proxy_is_an_error_at_start() {
    let error = tickcast::server().game::<Duel>().trust_proxy("proxy.example.org").start("127.0.0.1:0").await.err().unwrap();
    assert!(matches!(&error, StartError::Proxy(text) if text == "proxy.example.org"), "{error}");
}

#[tokio::test]
async fn polling_handshakes_without_end_are_refused_on_one_connection_and_on_all() {
    let server = start_limited(|config| {
        config.net.connections_per_address = 20;
        config.net.polling_handshakes = 50;
    })
    .await;
    let before = (dropped(&server, "address").await, dropped(&server, "sessions").await);
    let (mut begun, mut beyond_address, mut beyond_all) = (0, 0, 0);
    for _ in 0..5 {
        let mut connection = Connection::open(&server).await;
        for _ in 0..100 {
            match connection.get(HANDSHAKE).await.0 {
                200 => begun += 1,
                429 => beyond_address += 1,
                503 => beyond_all += 1,
                other => panic!("{other}"),
            }
        }
    }
    // A slow machine gets a few more: the allowances come back within ten seconds.
    assert!((50..500).contains(&begun) && beyond_address > 0 && beyond_all > 0, "{begun} {beyond_address} {beyond_all}");
    assert!(dropped(&server, "address").await >= before.0 + beyond_address);
    assert!(dropped(&server, "sessions").await >= before.1 + beyond_all);
    let mut client = Client::connect(&server, Parser::Json).await;
    client.enter("/lobby", json!({})).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn all_clients_together_have_so_many_sessions_and_no_more() {
    let server = start_limited(|config| config.net.max_sessions = 3).await;
    let mut clients = Vec::new();
    for parser in [Parser::Json, Parser::Msgpack, Parser::Json] {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/lobby", json!({})).await.unwrap();
        clients.push(client);
    }
    assert_eq!(begin(&server, "").await, 503);
    assert_eq!(clients[0].request("/lobby", "games", json!(null)).await["ok"], true, "who is in stays in");
    drop(clients.pop());
    // The server needs a moment to see that one has gone.
    while begin(&server, "").await != 200 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
}
