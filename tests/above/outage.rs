//! A database or a disk that takes nothing for a while: no record is lost.

use std::{fs, path::Path, time::Duration};

use serde_json::Value as Json;
use tickcast::{
    host::{Limits, Record, Recorder},
    store::{Database, RatingCache, Store, StoredRating, WriteQueue},
};
use tokio::time::{sleep, timeout};

use crate::{
    folder::Folder,
    process::run_in_child,
    results::{player, result, user, who},
    server::PATIENCE,
};

async fn open(folder: &Folder) -> Store {
    Store::open_within(&Database::File(folder.0.join("tickcast.db")), PATIENCE).await.unwrap()
}

fn start(store: &Store, folder: Option<&Path>) -> WriteQueue {
    WriteQueue::start(store.clone(), folder, &Limits::default())
}

fn ended(number: u64) -> Record {
    Record::Ended(result(&format!("m{number:03}"), 1000 + number, vec![player(1, "ada", true), player(2, "bob", false)]))
}

fn rating(id: &str, height: f64) -> StoredRating {
    let (game, mode) = ("duel".to_owned(), "2v2".to_owned());
    StoredRating { user: user(id), game, mode, rating: height, deviation: 350.25, volatility: 0.06 }
}

/// The records that wait on disk.
fn on_disk(folder: &Folder) -> Vec<Json> {
    let text = fs::read_to_string(folder.0.join("unwritten.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let held = async {
        while !holds().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, held).await.expect("it comes about");
}

async fn settled(queue: &WriteQueue) {
    timeout(PATIENCE, queue.settled()).await.expect("everything is written");
}

/// Runs SQL on the database of the folder, past the store.
async fn alter(folder: &Folder, sql: &'static str) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", folder.0.join("tickcast.db").display().to_string().replace(' ', "%20"));
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    sqlx::query(sql).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn records_wait_in_order_until_the_database_takes_them() {
    let folder = Folder::new();
    let store = open(&folder).await;
    let queue = start(&store, Some(&folder.0));
    alter(&folder, "ALTER TABLE bans RENAME TO hidden").await;
    queue.record(&Record::Blocked(user("eve")));
    for number in 0..20 {
        queue.record(&ended(number));
    }
    queue.record(&Record::Unblocked(user("eve")));
    queue.record(&Record::Blocked(user("mallory")));
    queue.save_ratings(vec![rating("ada", 1500.0)]);
    queue.save_ratings(vec![rating("ada", 1600.0)]);
    until(async || on_disk(&folder).len() == 25).await;
    let waiting = on_disk(&folder);
    assert_eq!((&waiting[0]["blocked"], &waiting[22]["blocked"]), (&"eve".into(), &"mallory".into()));
    assert_eq!(store.matches(&user("ada"), 100).await.unwrap(), [], "what came later waits, too");
    alter(&folder, "ALTER TABLE hidden RENAME TO bans").await;
    settled(&queue).await;
    assert_eq!(store.matches(&user("ada"), 100).await.unwrap().len(), 20);
    assert_eq!(store.blocked().await.unwrap(), [user("mallory")]);
    assert_eq!(store.ratings(&user("ada")).await.unwrap(), [rating("ada", 1600.0)]);
    assert_eq!(on_disk(&folder).len(), 0);
    queue.close().await;
}

#[tokio::test]
async fn records_wait_for_the_next_start() {
    let folder = Folder::new();
    let store = open(&folder).await;
    let queue = start(&store, Some(&folder.0));
    store.close().await;
    (0..20).for_each(|number| queue.record(&ended(number)));
    queue.record(&Record::Seen(who("eve", "Eve")));
    queue.close().await;
    assert_eq!(on_disk(&folder).len(), 21);
    // The process ended while it wrote.
    let file = folder.0.join("unwritten.jsonl");
    let torn = [fs::read(&file).unwrap(), b"{\"blocked\":\"al".to_vec()].concat();
    fs::write(&file, torn).unwrap();

    let store = open(&folder).await;
    let queue = start(&store, Some(&folder.0));
    queue.record(&ended(20));
    settled(&queue).await;
    assert_eq!(store.matches(&user("ada"), 100).await.unwrap().len(), 21);
    assert_eq!(store.player(&user("eve")).await.unwrap().unwrap().name, "Eve");
    assert_eq!(store.blocked().await.unwrap(), []);
    queue.close().await;
    assert_eq!(on_disk(&folder).len(), 0);
}

#[tokio::test]
async fn a_record_that_the_database_refuses_for_good_holds_no_other_up() {
    let store = Store::open(&Database::Memory).await.unwrap();
    let queue = start(&store, None);
    // One user in two seats breaks the table's key.
    queue.record(&Record::Ended(result("twice", 1000, vec![player(1, "ada", true), player(2, "ada", true)])));
    queue.record(&ended(1));
    settled(&queue).await;
    let matches = store.matches(&user("ada"), 10).await.unwrap();
    assert_eq!(matches.iter().map(|kept| kept.id.as_str()).collect::<Vec<_>>(), ["m001"]);
    queue.close().await;
}

#[tokio::test]
async fn what_waits_for_the_database_is_bounded() {
    let folder = Folder::new();
    let store = open(&folder).await;
    let mut limits = Limits::default();
    (limits.unwritten_bytes, limits.unwritten_memory_bytes) = (4000, 4000);
    let queue = WriteQueue::start(store.clone(), Some(&folder.0), &limits);
    alter(&folder, "ALTER TABLE matches RENAME TO hidden").await;
    queue.record(&ended(0));
    until(async || !on_disk(&folder).is_empty()).await;
    for number in 1..1000 {
        queue.record(&ended(number));
        tokio::task::yield_now().await;
    }
    let bytes = || fs::metadata(folder.0.join("unwritten.jsonl")).unwrap().len();
    until(async || bytes() > 3000).await;
    assert!(bytes() <= 4000);
    alter(&folder, "ALTER TABLE hidden RENAME TO matches").await;
    settled(&queue).await;
    let matches = store.matches(&user("ada"), 1000).await.unwrap();
    assert!((20..100).contains(&matches.len()), "{} matches", matches.len());
    assert_eq!(matches.last().unwrap().id, "m000", "the oldest are kept");
    queue.close().await;
}

/// The files of this process may not grow beyond this, as on a disk that is full.
#[cfg(target_os = "linux")]
fn limit_files(bytes: u64) {
    let (_, most) = rlimit::getrlimit(rlimit::Resource::FSIZE).unwrap();
    rlimit::setrlimit(rlimit::Resource::FSIZE, bytes.min(most), most).unwrap();
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_full_disk_loses_nothing() {
    if run_in_child("outage::a_full_disk_loses_nothing").is_some() {
        return;
    }
    // SIGXFSZ, which would end the process.
    let _caught = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(25)).unwrap();
    let folder = Folder::new();
    let store = open(&folder).await;
    let queue = start(&store, Some(&folder.0));
    queue.record(&ended(0));
    settled(&queue).await;
    for round in 1..=2 {
        // The tables cannot grow, and only some of the records fit on disk.
        limit_files(16 * 1024);
        for number in 0..200 {
            queue.record(&ended(1000 * round + number));
            queue.save_ratings(vec![rating("ada", number as f64)]);
        }
        until(async || fs::metadata(folder.0.join("unwritten.jsonl")).is_ok_and(|file| file.len() > 15 * 1024)).await;
        sleep(Duration::from_millis(700)).await;
        limit_files(u64::MAX);
        settled(&queue).await;
        assert_eq!(store.matches(&user("bob"), 1000).await.unwrap().len() as u64, 1 + 200 * round);
        assert_eq!(store.ratings(&user("ada")).await.unwrap(), [rating("ada", 199.0)], "in order");
    }
    // A connection that is still within a transaction would hide its writes from another.
    let elsewhere = open(&folder).await;
    assert_eq!(elsewhere.matches(&user("bob"), 1000).await.unwrap().len(), 401);
    queue.close().await;
}

#[tokio::test]
async fn a_rating_is_not_loaded_until_the_database_has_told_it() {
    let folder = Folder::new();
    let store = open(&folder).await;
    store.save_ratings(&[rating("ada", 2200.0)]).await.unwrap();
    let queue = start(&store, Some(&folder.0));
    let ratings = RatingCache::new(store.clone(), queue.clone());
    let is_loaded = || ratings.is_loaded(&user("ada"), "duel", "2v2");
    alter(&folder, "ALTER TABLE ratings RENAME TO hidden").await;
    for _ in 0..3 {
        ratings.load(&user("ada"));
        sleep(Duration::from_millis(20)).await;
        assert!(!is_loaded());
    }
    alter(&folder, "ALTER TABLE hidden RENAME TO ratings").await;
    until(async || {
        ratings.load(&user("ada"));
        is_loaded()
    })
    .await;
    assert_eq!(ratings.rating(&user("ada"), "duel", "2v2").map(|rating| rating.rating), Some(2200.0));
    queue.close().await;
}

#[tokio::test]
async fn a_rating_that_waits_on_disk_is_read_after_it_is_written() {
    let folder = Folder::new();
    let store = open(&folder).await;
    store.save_ratings(&[rating("ada", 1500.0)]).await.unwrap();
    let queue = start(&store, Some(&folder.0));
    store.close().await;
    queue.save_ratings(vec![rating("ada", 1600.0)]);
    queue.close().await;
    let store = open(&folder).await;
    let queue = start(&store, Some(&folder.0));
    let ratings = RatingCache::new(store.clone(), queue.clone());
    ratings.load(&user("ada"));
    until(async || ratings.is_loaded(&user("ada"), "duel", "2v2")).await;
    assert_eq!(ratings.rating(&user("ada"), "duel", "2v2").map(|rating| rating.rating), Some(1600.0));
    queue.close().await;
}
