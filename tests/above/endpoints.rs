//! Both endpoints, polling, plain HTTP, and shutting down.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use tickcast::{
    host::Parties,
    identity::Hook,
    lobby::UserId,
    matchmaking::{Glicko2, RatingsInMemory, WengLin},
    net::Page,
    server::ServerBuilder,
};
use tokio::net::TcpStream;

use crate::polling::Http;
use crate::server::{Client, Duel, PARSERS, create, get, http, seated, start, start_limited, start_with};

#[tokio::test]
async fn polling_works_on_both_endpoints() {
    let server = start().await;
    for path in ["/socket.io/?EIO=4&transport=polling", "/socket.io-msgpack/?EIO=4&transport=polling"] {
        let (status, opened) = get(&server, path).await;
        assert_eq!(status, 200);
        let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let path = format!("{path}&sid={sid}");
        // {"type": 0, "nsp": "/"} in base64, or its text.
        let connect = if path.contains("msgpack") { "bgqR0eXBlAKNuc3ChLw==" } else { "40" };
        let (status, answer) = http(&server, "POST", &path, "", connect).await;
        assert_eq!((status, answer.ends_with("ok")), (200, true), "{answer}");
        // The first answer may be the ping that begins every session.
        let mut polled = String::new();
        while !polled.contains("40{\"sid\"") && !polled.contains("\r\nb") && !polled.contains("\u{1e}b") {
            let (status, answer) = get(&server, &path).await;
            assert_eq!(status, 200, "{answer}");
            polled = answer;
        }
    }
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_ends_that_answers_no_ping() {
    let server = start_limited(|config| {
        config.net.ping_interval = Duration::from_millis(30);
        config.net.ping_timeout = Duration::from_millis(70);
    })
    .await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let (_, opened) = get(&server, path).await;
    assert!(opened.contains("\"pingInterval\":30,\"pingTimeout\":70"), "{opened}");
    let sid = opened.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("{path}&sid={sid}");
    // Without a namespace the session would end anyway. A busy machine may be late even for this.
    http(&server, "POST", &path, "", "40").await;
    while get(&server, &path).await.0 == 200 {}
    assert_eq!(get(&server, &path).await.0, 400, "the session is unknown");
    server.shutdown().await;
}

#[tokio::test]
async fn both_endpoints_meet_in_one_room() {
    let server = start().await;
    let mut tickets = Vec::new();
    for parser in PARSERS {
        let mut lobby = Client::connect(&server, parser).await;
        lobby.enter("/lobby", Json::Null).await.unwrap();
        tickets.push(lobby.request("/lobby", "quick", json!({"game": "duel"})).await);
    }
    assert_eq!(tickets[0]["room"], tickets[1]["room"]);
    server.shutdown().await;
}

#[tokio::test]
async fn health_metrics_and_schemas_are_plain_http() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let (mut client, welcome) = seated(&server, created["ticket"].as_str().unwrap()).await;
    client.event_named("/gameplay", "s").await;
    assert_eq!(get(&server, "/healthz").await.0, 200);
    assert!(get(&server, "/readyz").await.1.ends_with("ready\n"));
    let (_, metrics) = get(&server, "/metrics").await;
    for name in [
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "tickcast_rooms{game=\"duel\"}",
        "tickcast_seats{game=\"duel\",by=\"player\"}",
        "tickcast_tick_seconds_bucket{game=\"duel\",le=\"0.001\"}",
        "tickcast_frames_total{game=\"duel\"}",
        "tickcast_connections{namespace=\"/gameplay\"}",
        "tickcast_bytes_total{direction=\"out\"}",
    ] {
        assert!(metrics.contains(name), "no {name} in\n{metrics}");
    }
    let (status, schema) = get(&server, "/schema/duel.json").await;
    let body: Json = serde_json::from_str(schema.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((status, &body), (200, &welcome["schema"]));
    assert!(get(&server, "/schema/duel.d.ts").await.1.contains("Pos"));
    assert_eq!(get(&server, "/schema/chess.json").await.0, 404);
    server.shutdown().await;
}

#[tokio::test]
async fn pages_and_the_browser_client_come_from_the_builder() {
    let page = |path: &str, bytes: &'static [u8]| Page {
        path: path.to_owned(),
        content_type: "text/html; charset=utf-8",
        bytes: Bytes::from_static(bytes),
    };
    let pages = [page("/index.html", b"<h1>front</h1>"), page("/play/index.html", b"<h1>play</h1>")];
    let server = start_with(|builder| builder.pages(pages).client_bundle(&b"var io"[..])).await;
    let (status, front) = get(&server, "/").await;
    assert!(status == 200 && front.ends_with("<h1>front</h1>") && front.contains("content-type: text/html"), "{front}");
    assert!(get(&server, "/play/").await.1.ends_with("<h1>play</h1>"));
    assert!(get(&server, "/index.html?x=1").await.1.ends_with("<h1>front</h1>"));
    assert_eq!(get(&server, "/missing.html").await.0, 404);
    assert_eq!(http(&server, "POST", "/", "", "").await.0, 405);
    let (status, bundle) = get(&server, "/socket.io/socket.io.js").await;
    assert!(status == 200 && bundle.ends_with("var io") && bundle.contains("content-type: text/javascript"), "{bundle}");
    server.shutdown().await;

    let bare = start().await;
    let (status, answer) = get(&bare, "/socket.io/socket.io.js").await;
    assert!(status == 404 && answer.contains("socket.io-client"), "{answer}");
    bare.shutdown().await;
}

