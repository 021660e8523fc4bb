//! The webhook: results that are signed, posted and tried again, over HTTP and TLS.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs, process,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value as Json, json};
use tickcast::{
    host::{Limits, Record, Recorder},
    store::{Webhook, WebhookConfig, WebhookError, signature},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    folder::Folder,
    results::{play, player, result, who},
    server::{PATIENCE, start_with},
};

/// A request that the receiver got.
struct Posted {
    headers: String,
    body: Vec<u8>,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.headers.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{name}: {}", self.headers))
    }

    /// The id of the result.
    fn id(&self) -> &str {
        self.header("idempotency-key")
    }
}

/// Starts a receiver that answers with these statuses in turn, and then with 200.
async fn receiver(statuses: &'static [&'static str]) -> (String, UnboundedReceiver<Posted>) {
    let mut statuses = statuses.iter().copied();
    receiver_by(move |_| statuses.next().unwrap_or("200 OK")).await
}

/// Starts a receiver that answers with a status that depends on the result's id.
async fn receiver_by(mut status: impl FnMut(&str) -> &'static str + Send + 'static) -> (String, UnboundedReceiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/results", listener.local_addr().unwrap());
    let (sender, posted) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            if sender.send(receive(tcp, &mut status).await).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

/// Starts a receiver behind TLS. Its certificate is from an authority that only these tests trust.
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
            // A client that does not trust the certificate closes the connection.
            let Ok(tls) = acceptor.accept(tcp).await else { continue };
            if sender.send(receive(tls, |_| "200 OK").await).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

async fn receive(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: impl FnOnce(&str) -> &'static str) -> Posted {
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
    let posted = Posted { body: bytes.split_off(headers.len() + 4), headers };
    let status = status(posted.id());
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    posted
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
    assert!(posted.try_recv().is_err(), "an accepted result is not posted again");
}

fn start_webhook(config: WebhookConfig) -> Result<Webhook, WebhookError> {
    Webhook::start(config, None, &Limits::default())
}

fn record(webhook: &Webhook, id: &str) {
    webhook.record(&Record::Ended(result(id, 1000, vec![player(1, "ada", true)])));
}

/// The lines of a file in the folder for data; none if there is no file.
fn lines(folder: &Folder, name: &str) -> Vec<Json> {
    let text = fs::read_to_string(folder.0.join(name)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_result_that_is_given_up_is_kept_with_the_reason() {
    let (url, mut posted) = receiver_by(|id| match id {
        "given up" => "503 x",
        "refused" => "400 Bad Request",
        _ => "200 OK",
    })
    .await;
    let folder = Folder::new();
    let hook = Webhook::start(webhook(&url), Some(&folder.0), &Limits::default()).unwrap();
    for id in ["given up", "refused", "taken"] {
        record(&hook, id);
    }
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(next(&mut posted).await.id().to_owned());
    }
    ids.sort();
    assert_eq!(ids, ["given up", "given up", "given up", "given up", "refused", "taken"]);
    hook.record(&Record::Seen(who("ada", "Ada")));
    hook.close().await;
    assert!(posted.try_recv().is_err());
    let mut kept = lines(&folder, "given-up.jsonl");
    kept.sort_by_key(|line| line["body"]["id"].to_string());
    let seen: Vec<_> = kept.iter().map(|line| (line["body"]["id"].as_str().unwrap(), line["reason"].as_str().unwrap())).collect();
    assert_eq!(seen, [("given up", "503 Service Unavailable"), ("refused", "400 Bad Request")]);
    assert_eq!((&kept[0]["body"]["event"], &kept[0]["body"]["players"][0]["user"]), (&json!("match_ended"), &json!("ada")));
    assert!(kept[0]["at"].as_u64() > Some(1_700_000_000_000));
}

#[tokio::test]
async fn a_result_that_is_never_taken_holds_no_other_up() {
    let (url, mut posted) = receiver_by(|id| if id == "stuck" { "500 x" } else { "200 OK" }).await;
    let mut config = webhook(&url);
    config.pause = Duration::from_secs(3600);
    let hook = start_webhook(config).unwrap();
    record(&hook, "stuck");
    assert_eq!(next(&mut posted).await.id(), "stuck");
    for number in 0..40 {
        record(&hook, &format!("m{number}"));
    }
    let mut ids = BTreeSet::new();
    for _ in 0..40 {
        ids.insert(next(&mut posted).await.id().to_owned());
    }
    assert_eq!(ids.len(), 40);
    hook.close().await;
}

#[tokio::test]
async fn results_that_were_not_posted_wait_for_the_next_start() {
    let folder = Folder::new();
    let (url, mut posted) = receiver_by(|_| "503 x").await;
    let mut config = webhook(&url);
    config.pause = Duration::from_secs(3600);
    let hook = Webhook::start(config, Some(&folder.0), &Limits::default()).unwrap();
    for id in ["one", "two", "three"] {
        record(&hook, id);
        assert_eq!(next(&mut posted).await.id(), id);
    }
    hook.close().await;
    assert_eq!(lines(&folder, "unposted.jsonl").len(), 3);
    record(&hook, "too late");
    let (url, mut posted) = receiver(&[]).await;
    let hook = Webhook::start(webhook(&url), Some(&folder.0), &Limits::default()).unwrap();
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let post = next(&mut posted).await;
        let body: Json = serde_json::from_slice(&post.body).unwrap();
        assert_eq!((&body["event"], &body["players"][0]["won"]), (&json!("match_ended"), &json!(true)));
        ids.insert(post.id().to_owned());
    }
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), ["one", "three", "two"]);
    hook.close().await;
    assert_eq!(lines(&folder, "unposted.jsonl").len(), 0);
}

