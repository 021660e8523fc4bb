//! HTTP requests: on connections that are kept open, malformed ones, and those of other pages.

use std::time::Duration;

use bytes::Bytes;
use tickcast::net::Page;
use tokio::time::{Instant, sleep};

use crate::server::{Connection, exchange, http, start, start_limited, start_with};

const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const KEY: &str = "sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";

#[tokio::test]
async fn an_idle_connection_outlives_the_time_for_a_header() {
    let server = start_limited(|config| config.net.header_timeout = Duration::from_millis(200)).await;
    let mut connection = Connection::open(&server).await;
    for _ in 0..3 {
        assert_eq!(connection.get("/healthz").await.0, 200);
        sleep(Duration::from_millis(500)).await;
    }
    let begun = Instant::now();
    connection.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    connection.closed().await;
    assert!(begun.elapsed() >= Duration::from_millis(150), "a header has its time");
    server.shutdown().await;
}

#[tokio::test]
async fn a_connection_that_is_idle_for_too_long_is_closed() {
    let server = start_limited(|config| config.net.idle_timeout = Duration::from_millis(300)).await;
    let mut connection = Connection::open(&server).await;
    assert_eq!(connection.get("/healthz").await.0, 200);
    let begun = Instant::now();
    connection.closed().await;
    assert!(begun.elapsed() >= Duration::from_millis(250));
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_that_is_being_answered_does_not_count_as_idle() {
    use tickcast::axum::{Router, routing::get};

    let slow = |_: &_| {
        Router::new().route(
            "/",
            get(|| async {
                sleep(Duration::from_millis(700)).await;
                "at last"
            }),
        )
    };
    let server = start_with(|builder| {
        builder.routes("/slow", slow).config(|config| {
            config.net.idle_timeout = Duration::from_millis(200);
            config.net.header_timeout = Duration::from_millis(200);
        })
    })
    .await;
    let mut connection = Connection::open(&server).await;
    let (status, answer) = connection.get("/slow").await;
    assert!(status == 200 && answer.ends_with("at last"), "{answer}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_request_names_its_host_once() {
    let server = start().await;
    for (request, expected) in [
        ("GET /healthz HTTP/1.1\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a.test\r\nhost: a.test\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a.test\r\nhost: b.test\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a.test/page\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a.test\r\n", "200"),
        ("GET /healthz HTTP/1.1\r\nhost: [::1]:3000\r\n", "200"),
        ("GET /healthz HTTP/1.1\r\nhost:\r\n", "200"),
        ("GET /healthz HTTP/1.0\r\n", "200"),
        ("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n", "400"),
    ] {
        let answer = exchange(&server, format!("{request}connection: close\r\n\r\n").as_bytes()).await;
        assert_eq!(answer.split(' ').nth(1), Some(expected), "{request:?}: {answer}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_browser_client_is_only_read() {
    let server = start_with(|builder| builder.client_bundle(&b"var io"[..])).await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let (status, answer) = http(&server, method, "/socket.io/socket.io.js", "", "").await;
        assert!(status == 405 && answer.contains("allow: GET, HEAD\r\n"), "{method}: {answer}");
    }
    assert_eq!(http(&server, "HEAD", "/socket.io/socket.io.js", "", "").await.0, 200);
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_no_websocket_handshake_is_refused_so_that_clients_poll() {
    let server = start().await;
    let upgrade = "upgrade: websocket\r\nconnection: keep-alive, Upgrade\r\n";
    let version = "sec-websocket-version: 13\r\n";
    let cases = [
        ("HTTP/1.1", format!("{upgrade}{version}{KEY}"), 101),
        ("HTTP/1.1", format!("{version}{KEY}"), 400),
        ("HTTP/1.1", format!("connection: upgrade\r\n{version}{KEY}"), 400),
        ("HTTP/1.1", format!("upgrade: websocket\r\nconnection: close\r\n{version}{KEY}"), 400),
        ("HTTP/1.1", format!("upgrade: h2c\r\nconnection: upgrade\r\n{version}{KEY}"), 400),
        ("HTTP/1.1", format!("{upgrade}sec-websocket-version: 8\r\n{KEY}"), 426),
        ("HTTP/1.1", format!("{upgrade}{KEY}"), 426),
        ("HTTP/1.1", format!("{upgrade}{version}"), 400),
        ("HTTP/1.1", format!("{upgrade}{version}sec-websocket-key: YWJj\r\n"), 400),
        ("HTTP/1.1", format!("{upgrade}{version}sec-websocket-key: not base64 at all!!!\r\n"), 400),
        ("HTTP/1.1", format!("{upgrade}{version}{KEY}{KEY}"), 400),
        ("HTTP/1.0", format!("{upgrade}{version}{KEY}"), 400),
    ];
    for path in [WEBSOCKET, "/socket.io-msgpack/?EIO=4&transport=websocket"] {
        for (protocol, headers, expected) in &cases {
            let mut connection = Connection::open(&server).await;
            connection.send(format!("GET {path} {protocol}\r\nhost: x\r\n{headers}\r\n").as_bytes()).await;
            let (status, answer) = connection.answer().await;
            assert_eq!(status, *expected, "{protocol} {headers}: {answer}");
            assert_eq!(answer.contains("sec-websocket-version: 13\r\n"), *expected == 426, "{answer}");
        }
    }
    let polling = http(&server, "GET", "/socket.io/?EIO=4&transport=polling", "", "").await;
    assert_eq!(polling.0, 200);
    server.shutdown().await;
}

#[tokio::test]
async fn a_listed_page_may_send_credentials_and_headers_of_its_own() {
    let server = start_with(|builder| builder.allow_origin("https://play.example.org").allow_origin("https://b.test")).await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let preflight = "access-control-request-method: GET\r\naccess-control-request-headers: authorization,x-shop\r\n";
    for origin in ["https://play.example.org", "https://b.test"] {
        let (status, answer) = http(&server, "OPTIONS", path, &format!("origin: {origin}\r\n{preflight}"), "").await;
        assert_eq!(status, 204);
        for line in [
            format!("access-control-allow-origin: {origin}"),
            "access-control-allow-credentials: true".into(),
            "access-control-allow-headers: authorization,x-shop".into(),
        ] {
            assert!(answer.contains(&format!("{line}\r\n")), "no {line} in {answer}");
        }
        let (status, answer) = http(&server, "GET", path, &format!("origin: {origin}\r\n"), "").await;
        assert!(status == 200 && answer.contains("access-control-allow-credentials: true\r\n"), "{answer}");
    }
    let (status, answer) = http(&server, "OPTIONS", path, &format!("origin: https://evil.test\r\n{preflight}"), "").await;
    assert!(status == 403 && !answer.contains("access-control-allow"), "{answer}");
    server.shutdown().await;
}

#[tokio::test]
async fn pages_are_compressed_and_sent_once() {
    let page = |path: &str, bytes: &[u8]| Page {
        path: path.to_owned(),
        content_type: "text/javascript; charset=utf-8",
        bytes: Bytes::copy_from_slice(bytes),
    };
    let script = "let a = 1;\n".repeat(1_000);
    let pages = [
        page("/app.js", script.as_bytes()),
        page("/app-3f2a9c1b8d7e6f50.js", script.as_bytes()),
        page("/app-3f2a9c1b8d7e6f50.js.br", b"as brotli"),
        page("/alone.gz", b"no page has this as its form"),
    ];
    let server = start_with(|builder| builder.pages(pages).client_bundle(script.clone())).await;
    let ask = async |path: &str, headers: &str| http(&server, "GET", path, headers, "").await;
    for path in ["/app.js", "/socket.io/socket.io.js", "/schema/duel.json", "/schema/duel.d.ts"] {
        let (_, plain) = ask(path, "").await;
        let (status, packed) = ask(path, "accept-encoding: gzip, br\r\n").await;
        let is_large = !path.starts_with("/schema");
        assert_eq!((status, packed.contains("content-encoding: gzip\r\n")), (200, is_large), "{path}: {packed}");
        assert!(!plain.contains("content-encoding") && plain.contains("cache-control: no-cache\r\n"), "{path}: {plain}");
        let tag = plain.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let (status, known) = ask(path, &format!("if-none-match: {tag}\r\n")).await;
        assert!(status == 304 && known.ends_with("\r\n\r\n"), "{path}: {known}");
    }
    let (_, hashed) = ask("/app-3f2a9c1b8d7e6f50.js", "accept-encoding: gzip, br\r\n").await;
    assert!(hashed.contains("content-encoding: br\r\n") && hashed.ends_with("\r\n\r\nas brotli"), "{hashed}");
    assert!(hashed.contains("max-age=31536000, immutable") && hashed.contains("vary: accept-encoding\r\n"), "{hashed}");
    assert_eq!(ask("/app-3f2a9c1b8d7e6f50.js.br", "").await.0, 404, "a form has no path of its own");
    assert_eq!(ask("/alone.gz", "").await.0, 200);
    server.shutdown().await;
}
