//! The webhook: posts the result of each match, signed, until the receiver accepts it.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::Full;
use hyper::{Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rand::RngExt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::Serialize;
use sha2::Sha256;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{line_file::LineFile, unposted::Unposted};
use crate::{
    host::{Limits, MatchResult, Record, Recorder, now},
    observe::{self, DropReason},
};

/// Timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Time for first attempts and those under way to end when the server stops.
const CLOSING: Duration = Duration::from_secs(5);

/// The file in the folder for data of results that were given up.
const GIVEN_UP: &str = "given-up.jsonl";

/// Where and how results are posted.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use tickcast::store::WebhookConfig;
///
/// let mut webhook = WebhookConfig::new("https://example.org/results", *b"at least 16 bytes");
/// webhook.pause = Duration::from_secs(5);
/// let server = tickcast::server().webhook(webhook);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebhookConfig {
    /// The URL: `https://host/path`, or `http://` on a trusted network.
    pub url: String,
    /// The secret that signs the body, at least 16 bytes.
    pub secret: Vec<u8>,
    /// Attempts for one result. The default is 12, over about twenty minutes.
    pub attempts: u32,
    /// The pause after the first attempt, 1 s by default. It doubles after each further attempt, up to five minutes.
    pub pause: Duration,
    /// A PEM file of certificate authorities to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
}

impl WebhookConfig {
    /// Posts to a URL, signs with a secret, and has defaults for the rest.
    pub fn new(url: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self { url: url.into(), secret: secret.into(), attempts: 12, pause: Duration::from_secs(1), ca_file: None }
    }
}

/// Why a webhook cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The URL is not one of HTTP or HTTPS.
    #[error("the URL of the webhook must be like https://host/path")]
    Url,
    /// The secret is too short, so it could be guessed.
    #[error("the secret of the webhook needs at least 16 bytes")]
    ShortSecret,
    /// No certificate authorities could be read.
    #[error("{0}")]
    Roots(String),
}

/// Posts results, each on a schedule of its own: one that is not taken holds no other up.
///
/// A result that is given up is appended to `given-up.jsonl` in the folder for data, with the reason. Results that are not posted when
/// the process ends, even by `SIGKILL`, wait in `unposted.jsonl` for the next start: each is on disk before it is posted first. One that
/// was taken right before may be posted again, with the same id. [`Limits`] bounds all of them.
pub struct Webhook(Arc<Shared>);

struct Shared {
    poster: Poster,
    limits: Limits,
    folder: Option<PathBuf>,
    runtime: Handle,
    /// The results that are not done, by number.
    waiting: Mutex<Waiting>,
    /// The results on disk. `None` without a folder, or if its file cannot be used.
    unposted: Mutex<Option<Unposted>>,
    /// The given-up results' file is written by one at a time.
    given_up: Mutex<()>,
    /// One permit for each attempt under way.
    attempts: Semaphore,
    /// The number of results with a task.
    running: watch::Sender<usize>,
    closing: watch::Sender<bool>,
}

#[derive(Default)]
struct Waiting {
    results: BTreeMap<u64, Arc<MatchResult>>,
    bytes: usize,
    /// The number of the newest result.
    newest: u64,
    closed: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    event: &'static str,
    #[serde(flatten)]
    result: &'a MatchResult,
}

struct Poster {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    config: WebhookConfig,
}

/// A line of the file of results that were given up.
#[derive(Serialize)]
struct GivenUp<'a> {
    /// Milliseconds since 1970.
    at: u64,
    reason: &'a str,
    /// The body that was posted.
    body: Body<'a>,
}

impl Webhook {
    /// Starts posting. Must be called within a Tokio runtime.
    ///
    /// Results that an earlier process left in the folder are posted, too.
    ///
    /// # Errors
    ///
    /// If the URL is neither `https://..` nor `http://..`, the secret has fewer than 16 bytes, or no certificate authority is trusted.
    pub fn start(config: WebhookConfig, folder: Option<&Path>, limits: &Limits) -> Result<Self, WebhookError> {
        let uri: Uri = config.url.parse().map_err(|_| WebhookError::Url)?;
        let roots = match uri.scheme_str() {
            Some("https") => trusted_roots(config.ca_file.as_ref())?,
            Some("http") => RootCertStore::empty(),
            _ => return Err(WebhookError::Url),
        };
        uri.host().ok_or(WebhookError::Url)?;
        if config.secret.len() < 16 {
            return Err(WebhookError::ShortSecret);
        }
        let client = Client::builder(TokioExecutor::new()).build(connector(roots));
        let unposted = folder.and_then(open_unposted);
        let left: Vec<_> = unposted.iter().flat_map(Unposted::waiting).cloned().collect();
        let shared = Arc::new(Shared {
            poster: Poster { client, uri, config },
            limits: limits.clone(),
            folder: folder.map(Path::to_owned),
            runtime: Handle::current(),
            waiting: Mutex::default(),
            unposted: Mutex::new(unposted),
            given_up: Mutex::default(),
            attempts: Semaphore::new(limits.webhook_attempts.max(1)),
            running: watch::Sender::new(0),
            closing: watch::Sender::new(false),
        });
        left.into_iter().for_each(|result| shared.queue(result));
        Ok(Self(shared))
    }

