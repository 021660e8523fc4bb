//! The store on every database that it supports, and how results get into it.
//!
//! The tests use PostgreSQL if `TICKCAST_TEST_POSTGRES` has the URL of a server that lets them create databases. With `CI=true`, the
//! variable must be set. `.ci/postgres start FOLDER` starts such a server.

use std::{
    env, fs,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::json;
use tickcast::{
    host::{Leader, Limits, Record, Recorder},
    matchmaking::Mode,
    server::{RunningServer, StartError},
    store::{Database, RatingCache, Store, StoreError, StoredRating, WriteQueue},
};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};

use crate::{
    folder::Folder,
    results::{guest, play, player, result, user, who},
    server::{Client, Duel, PATIENCE, start_with},
};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Opens a database, on a machine that may be busy.
async fn open(database: &Database) -> Store {
    Store::open_within(database, PATIENCE).await.unwrap()
}

/// Creates an empty PostgreSQL database and returns its URL. `None` without a server.
async fn postgres() -> Option<String> {
    let Ok(url) = env::var("TICKCAST_TEST_POSTGRES") else {
        assert!(env::var("CI").is_err(), "CI must set TICKCAST_TEST_POSTGRES");
        return None;
    };
    sqlx::any::install_default_drivers();
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let server = sqlx::any::AnyPoolOptions::new().acquire_timeout(PATIENCE).connect(&url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&server).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}

