//! The store on every database that it knows, the way of results into it, and the webhook.
//!
//! PostgreSQL is tested where `TICKCAST_TEST_POSTGRES` has the URL of a server on which databases may be made; under `CI=true` it
//! must have it. `.ci/postgres start FOLDER` starts one.

use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value as Json, json};
use tickcast::{
    host::{MatchResult, Player, Record, Recorder},
    lobby::{DisplayName, Identity, RoomId, UserId},
    prelude::Seat,
    server::{RunningServer, StartError},
    store::{Database, RatingCache, Store, StoreError, StoredRating, WebhookConfig, WebhookError, WriteQueue, signature},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::server::{Client, Duel, PATIENCE, seated, start_with};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("tickcast store {} {}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Files that are left over are in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An empty PostgreSQL database; `None` where there is no server.
async fn postgres() -> Option<String> {
    let Ok(url) = env::var("TICKCAST_TEST_POSTGRES") else {
        assert!(env::var("CI").is_err(), "CI must set TICKCAST_TEST_POSTGRES");
        return None;
    };
    sqlx::any::install_default_drivers();
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let server = sqlx::AnyPool::connect(&url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&server).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}

/// Does the same on every database. The second opening finds the tables as the first left them.
async fn on_each(test: impl AsyncFn(&str, Store)) {
    test("memory", Store::open(&Database::Memory).await.unwrap()).await;
    let folder = Folder::new();
    let mut databases = vec![Database::File(folder.0.join("a file.db"))];
    databases.extend(postgres().await.map(Database::Postgres));
    for database in databases {
        Store::open(&database).await.unwrap().close().await;
        let store = Store::open(&database).await.unwrap();
        test(&format!("{database:?}"), store.clone()).await;
        store.close().await;
    }
}

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn who(id: &str, name: &str) -> Identity {
    Identity { user: user(id), name: DisplayName::parse(name).unwrap(), guest: id.starts_with("guest-") }
}

fn player(seat: u8, id: &str, won: bool) -> Player {
    Player { seat: Seat(seat), user: user(id), name: id.to_owned(), guest: id.starts_with("guest-"), won, stayed: true }
}

fn result(id: &str, ended: u64, players: Vec<Player>) -> MatchResult {
    let winners = players.iter().filter(|player| player.won).map(|player| player.seat).collect();
    let room = RoomId::named("abc");
    MatchResult { id: id.to_owned(), room, game: "duel", mode: "2v2".to_owned(), began: ended - 5, ended, winners, players }
}

#[tokio::test]
async fn players_are_remembered_and_guests_for_a_while() {
    on_each(async |database, store| {
        assert_eq!(store.player(&user("ada")).await.unwrap(), None, "{database}");
        store.seen(&who("ada", "Ada")).await.unwrap();
        store.seen(&who("ada", "Augusta 🦊")).await.unwrap();
        store.seen(&who("guest-1", "Bob")).await.unwrap();
        let ada = store.player(&user("ada")).await.unwrap().unwrap();
        assert_eq!((ada.name.as_str(), ada.guest), ("Augusta 🦊", false));
        assert!(ada.first_seen <= ada.last_seen && ada.first_seen > 1_700_000_000_000);
        store.save_ratings(&[rating("ada", 1.0), rating("guest-1", 2.0)]).await.unwrap();
        assert_eq!(store.forget_guests(ada.last_seen - 60_000).await.unwrap(), 0);
        assert_eq!(store.forget_guests(ada.last_seen + 60_000).await.unwrap(), 1);
        assert_eq!(store.player(&user("guest-1")).await.unwrap(), None);
        assert_eq!(store.ratings(&user("guest-1")).await.unwrap(), []);
        assert!(store.player(&user("ada")).await.unwrap().is_some());
        assert_eq!(store.ratings(&user("ada")).await.unwrap().len(), 1);
    })
    .await;
}

fn rating(id: &str, height: f64) -> StoredRating {
    let (game, mode) = ("duel".to_owned(), "2v2".to_owned());
    StoredRating { user: user(id), game, mode, rating: height, deviation: 350.25, volatility: 0.06 }
}

#[tokio::test]
async fn ratings_are_by_player_game_and_mode() {
    on_each(async |database, store| {
        let other = StoredRating { mode: "ffa".to_owned(), ..rating("ada", 1200.5) };
        store.save_ratings(&[rating("ada", 1500.0), rating("bob", 1500.0), other.clone()]).await.unwrap();
        store.save_ratings(&[rating("ada", 1515.125)]).await.unwrap();
        assert_eq!(store.rating(&user("ada"), "duel", "2v2").await.unwrap(), Some(rating("ada", 1515.125)), "{database}");
        assert_eq!(store.ratings(&user("ada")).await.unwrap(), [rating("ada", 1515.125), other]);
        assert_eq!(store.rating(&user("ada"), "chess", "2v2").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_result_is_written_once() {
    on_each(async |database, store| {
        let first = result("m1", 1000, vec![player(1, "ada", true), player(2, "guest-1", false)]);
        let second = result("m2", 2000, vec![player(1, "ada", false)]);
        for result in [&first, &second, &first] {
            store.save_match(result).await.unwrap();
        }
        let matches = store.matches(&user("ada"), 10).await.unwrap();
        let seen: Vec<_> = matches.iter().map(|kept| (kept.id.as_str(), kept.won, kept.ended)).collect();
        assert_eq!(seen, [("m2", false, 2000), ("m1", true, 1000)], "{database}");
        assert_eq!((matches[0].game.as_str(), matches[0].mode.as_str(), matches[0].stayed), ("duel", "2v2", true));
        assert_eq!(store.matches(&user("ada"), 1).await.unwrap().len(), 1);
        assert!(store.player(&user("guest-1")).await.unwrap().unwrap().guest, "who played is known");
    })
    .await;
}

#[tokio::test]
async fn the_block_list_is_kept() {
    on_each(async |database, store| {
        for _ in 0..2 {
            store.block(&user("mallory")).await.unwrap();
        }
        store.block(&user("eve")).await.unwrap();
        store.unblock(&user("eve")).await.unwrap();
        assert_eq!(store.blocked().await.unwrap(), [user("mallory")], "{database}");
    })
    .await;
}

#[tokio::test]
async fn a_journal_writes_everything_before_it_closes() {
    on_each(async |database, store| {
        let queue = WriteQueue::start(store.clone());
        for number in 0..100 {
            queue.record(&Record::Ended(result(&format!("m{number}"), 1000 + number, vec![player(1, "ada", true)])));
        }
        queue.record(&Record::Seen(who("bob", "Bob")));
        queue.record(&Record::Blocked(user("bob")));
        queue.record(&Record::Blocked(user("eve")));
        queue.record(&Record::Unblocked(user("eve")));
        queue.save_ratings(vec![rating("bob", 1600.0)]);
        queue.close().await;
        assert_eq!(store.matches(&user("ada"), 1000).await.unwrap().len(), 100, "{database}");
        assert_eq!(store.blocked().await.unwrap(), [user("bob")]);
        assert_eq!(store.ratings(&user("bob")).await.unwrap(), [rating("bob", 1600.0)]);
        queue.record(&Record::Blocked(user("late")));
        queue.close().await;
    })
    .await;
}

#[tokio::test]
async fn ratings_are_at_hand_once_loaded() {
    on_each(async |database, store| {
        store.save_ratings(&[rating("ada", 1500.0)]).await.unwrap();
        let queue = WriteQueue::start(store.clone());
        let ratings = RatingCache::new(store.clone(), queue.clone());
        let height = |id: &str| ratings.rating(&user(id), "duel", "2v2").map(|rating| rating.rating);
        assert_eq!(height("ada"), None, "{database}: nobody has asked for it");
        ratings.load(&user("ada"));
        let loaded = async {
            while height("ada").is_none() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, loaded).await.expect("the rating is loaded");
        assert_eq!(height("ada"), Some(1500.0));
        ratings.save(vec![rating("ada", 1516.0), rating("bob", 1484.0)]);
        assert_eq!((height("ada"), height("bob")), (Some(1516.0), Some(1484.0)), "at once");
        queue.close().await;
        assert_eq!(store.ratings(&user("bob")).await.unwrap(), [rating("bob", 1484.0)]);
        assert_eq!(store.ratings(&user("ada")).await.unwrap(), [rating("ada", 1516.0)]);
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_gone_holds_nobody_up() {
    let store = Store::open(&Database::Memory).await.unwrap();
    let queue = WriteQueue::start(store.clone());
    store.close().await;
    // The journal's task shares this thread and never gets to run: whatever waited for it would wait for ever.
    for number in 0..20_000 {
        queue.record(&Record::Ended(result(&format!("m{number}"), 1000, vec![])));
    }
}

#[tokio::test]
async fn an_unusable_database_is_an_error() {
    assert!(matches!(Store::open(&Database::Postgres("mysql://x/y".to_owned())).await, Err(StoreError::Url)));
    let nowhere = Database::File("/nowhere/at/all.db".into());
    assert!(matches!(Store::open(&nowhere).await, Err(StoreError::Database(_))));
    let folder = Folder::new();
    fs::write(folder.0.join("guest.key"), "short").unwrap();
    let started = tickcast::server().game::<Duel>().data(&folder.0).start("127.0.0.1:0").await;
    assert!(matches!(started, Err(StartError::Key(_))));
}

async fn guest(server: &RunningServer, auth: Json) -> (Client, Json) {
    let mut lobby = Client::join(server, "/lobby", auth).await.unwrap();
    let session = lobby.event_named("/lobby", "session").await.data[1].clone();
    (lobby, session)
}

/// Two guests play to the end; the first wins. Their sessions.
async fn play(server: &RunningServer) -> [Json; 2] {
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

#[tokio::test]
async fn a_server_remembers_its_guests_its_results_and_its_blocks() {
    let folder = Folder::new();
    let server = start_with(|builder| builder.data(&folder.0)).await;
    let [ada, bob] = play(&server).await;
    server.host().block(&user("mallory"));
    server.shutdown().await;

    let server = start_with(|builder| builder.data(&folder.0)).await;
    let (_, again) = guest(&server, json!({"token": ada["token"]})).await;
    assert_eq!(again["user"], ada["user"]);
    assert!(server.host().check_blocked(&user("mallory")).is_err());
    let store = server.store().unwrap();
    for (session, won, stayed) in [(ada, true, true), (bob, false, false)] {
        let matches = store.matches(&user(session["user"].as_str().unwrap()), 10).await.unwrap();
        assert_eq!(matches.iter().map(|kept| (kept.won, kept.stayed)).collect::<Vec<_>>(), [(won, stayed)]);
    }
    server.shutdown().await;
    #[cfg(unix)]
    {
        let key = fs::metadata(folder.0.join("guest.key")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600, "the key is nobody else's");
    }
}

/// Somebody who was let in, blocked and let in again by another server, or by hand, which writes the same.
async fn is_heard_from_elsewhere(server: &RunningServer, elsewhere: &Store) {
    let (mut ada, session) = guest(server, json!({"name": "Ada"})).await;
    let token = json!({"token": session["token"]});
    elsewhere.block(&user(session["user"].as_str().unwrap())).await.unwrap();
    let refused = Client::join(server, "/lobby", token.clone()).await.err().unwrap();
    assert!(refused.starts_with("blocked: "), "{refused}");
    let told = ada.event_named("/lobby", "ended").await;
    assert_eq!(told.data[1]["code"], "blocked", "the first connection ends, too");
    elsewhere.unblock(&user(session["user"].as_str().unwrap())).await.unwrap();
    let (_, again) = guest(server, token).await;
    assert_eq!(again["user"], session["user"]);
}

#[tokio::test]
async fn a_block_made_elsewhere_counts_at_the_next_connection() {
    let folder = Folder::new();
    let configured = user("eve");
    let server = start_with(|builder| builder.data(&folder.0).block([configured.clone()])).await;
    let elsewhere = Store::open(&Database::File(folder.0.join("tickcast.db"))).await.unwrap();
    is_heard_from_elsewhere(&server, &elsewhere).await;
    assert!(server.host().check_blocked(&configured).is_err());
    server.shutdown().await;
    elsewhere.close().await;
    let Some(url) = postgres().await else { return };
    let server = start_with(|builder| builder.database(&url)).await;
    let elsewhere = Store::open(&Database::Postgres(url)).await.unwrap();
    is_heard_from_elsewhere(&server, &elsewhere).await;
    server.shutdown().await;
    elsewhere.close().await;
}

#[tokio::test]
async fn a_server_keeps_its_tables_in_postgres() {
    let Some(url) = postgres().await else { return };
    let server = start_with(|builder| builder.database(&url)).await;
    let [ada, _] = play(&server).await;
    server.shutdown().await;
    let store = Store::open(&Database::Postgres(url)).await.unwrap();
    assert_eq!(store.matches(&user(ada["user"].as_str().unwrap()), 10).await.unwrap().len(), 1);
    store.close().await;
}

/// A request as a webhook's receiver gets it.
struct Posted {
    headers: String,
    body: Vec<u8>,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.headers.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{name}: {}", self.headers))
    }
}

/// A server that answers with these statuses, one after the other, then with 200.
async fn receiver(statuses: &'static [&'static str]) -> (String, UnboundedReceiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/results", listener.local_addr().unwrap());
    let (sender, posted) = unbounded_channel();
    tokio::spawn(async move {
        let mut statuses = statuses.iter().copied();
        while let Ok((tcp, _)) = listener.accept().await {
            if sender.send(receive(tcp, statuses.next().unwrap_or("200 OK")).await).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

/// The same behind TLS, with the certificate of an authority that nobody else knows.
async fn secure_receiver() -> (String, UnboundedReceiver<Posted>) {
    let keys = (CertificateDer::from_pem_slice(TLS).unwrap(), PrivateKeyDer::from_pem_slice(TLS_KEY).unwrap());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![keys.0], keys.1).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/results", listener.local_addr().unwrap().port());
    let (sender, posted) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // A client that does not trust the certificate ends the connection.
            let Ok(tls) = acceptor.accept(tcp).await else { continue };
            if sender.send(receive(tls, "200 OK").await).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

async fn receive(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: &str) -> Posted {
    let mut bytes = Vec::new();
    let (headers, length) = loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((headers, _)) = text.split_once("\r\n\r\n") {
            let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            break (headers.to_owned(), headers.len() + 4 + length.parse::<usize>().unwrap());
        }
    };
    while bytes.len() < length {
        stream.read_buf(&mut bytes).await.unwrap();
    }
    let body = bytes.split_off(headers.len() + 4);
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    Posted { headers, body }
}

const TLS: &[u8] = include_bytes!("../support/keys/tls.pem");
const TLS_KEY: &[u8] = include_bytes!("../support/keys/tls.key.pem");
const SECRET: &[u8] = b"sixteen bytes and more";

fn webhook(url: &str) -> WebhookConfig {
    let mut webhook = WebhookConfig::new(url, SECRET);
    (webhook.pause, webhook.attempts) = (Duration::from_millis(10), 4);
    webhook
}

async fn next(posted: &mut UnboundedReceiver<Posted>) -> Posted {
    timeout(PATIENCE, posted.recv()).await.expect("a post").unwrap()
}

#[tokio::test]
async fn a_result_is_posted_signed_until_it_is_taken() {
    let (url, mut posted) = receiver(&["500 Internal Server Error", "429 Too Many Requests"]).await;
    let server = start_with(|builder| builder.webhook(webhook(&url))).await;
    let [ada, bob] = play(&server).await;
    let tries = [next(&mut posted).await, next(&mut posted).await, next(&mut posted).await];
    for post in &tries {
        assert_eq!(post.header("tickcast-signature"), signature(SECRET, &post.body));
        assert_eq!(post.header("idempotency-key"), tries[0].header("idempotency-key"));
        assert_eq!(post.body, tries[0].body);
        assert!(post.headers.starts_with("POST /results HTTP/1.1"));
    }
    let body: Json = serde_json::from_slice(&tries[0].body).unwrap();
    assert_eq!((&body["event"], &body["game"], &body["winners"]), (&json!("match_ended"), &json!("duel"), &json!([1])));
    assert_eq!(body["id"], tries[0].header("idempotency-key"));
    assert_eq!(
        body["players"],
        json!([
            {"seat": 1, "user": ada["user"], "name": "Ada", "guest": true, "won": true, "stayed": true},
            {"seat": 2, "user": bob["user"], "name": "Bob", "guest": true, "won": false, "stayed": false},
        ])
    );
    assert!(body["began"].as_u64() <= body["ended"].as_u64());
    server.shutdown().await;
    sleep(Duration::from_millis(50)).await;
    assert!(posted.try_recv().is_err(), "what was taken is not posted again");
}

#[tokio::test]
async fn a_result_is_given_up_after_the_last_attempt() {
    let (url, mut posted) = receiver(&["503 x", "503 x", "503 x", "503 x", "400 Bad Request"]).await;
    let webhook = tickcast::store::Webhook::start(webhook(&url)).unwrap();
    for id in ["given up", "refused", "taken"] {
        webhook.record(&Record::Ended(result(id, 1000, vec![])));
    }
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(next(&mut posted).await.header("idempotency-key").to_owned());
    }
    assert_eq!(ids, ["given up", "given up", "given up", "given up", "refused", "taken"]);
    webhook.record(&Record::Seen(who("ada", "Ada")));
    webhook.close().await;
    assert!(posted.try_recv().is_err());
}

#[tokio::test]
async fn results_go_to_a_tls_receiver_with_a_trusted_certificate() {
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys");
    let with_ca = |url: &str, file: &str| {
        let mut webhook = webhook(url);
        webhook.ca_file = Some(format!("{keys}/{file}").into());
        webhook
    };
    let (url, mut posted) = secure_receiver().await;
    if let Ok(stranger) = tickcast::store::Webhook::start(webhook(&url)) {
        stranger.record(&Record::Ended(result("for others", 1000, vec![])));
        stranger.close().await;
    }
    let friend = tickcast::store::Webhook::start(with_ca(&url, "ca.pem")).unwrap();
    friend.record(&Record::Ended(result("for us", 1000, vec![])));
    let post = next(&mut posted).await;
    assert_eq!(post.header("idempotency-key"), "for us");
    assert_eq!(post.header("tickcast-signature"), signature(SECRET, &post.body));
    friend.close().await;
    assert!(posted.try_recv().is_err());

    let other_name = tickcast::store::Webhook::start(with_ca(&url.replace("localhost", "127.0.0.1"), "ca.pem")).unwrap();
    other_name.record(&Record::Ended(result("for others", 1000, vec![])));
    other_name.close().await;
    assert!(posted.try_recv().is_err());
    for file in ["rsa.pem", "nowhere.pem"] {
        assert!(matches!(tickcast::store::Webhook::start(with_ca(&url, file)), Err(WebhookError::Roots(_))), "{file}");
    }
}

#[tokio::test]
async fn a_webhook_needs_a_url_and_a_secret() {
    for url in ["ftp://example.org/results", "example.org", "http:///results", "not a url"] {
        assert!(matches!(tickcast::store::Webhook::start(WebhookConfig::new(url, SECRET)), Err(WebhookError::Url)), "{url}");
    }
    let short = WebhookConfig::new("http://127.0.0.1:1/", *b"short");
    assert!(matches!(tickcast::store::Webhook::start(short), Err(WebhookError::ShortSecret)));
    // The first test case of RFC 4231.
    let known = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    assert_eq!(signature(&[0x0b; 20], b"Hi There"), known);
}