#[tokio::test]
async fn shutdown_tells_everybody_and_ends() {
    let server = start().await;
    let address = server.address();
    let created = create(&server, json!({})).await;
    let (mut client, _) = seated(&server, created["ticket"].as_str().unwrap()).await;
    client.event_named("/gameplay", "s").await;
    let stopping = tokio::spawn(server.shutdown());
    let over = client.event_named("/gameplay", "over").await;
    assert_eq!(over.data[1]["reason"], "closed");
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn shutdown_closes_every_connection() {
    let server = start().await;
    let mut clients = Vec::new();
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/lobby", json!({})).await.unwrap();
        clients.push(client);
    }
    let mut idle = Http::connect(server.address()).await;
    idle.ask("GET", "/healthz", "").await;
    assert_eq!(idle.answer().await.status, 200);
    server.shutdown().await;
    idle.closed().await;
    for mut client in clients {
        client.closed().await;
    }
}

#[tokio::test]
async fn a_server_that_stops_takes_nobody_in() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let mut client = Client::connect(&server, PARSERS[1]).await;
    for namespace in ["/lobby", "/matchmaking"] {
        client.enter(namespace, json!({})).await.unwrap();
    }
    // As at the beginning of a shutdown, which goes on to end the connections.
    server.host().close();
    for (namespace, event, argument) in [
        ("/lobby", "create", json!({"game": "duel"})),
        ("/lobby", "quick", json!({"game": "duel"})),
        ("/lobby", "join", json!({"room": created["room"]})),
        ("/lobby", "spectate", json!({"room": created["room"]})),
        ("/matchmaking", "enqueue", json!({"game": "duel"})),
    ] {
        let answer = client.request(namespace, event, argument).await;
        assert_eq!(answer["error"]["code"], "shutting_down", "{event}");
    }
    for (namespace, auth) in [
        ("/lobby", json!({})),
        ("/matchmaking", json!({})),
        ("/gameplay", json!({"ticket": created["ticket"]})),
        ("/gameplay", json!({"resume": "x"})),
    ] {
        let refused = Client::join(&server, namespace, auth).await.err().unwrap();
        assert!(refused.starts_with("shutting_down: "), "{namespace}: {refused}");
    }
    let (status, answer) = get(&server, "/readyz").await;
    assert!(status == 503 && answer.contains("shutting_down"), "{answer}");
    assert_eq!(get(&server, "/healthz").await.0, 200);
    server.shutdown().await;
}

#[tokio::test]
async fn a_port_in_use_is_told_with_its_address() {
    let server = start().await;
    let address = server.address().to_string();
    let error = tickcast::server().game::<Duel>().start(&address).await.err().unwrap();
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot listen on {address}: ")), "{text}");
    server.shutdown().await;
}

async fn refused(builder: ServerBuilder) -> String {
    builder.start("127.0.0.1:0").await.err().unwrap().to_string()
}

#[tokio::test]
async fn two_games_with_one_name_are_refused() {
    assert_eq!(refused(tickcast::server().game::<Duel>().game::<Duel>()).await, "two games are named \"duel\"");
}

#[tokio::test]
async fn a_builder_method_that_sets_one_value_is_refused_when_called_twice() {
    let server = || tickcast::server().game::<Duel>();
    let twice = [
        (".client_bundle(..)", server().client_bundle("a").client_bundle("b")),
        (".rating_system(..)", server().rating_system(WengLin).rating_system(Glicko2)),
        (".rating_store(..)", server().rating_store(RatingsInMemory::default()).rating_store(RatingsInMemory::default())),
        (".parties(..)", server().parties(Alone).parties(Alone)),
        (".guests(..)", server().guests(true).guests(true)),
        (".hook(..)", server().hook(Stranger).hook(Stranger)),
        (".data(..)", server().data("a").data("b")),
    ];
    for (method, builder) in twice {
        let rest = "must be called once at most, because a second call would replace what the first one set";
        assert_eq!(refused(builder).await, format!("{method} {rest}"));
    }
}

#[cfg(feature = "jwt")]
#[tokio::test]
async fn a_second_issuer_of_tokens_is_refused() {
    let jwt = || tickcast::identity::Jwt::hs256(&[7; 32]).unwrap();
    let said = refused(tickcast::server().game::<Duel>().jwt(jwt()).jwt(jwt())).await;
    assert!(said.starts_with(".jwt(..) must be called once"), "{said}");
}

#[cfg(feature = "store-postgres")]
#[tokio::test]
async fn a_second_database_is_refused() {
    let said = refused(tickcast::server().game::<Duel>().database("postgres://a").database("postgres://b")).await;
    assert!(said.starts_with(".database(..) must be called once"), "{said}");
}

#[cfg(feature = "webhook")]
#[tokio::test]
async fn a_second_webhook_is_refused() {
    let webhook = || tickcast::store::WebhookConfig::new("https://example.org", *b"at least 16 bytes");
    let said = refused(tickcast::server().game::<Duel>().webhook(webhook()).webhook(webhook())).await;
    assert!(said.starts_with(".webhook(..) must be called once"), "{said}");
}

struct Stranger;

impl Hook for Stranger {}

struct Alone;

impl Parties for Alone {
    fn members(&self, _: &UserId) -> Vec<UserId> {
        Vec::new()
    }
}