/// The variables by which a test tells its child process where the receiver is, and its folder.
const CHILD: [&str; 2] = ["TICKCAST_TEST_RECEIVER", "TICKCAST_TEST_FOLDER"];

/// The matches that the child process plays.
const PLAYED: usize = 3;

/// Plays matches, and waits to be killed. Does nothing if no test has started it.
#[tokio::test]
async fn child_that_is_killed() {
    let [Ok(url), Ok(folder)] = CHILD.map(env::var) else { return };
    let mut config = webhook(&url);
    config.pause = Duration::from_secs(3600);
    let server = start_with(|builder| builder.webhook(config).data(folder)).await;
    for _ in 0..PLAYED {
        play(&server).await;
    }
    std::future::pending().await
}

/// A child process that is killed on drop.
struct Child(process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_server_that_is_killed_loses_no_result() {
    let folder = Folder::new();
    let (url, mut posted) = receiver_by(|_| "500 x").await;
    let child = process::Command::new(env::current_exe().unwrap())
        .args(["--exact", "webhook::child_that_is_killed"])
        .env(CHILD[0], url)
        .env(CHILD[1], &folder.0)
        .stdout(process::Stdio::null())
        .spawn();
    let child = Child(child.unwrap());
    let mut refused = BTreeMap::new();
    while refused.len() < PLAYED {
        let post = next(&mut posted).await;
        refused.insert(post.id().to_owned(), post.body);
    }
    drop(child);

    let (url, mut posted) = receiver(&[]).await;
    let server = start_with(|builder| builder.webhook(webhook(&url)).data(&folder.0)).await;
    let mut taken = BTreeMap::new();
    for _ in 0..PLAYED {
        let post = next(&mut posted).await;
        taken.insert(post.id().to_owned(), post.body);
    }
    assert_eq!(taken, refused, "each result is posted again, as it was");
    server.shutdown().await;
    assert_eq!(lines(&folder, "unposted.jsonl"), Vec::<Json>::new());
    let server = start_with(|builder| builder.webhook(webhook(&url)).data(&folder.0)).await;
    server.shutdown().await;
    assert!(posted.try_recv().is_err(), "a result that was taken is not posted again");
}

#[tokio::test]
async fn what_waits_for_the_receiver_is_bounded() {
    let folder = Folder::new();
    let mut limits = Limits::default();
    (limits.unposted_results, limits.given_up_bytes) = (10, 1000);
    let (url, mut posted) = receiver_by(|_| "503 x").await;
    let mut config = webhook(&url);
    (config.attempts, config.pause) = (2, Duration::from_millis(50));
    let hook = Webhook::start(config, Some(&folder.0), &limits).unwrap();
    for number in 0..30 {
        record(&hook, &format!("m{number}"));
    }
    for _ in 0..20 {
        next(&mut posted).await;
    }
    hook.close().await;
    assert!(posted.try_recv().is_err(), "ten of thirty were posted, twice each");
    let file = fs::metadata(folder.0.join("given-up.jsonl")).unwrap();
    assert!((300..=1000).contains(&file.len()), "{} bytes", file.len());
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
    if let Ok(stranger) = start_webhook(webhook(&url)) {
        stranger.record(&Record::Ended(result("for others", 1000, vec![])));
        stranger.close().await;
    }
    let friend = start_webhook(with_ca(&url, "ca.pem")).unwrap();
    friend.record(&Record::Ended(result("for us", 1000, vec![])));
    let post = next(&mut posted).await;
    assert_eq!(post.header("idempotency-key"), "for us");
    assert_eq!(post.header("tickcast-signature"), signature(SECRET, &post.body));
    friend.close().await;
    assert!(posted.try_recv().is_err());

    let other_name = start_webhook(with_ca(&url.replace("localhost", "127.0.0.1"), "ca.pem")).unwrap();
    other_name.record(&Record::Ended(result("for others", 1000, vec![])));
    other_name.close().await;
    assert!(posted.try_recv().is_err());
    for file in ["rsa.pem", "nowhere.pem"] {
        assert!(matches!(start_webhook(with_ca(&url, file)), Err(WebhookError::Roots(_))), "{file}");
    }
}

#[tokio::test]
async fn a_webhook_needs_a_url_and_a_secret() {
    for url in ["ftp://example.org/results", "example.org", "http:///results", "not a url"] {
        assert!(matches!(start_webhook(WebhookConfig::new(url, SECRET)), Err(WebhookError::Url)), "{url}");
    }
    let short = WebhookConfig::new("http://127.0.0.1:1/", *b"short");
    assert!(matches!(start_webhook(short), Err(WebhookError::ShortSecret)));
    // The first test case of RFC 4231.
    let known = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    assert_eq!(signature(&[0x0b; 20], b"Hi There"), known);
}
