//! Secrets that must not be in a log at any level. The test has a process of its own, because a process has one log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tickcast::server::RunningServer;
use tokio_tungstenite::tungstenite::Message;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

use crate::{
    process::run_in_child,
    server::{Client, PARSERS, create, exchange, get, http, start_with},
};

const SECRET: &str = "kQ7vY2xW9sR4";

/// Where the log goes.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks for everything that there is, in ways that are right and wrong, with a token in the address and in two headers.
async fn ask_with_the_secret(server: &RunningServer) {
    let headers = format!("authorization: Bearer {SECRET}\r\ncookie: token={SECRET}\r\n");
    for path in [
        "/healthz?",
        "/metrics?",
        "/schema/duel.json?",
        "/nothing?",
        "/?",
        "/socket.io/?EIO=4&transport=polling&",
        "/socket.io-msgpack/?EIO=4&transport=polling&",
        "/socket.io/?EIO=5&transport=polling&",
        "/socket.io/?EIO=4&transport=pigeon&",
        "/socket.io/?EIO=4&transport=websocket&",
        "/socket.io/?EIO=4&transport=polling&sid=nobody&",
        "/socket.io/socket.io.js?",
    ] {
        for (method, more) in [("GET", ""), ("POST", ""), ("OPTIONS", ""), ("GET", "origin: http://evil.test\r\n")] {
            http(server, method, &format!("{path}token={SECRET}"), &format!("{headers}{more}"), SECRET).await;
        }
    }
    exchange(server, format!("GET /{SECRET}?{SECRET} HTP/1.1\r\n\r\n").as_bytes()).await;
    exchange(server, format!("GET /?{SECRET} HTTP/1.1\r\nhost: x\r\n{SECRET}\r\n\r\n").as_bytes()).await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";
    for path in ["/socket.io/", "/socket.io-msgpack/"] {
        let request =
            format!("GET {path}?EIO=4&transport=websocket&token={SECRET} HTTP/1.1\r\nhost: x\r\n{headers}{upgrade}\r\n");
        // Closed by a frame that is none.
        let answer = exchange(server, &[request.as_bytes(), &[0x83, 0]].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    }
    let opened = get(server, &format!("/socket.io/?EIO=4&transport=polling&token={SECRET}")).await.1;
    let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&token={SECRET}&sid={sid}");
    for packet in ["40/lobby,", "40/nowhere,", "42/lobby,[]"] {
        http(server, "POST", &path, "", packet).await;
    }
}

/// Shows it where tokens belong, too: to come in, to sit down and to come back.
async fn show_the_secret(server: &RunningServer) {
    for parser in PARSERS {
        let mut client = Client::connect(server, parser).await;
        for namespace in ["/lobby", "/matchmaking", "/gameplay"] {
            for auth in [json!({ "token": SECRET }), json!({ "ticket": SECRET }), json!({ "resume": SECRET }), json!(SECRET)] {
                let refused = client.enter(namespace, auth.clone()).await;
                assert!(refused.is_err(), "{namespace} {auth}");
            }
        }
        client.raw(Message::Close(None)).await;
        client.closed().await;
    }
}

#[tokio::test]
async fn a_token_is_never_logged() {
    if run_in_child("secrets::a_token_is_never_logged").is_some() {
        return;
    }
    let paper = Paper::default();
    let log = paper.clone();
    fmt().with_max_level(LevelFilter::TRACE).with_writer(move || log.clone()).with_ansi(false).init();

    let server = start_with(|builder| builder.allow_origin("https://play.example.org")).await;
    let created = create(&server, json!({})).await;
    ask_with_the_secret(&server).await;
    show_the_secret(&server).await;
    server.shutdown().await;

    let log = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    for (written, why) in [("connection refused", "refusals are"), ("a connection ended early", "what is no HTTP is")] {
        assert!(log.contains(written), "{why} logged:\n{log}");
    }
    for secret in [SECRET, created["ticket"].as_str().unwrap()] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}