/// Runs a test on every database. Each is opened twice, so that the second time finds the tables of the first.
async fn on_each(test: impl AsyncFn(&str, Store)) {
    test("memory", open(&Database::Memory).await).await;
    let folder = Folder::new();
    let mut databases = vec![Database::File(folder.0.join("a file.db"))];
    databases.extend(postgres().await.map(Database::Postgres));
    for database in databases {
        open(&database).await.close().await;
        let store = open(&database).await;
        test(&format!("{database:?}"), store.clone()).await;
        store.close().await;
    }
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
async fn the_leaders_of_a_mode_are_its_highest_ratings() {
    on_each(async |database, store| {
        for id in ["ada", "bob", "cy"] {
            store.seen(&who(id, id)).await.unwrap();
        }
        let other = StoredRating { mode: "ffa".to_owned(), ..rating("cy", 2000.0) };
        store.save_ratings(&[rating("ada", 1500.0), rating("bob", 1600.0), rating("cy", 1550.0), other]).await.unwrap();
        let leader = |id: &str, height| Leader::new(user(id), id, height, 350.25);
        assert_eq!(store.leaders("duel", "2v2", 2).await.unwrap(), [leader("bob", 1600.0), leader("cy", 1550.0)], "{database}");
        assert_eq!(store.leaders("chess", "2v2", 2).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_server_knows_the_leaders_of_an_earlier_process() {
    let folder = Folder::new();
    let store = open(&Database::File(folder.0.join("tickcast.db"))).await;
    store.seen(&who("ada", "Ada")).await.unwrap();
    store.save_ratings(&[rating("ada", 1650.0)]).await.unwrap();
    store.close().await;
    let rated = Mode::teams(2).of(1..=1).rated();
    let server = start_with(|builder| builder.data(&folder.0).mode::<Duel>("2v2", rated)).await;
    let mut client = Client::join(&server, "/matchmaking", json!({})).await.unwrap();
    let told = client.request("/matchmaking", "leaders", json!({"game": "duel", "mode": "2v2"})).await;
    assert_eq!(told["leaders"], json!([{"user": "ada", "name": "Ada", "rating": 1650.0, "deviation": 350.25}]));
    server.shutdown().await;
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
        assert!(store.player(&user("guest-1")).await.unwrap().unwrap().guest, "a player of a match is stored");
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
async fn a_queue_writes_everything_before_it_closes() {
    on_each(async |database, store| {
        let queue = WriteQueue::start(store.clone(), None, &Limits::default());
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
        let queue = WriteQueue::start(store.clone(), None, &Limits::default());
        let ratings = RatingCache::new(store.clone(), queue.clone());
        let height = |id: &str| ratings.rating(&user(id), "duel", "2v2").map(|rating| rating.rating);
        assert_eq!(height("ada"), None, "{database}: it was not loaded");
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
    let store = open(&Database::Memory).await;
    let queue = WriteQueue::start(store.clone(), None, &Limits::default());
    store.close().await;
    // The queue's task shares this thread and never runs, so a call that waited for it would hang.
    for number in 0..20_000 {
        queue.record(&Record::Ended(result(&format!("m{number}"), 1000, vec![])));
    }
}

#[tokio::test]
async fn an_unusable_database_is_an_error() {
    assert!(matches!(Store::open(&Database::Postgres("mysql://x/y".to_owned())).await, Err(StoreError::Url)));
    let nowhere = Database::File("/nowhere/at/all.db".into());
    assert!(matches!(Store::open(&nowhere).await, Err(StoreError::File { .. })));
    let folder = Folder::new();
    fs::write(folder.0.join("guest.key"), "short").unwrap();
    let started = tickcast::server().game::<Duel>().data(&folder.0).start("127.0.0.1:0").await;
    assert!(matches!(started, Err(StartError::Key(_))));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_is_waited_for_as_long_as_was_asked() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let database = Database::Postgres(format!("postgres://somebody@{}/none", silent.local_addr().unwrap()));
    for wait in [1, 5, 60].map(Duration::from_secs) {
        let began = Instant::now();
        assert!(Store::open_within(&database, wait).await.is_err());
        assert_eq!(began.elapsed().as_secs(), wait.as_secs());
    }
    let began = Instant::now();
    let builder = tickcast::server().game::<Duel>().config(|config| config.host.database_wait = Duration::from_secs(2));
    let Database::Postgres(url) = database else { unreachable!() };
    assert!(matches!(builder.database(url).start("127.0.0.1:0").await, Err(StartError::Store(_))));
    assert_eq!(began.elapsed().as_secs(), 2);
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
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600, "only the owner may read the key");
    }
}

/// Far more than are written in the time for which a server that stops says farewell.
const MANY: usize = 5_000;

#[test]
fn what_waits_when_a_server_stops_outlives_its_process() {
    let folder = Folder::new();
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let names: Vec<_> = (0..MANY).map(|number| user(&format!("user-{number}"))).collect();
    let process = runtime();
    process.block_on(async {
        let server = start_with(|builder| builder.data(&folder.0)).await;
        names.iter().for_each(|name| server.host().block(name));
        server.shutdown().await;
    });
    // As at the end of a process, nothing that still runs goes on.
    process.shutdown_background();
    runtime().block_on(async {
        let server = start_with(|builder| builder.data(&folder.0)).await;
        let forgotten = names.iter().filter(|name| server.host().check_blocked(name).is_ok()).count();
        assert_eq!(forgotten, 0, "of {MANY}");
        server.shutdown().await;
    });
}

/// Blocks and unblocks a guest through another connection to the database, as another server or an operator does.
async fn follows_blocks_of_others(server: &RunningServer, elsewhere: &Store) {
    let (mut ada, session) = guest(server, json!({"name": "Ada"})).await;
    let token = json!({"token": session["token"]});
    elsewhere.block(&user(session["user"].as_str().unwrap())).await.unwrap();
    let refused = Client::join(server, "/lobby", token.clone()).await.err().unwrap();
    assert!(refused.starts_with("blocked: "), "{refused}");
    let told = ada.event_named("/lobby", "ended").await;
    assert_eq!(told.data[1]["code"], "blocked", "the open connection ends, too");
    elsewhere.unblock(&user(session["user"].as_str().unwrap())).await.unwrap();
    let (_, again) = guest(server, token).await;
    assert_eq!(again["user"], session["user"]);
}

#[tokio::test]
async fn a_block_made_elsewhere_counts_at_the_next_connection() {
    let folder = Folder::new();
    let configured = user("eve");
    let server = start_with(|builder| builder.data(&folder.0).block([configured.clone()])).await;
    let elsewhere = open(&Database::File(folder.0.join("tickcast.db"))).await;
    follows_blocks_of_others(&server, &elsewhere).await;
    assert!(server.host().check_blocked(&configured).is_err());
    server.shutdown().await;
    elsewhere.close().await;
    let Some(url) = postgres().await else { return };
    let server = start_with(|builder| builder.database(&url)).await;
    let elsewhere = open(&Database::Postgres(url)).await;
    follows_blocks_of_others(&server, &elsewhere).await;
    server.shutdown().await;
    elsewhere.close().await;
}

#[tokio::test]
async fn a_server_keeps_its_tables_in_postgres() {
    let Some(url) = postgres().await else { return };
    let server = start_with(|builder| builder.database(&url)).await;
    let [ada, _] = play(&server).await;
    server.shutdown().await;
    let store = open(&Database::Postgres(url)).await;
    assert_eq!(store.matches(&user(ada["user"].as_str().unwrap()), 10).await.unwrap().len(), 1);
    store.close().await;
}
