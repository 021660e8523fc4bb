//! The module by which clients predict: how it is served, and how a match says which it is.

use serde_json::json;
use tickcast::{
    game::RulesModule,
    server::{RunningServer, ServerBuilder},
};

use crate::server::{Client, Duel, create, get, http, seated, start, start_with};

/// A module that compresses well.
fn module() -> Vec<u8> {
    [b"\0asm\x01\0\0\0", "tick ".repeat(1_000).as_bytes()].concat()
}

async fn serving() -> RunningServer {
    start_with(|builder| builder.rules::<Duel>(module()).allow_origin("https://play.example.org")).await
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.split("\r\n").take_while(|line| !line.is_empty()).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

async fn hash_in_welcome(server: &RunningServer) -> Option<String> {
    let created = create(server, json!({})).await;
    let (_, welcome) = seated(server, created["ticket"].as_str().unwrap()).await;
    welcome.get("rules").map(|hash| hash.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_module_is_sent_once_and_compressed() {
    let server = serving().await;
    let ask = async |headers: &str| http(&server, "GET", "/rules/duel.wasm", headers, "").await;
    let (status, plain) = ask("").await;
    assert_eq!((status, header(&plain, "content-type")), (200, Some("application/wasm")));
    assert_eq!(header(&plain, "cache-control"), Some("no-cache"), "another version may come");
    assert!(plain.as_bytes().ends_with(&module()));
    let (_, packed) = ask("accept-encoding: gzip, br\r\n").await;
    assert_eq!(header(&packed, "content-encoding"), Some("gzip"));
    let tag = header(&plain, "etag").unwrap();
    let (status, known) = ask(&format!("if-none-match: {tag}\r\n")).await;
    assert!(status == 304 && known.ends_with("\r\n\r\n"), "{known}");
    assert_eq!(http(&server, "POST", "/rules/duel.wasm", "", "").await.0, 405);
    assert_eq!(get(&server, "/rules/chess.wasm").await.0, 404);
    server.shutdown().await;
}

#[tokio::test]
async fn each_encoding_of_a_module_has_a_tag_of_its_own() {
    let rules = RulesModule::from(module()).brotli(&b"\x0bin brotli"[..]);
    let server = start_with(|builder| builder.rules::<Duel>(rules)).await;
    let hash = hash_in_welcome(&server).await.unwrap();
    let path = format!("/rules/duel.wasm?v={hash}");
    let ask = async |headers: &str| http(&server, "GET", &path, headers, "").await;
    let mut tags = Vec::new();
    for (accepted, encoding) in [("gzip, deflate, br", Some("br")), ("gzip", Some("gzip")), ("identity", None)] {
        let (_, answer) = ask(&format!("accept-encoding: {accepted}\r\n")).await;
        assert_eq!((header(&answer, "content-encoding"), header(&answer, "vary")), (encoding, Some("accept-encoding")));
        assert_eq!(answer.ends_with("\x0bin brotli"), encoding == Some("br"), "{accepted}");
        let tag = header(&answer, "etag").unwrap().to_owned();
        let (status, _) = ask(&format!("accept-encoding: {accepted}\r\nif-none-match: {tag}\r\n")).await;
        assert_eq!(status, 304, "{accepted}");
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3);
    server.shutdown().await;
}

#[tokio::test]
async fn a_reason_for_a_missing_module_gives_way_to_a_module() {
    let missing = start_with(|builder| builder.without_rules::<Duel>("nobody built it")).await;
    assert_eq!(hash_in_welcome(&missing).await, None);
    missing.shutdown().await;
    let both = start_with(|builder| builder.without_rules::<Duel>("nobody built it").rules::<Duel>(module())).await;
    assert!(hash_in_welcome(&both).await.is_some());
    both.shutdown().await;
}

#[tokio::test]
async fn a_match_names_the_version_of_its_module() {
    let server = serving().await;
    let hash = hash_in_welcome(&server).await.unwrap();
    let (status, own) = get(&server, &format!("/rules/duel.wasm?v={hash}")).await;
    assert!(status == 200 && own.as_bytes().ends_with(&module()), "{own}");
    assert_eq!(header(&own, "cache-control"), Some("public, max-age=31536000, immutable"));
    for other in ["0123456789abcdef0123456789abcdef", "", &hash[1..]] {
        let (status, refused) = get(&server, &format!("/rules/duel.wasm?v={other}")).await;
        assert_eq!((status, header(&refused, "cache-control")), (404, Some("no-store")), "{other}");
        assert!(refused.ends_with("this server has another version of the rules\n"), "{refused}");
    }
    server.shutdown().await;
    let changed = start_with(|builder| builder.rules::<Duel>([module(), b"more".to_vec()].concat())).await;
    assert_ne!(hash_in_welcome(&changed).await, Some(hash));
    changed.shutdown().await;
}

#[tokio::test]
async fn a_match_without_a_module_names_none() {
    let server = start().await;
    assert_eq!(hash_in_welcome(&server).await, None);
    let (status, refused) = get(&server, "/rules/duel.wasm").await;
    assert!(status == 404 && refused.contains("a hosted game that has a module"), "{refused}");
    server.shutdown().await;
}

#[tokio::test]
async fn spectators_are_told_of_the_module_too() {
    let server = serving().await;
    let created = create(&server, json!({})).await;
    let _seated = seated(&server, created["ticket"].as_str().unwrap()).await;
    let mut lobby = Client::join(&server, "/lobby", json!({})).await.unwrap();
    let watching = lobby.request("/lobby", "spectate", json!({ "room": created["room"] })).await;
    let (_, welcome) = seated(&server, watching["ticket"].as_str().unwrap()).await;
    assert!(welcome["rules"].is_string(), "{welcome}");
    server.shutdown().await;
}

#[tokio::test]
async fn pages_of_other_origins_get_a_module_as_they_get_all_else() {
    let server = serving().await;
    let ask = async |origin: &str| http(&server, "GET", "/rules/duel.wasm", &format!("origin: {origin}\r\n"), "").await;
    assert_eq!(ask("http://evil.test").await.0, 403);
    let (status, listed) = ask("https://play.example.org").await;
    assert_eq!((status, header(&listed, "access-control-allow-origin")), (200, Some("https://play.example.org")));
    server.shutdown().await;
}

#[tokio::test]
async fn a_module_that_is_of_no_use_is_an_error_at_start() {
    let refused = async |builder: ServerBuilder| builder.start("127.0.0.1:0").await.err().unwrap().to_string();
    let hosting = || tickcast::server().game::<Duel>();
    assert_eq!(
        refused(hosting().rules::<Duel>(module()).rules::<Duel>(module())).await,
        "duel: .rules::<..>(..) must be called once at most, because a second call would replace what the first one set"
    );
    assert_eq!(
        refused(tickcast::server().rules::<Duel>(module())).await,
        "duel: .rules::<..>(..) needs the game: add .game::<..>()"
    );
    assert_eq!(
        refused(hosting().rules::<Duel>("<!doctype html>")).await,
        "duel: .rules::<..>(..) needs a WebAssembly module, which cargo builds of a crate with tickcast::predictor!(..)"
    );
    let page = tickcast::net::Page { path: "/rules/duel.wasm".to_owned(), content_type: "text/plain", bytes: "page".into() };
    assert_eq!(
        refused(hosting().pages([page])).await,
        "the page /rules/duel.wasm would never be served: /rules is the server's own"
    );
}
