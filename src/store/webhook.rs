//! The webhook: posts the result of each match, signed, until the receiver accepts it.

use std::{error::Error, fmt::Write, path::PathBuf, sync::Arc, time::Duration};

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
    sync::{
        mpsc::{Receiver, Sender, channel},
        oneshot,
    },
    time::{sleep, timeout},
};

use crate::{
    host::{MatchResult, Record, Recorder},
    observe::{self, DropReason},
};

/// Most results that may wait.
const QUEUE: usize = 1024;

/// Timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Time for the queue to drain when the server stops.
const CLOSING: Duration = Duration::from_secs(5);

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

/// Posts results, one at a time, in a task of its own.
pub struct Webhook(Sender<Entry>);

enum Entry {
    Result(Box<MatchResult>),
    Close(oneshot::Sender<()>),
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

impl Webhook {
    /// Starts the task. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the URL is neither `https://..` nor `http://..`, the secret has fewer than 16 bytes, or no certificate authority is trusted.
    pub fn start(config: WebhookConfig) -> Result<Self, WebhookError> {
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
        let (sender, receiver) = channel(QUEUE);
        let client = Client::builder(TokioExecutor::new()).build(connector(roots));
        tokio::spawn(Poster { client, uri, config }.run(receiver));
        Ok(Self(sender))
    }

    /// Posts what is queued and stops the task. Gives up after five seconds.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let drained = async {
            if self.0.send(Entry::Close(done)).await.is_ok() {
                // An error means that another `close` stopped the task.
                let _ = closed.await;
            }
        };
        if timeout(CLOSING, drained).await.is_err() {
            tracing::warn!("the webhook's receiver did not accept all queued results in time");
        }
    }
}

impl Recorder for Webhook {
    fn record(&self, record: &Record) {
        let Record::Ended(result) = record else { return };
        if self.0.try_send(Entry::Result(Box::new(result.clone()))).is_err() {
            observe::dropped(DropReason::Webhook);
            tracing::debug!(id = result.id, "a result was dropped: the queue to the webhook's receiver is full");
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

impl Poster {
    async fn run(self, mut entries: Receiver<Entry>) {
        while let Some(entry) = entries.recv().await {
            match entry {
                Entry::Result(result) => self.deliver(&result).await,
                Entry::Close(done) => {
                    // The caller may have timed out.
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    async fn deliver(&self, result: &MatchResult) {
        let body = serde_json::to_vec(&Body { event: "match_ended", result }).expect("text and numbers always encode");
        let (body, id) = (Bytes::from(body), &*result.id);
        let mut pause = self.config.pause;
        for attempt in 1..=self.config.attempts {
            match self.post(&body, id).await {
                Outcome::Accepted => return,
                Outcome::Refused(status) => {
                    tracing::error!(id, %status, "the webhook's receiver refused a result");
                    break;
                }
                Outcome::Retry(reason) if attempt == self.config.attempts => {
                    tracing::error!(id, reason, attempt, "a result could not be posted, giving up");
                }
                Outcome::Retry(reason) => {
                    tracing::warn!(id, reason, attempt, "a result could not be posted, retrying");
                    // Jitter, so that servers with the same receiver do not retry in step.
                    let spread: f64 = rand::rng().random_range(0.8..1.2);
                    sleep(pause.mul_f64(spread)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        observe::dropped(DropReason::Webhook);
    }

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