    /// Makes the first attempt for every result, and stops. What was not taken within five seconds is kept for the next start; without
    /// a folder for data it is dropped and counted.
    pub async fn close(&self) {
        self.0.closing.send_replace(true);
        // The sender is within `self`.
        let ended = async { self.0.running.subscribe().wait_for(|running| *running == 0).await.map(drop) };
        let _ = timeout(CLOSING, ended).await;
        self.0.keep_unposted();
    }
}

impl Recorder for Webhook {
    fn record(&self, record: &Record) {
        if let Record::Ended(result) = record {
            self.0.queue(Arc::new(result.clone()));
        }
    }
}

/// The outcome of an attempt.
enum Outcome {
    Accepted,
    /// A later attempt may succeed.
    Retry(String),
    /// No later attempt can succeed.
    Refused(StatusCode),
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unposted(&self) -> MutexGuard<'_, Option<Unposted>> {
        self.unposted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a result a task of its own, or drops it.
    fn queue(self: &Arc<Self>, result: Arc<MatchResult>) {
        let size = size_of(&result);
        let mut waiting = self.waiting();
        let is_full = waiting.results.len() >= self.limits.unposted_results || waiting.bytes + size > self.limits.unposted_bytes;
        if is_full || waiting.closed {
            drop(waiting);
            observe::dropped(DropReason::Webhook);
            tracing::debug!(id = result.id, "a result was dropped: too many wait for the webhook's receiver");
            return;
        }
        waiting.newest += 1;
        waiting.bytes += size;
        let number = waiting.newest;
        waiting.results.insert(number, result.clone());
        observe::unposted_results().set(waiting.results.len() as f64);
        drop(waiting);
        self.running.send_modify(|running| *running += 1);
        let shared = self.clone();
        self.runtime.spawn(async move {
            shared.on_disk(&result, |unposted, result| unposted.add(result)).await;
            if shared.deliver(&result).await {
                shared.remove(number);
                shared.on_disk(&result, |unposted, result| unposted.end(&result.id)).await;
            }
            shared.running.send_modify(|running| *running -= 1);
        });
    }

    fn remove(&self, number: u64) {
        let mut waiting = self.waiting();
        if let Some(result) = waiting.results.remove(&number) {
            waiting.bytes -= size_of(&result);
        }
        observe::unposted_results().set(waiting.results.len() as f64);
    }

    /// Changes what the disk has of a result. If that fails, the result waits in memory, or is posted again after the next start.
    async fn on_disk(
        self: &Arc<Self>, result: &Arc<MatchResult>, change: fn(&mut Unposted, &Arc<MatchResult>) -> io::Result<()>,
    ) {
        let (shared, result) = (self.clone(), result.clone());
        let change = move || {
            let mut unposted = shared.unposted();
            let changed = unposted.as_mut().map_or(Ok(()), |unposted| change(unposted, &result));
            if let Err(error) = changed {
                tracing::warn!(id = result.id, %error, "the file of results to be posted cannot be written");
            }
        };
        // An error means that the process ends.
        let _ = spawn_blocking(change).await;
    }

    /// Posts a result until it is taken or given up. Returns false if the server stops before that.
    async fn deliver(self: &Arc<Self>, result: &Arc<MatchResult>) -> bool {
        let body = serde_json::to_vec(&Body::new(result)).expect("text and numbers always encode");
        let (body, id) = (Bytes::from(body), &*result.id);
        let config = &self.poster.config;
        let (mut pause, mut closing) = (config.pause, self.closing.subscribe());
        for attempt in 1.. {
            // The semaphore is never closed, so an attempt without a permit does not happen.
            let permit = self.attempts.acquire().await;
            let outcome = self.poster.post(&body, id).await;
            drop(permit);
            let reason = match outcome {
                Outcome::Accepted => return true,
                Outcome::Refused(status) => status.to_string(),
                Outcome::Retry(reason) if attempt < config.attempts => {
                    tracing::warn!(id, reason, attempt, "a result could not be posted, retrying");
                    // Jitter, so that servers with the same receiver do not retry in step.
                    let spread: f64 = rand::rng().random_range(0.8..1.2);
                    tokio::select! {
                        () = sleep(pause.mul_f64(spread)) => {}
                        _ = closing.wait_for(|closing| *closing) => return false,
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                Outcome::Retry(reason) => reason,
            };
            tracing::error!(id, reason, attempt, "a result was given up: the webhook's receiver did not take it");
            observe::dropped(DropReason::Webhook);
            let (shared, result) = (self.clone(), result.clone());
            // An error means that the process ends.
            let _ = spawn_blocking(move || shared.keep_given_up(&result, &reason)).await;
            break;
        }
        true
    }

    /// Appends a result to the file of those that were given up.
    fn keep_given_up(&self, result: &MatchResult, reason: &str) {
        let Some(folder) = &self.folder else { return };
        let line =
            serde_json::to_vec(&GivenUp { at: now(), reason, body: Body::new(result) }).expect("text and numbers always encode");
        let _one = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = LineFile::open(&folder.join(GIVEN_UP)).and_then(|(mut file, _)| {
            if file.len() + line.len() as u64 >= self.limits.given_up_bytes as u64 {
                return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "it is as large as it may be"));
            }
            file.append(&line)
        });
        if let Err(error) = kept {
            observe::dropped(DropReason::GivenUp);
            tracing::error!(id = result.id, %error, "a result that was given up is not kept in {GIVEN_UP}");
        }
    }

    /// Takes no more results, and lets the next process have the file of those that were not taken.
    fn keep_unposted(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        let results = std::mem::take(&mut waiting.results);
        drop(waiting);
        let mut unposted = self.unposted().take();
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no file for them");
        let mut keep = |result| unposted.as_mut().map_or_else(|| Err(none()), |unposted| unposted.add(result));
        let lost: Vec<_> = results.values().filter_map(|result| keep(result).err()).collect();
        if let Some(error) = lost.first() {
            lost.iter().for_each(|_| observe::dropped(DropReason::Webhook));
            tracing::error!(results = lost.len(), %error, "results were dropped: the webhook's receiver did not take them");
        }
        let kept = results.len() - lost.len();
        if kept > 0 {
            tracing::warn!(results = kept, "results were not posted; they wait on disk for the next start");
        }
    }
}

fn open_unposted(folder: &Path) -> Option<Unposted> {
    let unposted = Unposted::open(folder);
    unposted.inspect_err(|error| tracing::warn!(%error, "results to be posted do not wait on disk")).ok()
}

/// The bytes that a result takes in memory, about.
fn size_of(result: &MatchResult) -> usize {
    let players = result.players.iter().map(|player| size_of_val(player) + player.user.as_str().len() + player.name.len());
    size_of_val(result) + result.id.len() + players.sum::<usize>()
}

impl<'a> Body<'a> {
    fn new(result: &'a MatchResult) -> Self {
        Self { event: "match_ended", result }
    }
}

impl Poster {
    async fn post(&self, body: &Bytes, id: &str) -> Outcome {
        let request = Request::post(&self.uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", id)
            .header("tickcast-signature", signature(&self.config.secret, body))
            .body(Full::new(body.clone()))
            .expect("the URL was checked, and an id is plain text");
        match timeout(ATTEMPT, self.client.request(request)).await {
            Err(_) => Outcome::Retry("no answer".to_owned()),
            // The reason, like a bad certificate, is a few causes down.
            Ok(Err(error)) => Outcome::Retry(with_causes(&error)),
            Ok(Ok(response)) => match response.status() {
                status if status.is_success() => Outcome::Accepted,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                    Outcome::Retry(response.status().to_string())
                }
                status if status.is_client_error() => Outcome::Refused(status),
                status => Outcome::Retry(status.to_string()),
            },
        }
    }
}

/// An error and what caused it, like `client error (Connect): invalid peer certificate`.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// The certificate authorities of the system and of a file.
fn trusted_roots(ca_file: Option<&PathBuf>) -> Result<RootCertStore, WebhookError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    // Many systems have some that are too old to parse.
    roots.add_parsable_certificates(system.certs);
    if let Some(file) = ca_file {
        let failed = |error: &dyn std::fmt::Display| {
            WebhookError::Roots(format!("cannot use the certificates in {}: {error}", file.display()))
        };
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| failed(&error))?;
        let before = roots.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
        if roots.len() == before {
            return Err(failed(&"it has none"));
        }
    }
    if roots.is_empty() {
        let why = system.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let none = "this system has no certificate authorities; give the webhook a file of them";
        return Err(WebhookError::Roots(if why.is_empty() { none.to_owned() } else { format!("{none}: {why}") }));
    }
    Ok(roots)
}

fn connector(roots: RootCertStore) -> HttpsConnector<HttpConnector> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build()
}

/// Returns the header `tickcast-signature` of a body: `sha256=` and the HMAC-SHA256 in hexadecimal.
#[expect(clippy::missing_panics_doc, reason = "a key may have any length, and a String takes any text")]
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}
