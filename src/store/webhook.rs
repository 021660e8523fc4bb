//! Results by HTTP: each is posted to a host's server, signed, until it takes it.

use std::{fmt::Write, time::Duration};

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::Full;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rand::RngExt;
use serde::Serialize;
use sha2::Sha256;
use thiserror::Error;
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

/// Results that wait, at most.
const QUEUE: usize = 1024;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// How long the queue is given to drain when the server stops.
const CLOSING: Duration = Duration::from_secs(5);

/// Where results go.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where to post: `http://host/path`.
    pub url: String,
    /// What signs the body.
    pub secret: Vec<u8>,
    /// How often one result is tried; 12 unless set, over about twenty minutes.
    pub attempts: u32,
    /// The pause after the first attempt; each further one is twice as long. 1 s unless set.
    pub pause: Duration,
}

impl WebhookConfig {
    /// Posts to a URL, signed with a secret.
    pub fn new(url: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self { url: url.into(), secret: secret.into(), attempts: 12, pause: Duration::from_secs(1) }
    }
}

/// Why results cannot go there.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// Not a URL that can be posted to.
    #[error("a webhook's URL is like http://host/path; for https put a proxy of your own between")]
    Url,
    /// A secret that could be guessed.
    #[error("a webhook's secret has at least 16 bytes")]
    ShortSecret,
}

/// Posts results, one after the other, in a task of its own.
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
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    config: WebhookConfig,
}

impl Webhook {
    /// Starts to post. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the URL is not `http://..`, or the secret is short.
    pub fn start(config: WebhookConfig) -> Result<Self, WebhookError> {
        let uri: Uri = config.url.parse().map_err(|_| WebhookError::Url)?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(WebhookError::Url);
        }
        if config.secret.len() < 16 {
            return Err(WebhookError::ShortSecret);
        }
        let (sender, receiver) = channel(QUEUE);
        let client = Client::builder(TokioExecutor::new()).build_http();
        tokio::spawn(Poster { client, uri, config }.run(receiver));
        Ok(Self(sender))
    }

    /// Posts what is queued, as far as it is taken at once.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let drained = async {
            if self.0.send(Entry::Close(done)).await.is_ok() {
                // An error means that another `close` was faster.
                let _ = closed.await;
            }
        };
        if timeout(CLOSING, drained).await.is_err() {
            tracing::warn!("the webhook's receiver did not take everything in time");
        }
    }
}

impl Recorder for Webhook {
    fn record(&self, record: &Record) {
        let Record::Ended(result) = record else { return };
        if self.0.try_send(Entry::Result(Box::new(result.clone()))).is_err() {
            observe::dropped(DropReason::Webhook);
            tracing::debug!(id = result.id, "a result was not posted: too many wait for the webhook's receiver");
        }
    }
}

/// What became of an attempt.
enum Taken {
    Yes,
    /// It may be taken later.
    NotYet(String),
    /// It will never be.
    Never(StatusCode),
}

impl Poster {
    async fn run(self, mut entries: Receiver<Entry>) {
        while let Some(entry) = entries.recv().await {
            match entry {
                Entry::Result(result) => self.deliver(&result).await,
                Entry::Close(done) => {
                    // Whoever asked may have given up.
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
                Taken::Yes => return,
                Taken::Never(status) => {
                    tracing::error!(id, %status, "the webhook's receiver refused a result");
                    break;
                }
                Taken::NotYet(reason) if attempt == self.config.attempts => {
                    tracing::error!(id, reason, attempt, "a result was not posted, for good");
                }
                Taken::NotYet(reason) => {
                    tracing::warn!(id, reason, attempt, "a result was not posted, trying again");
                    // Not in step with whoever else waits for the same receiver.
                    let spread: f64 = rand::rng().random_range(0.8..1.2);
                    sleep(pause.mul_f64(spread)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        observe::dropped(DropReason::Webhook);
    }

    async fn post(&self, body: &Bytes, id: &str) -> Taken {
        let request = Request::post(&self.uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", id)
            .header("tickcast-signature", signature(&self.config.secret, body))
            .body(Full::new(body.clone()))
            .expect("the URL was checked, and an id is plain text");
        match timeout(ATTEMPT, self.client.request(request)).await {
            Err(_) => Taken::NotYet("no answer".to_owned()),
            Ok(Err(error)) => Taken::NotYet(error.to_string()),
            Ok(Ok(response)) => match response.status() {
                status if status.is_success() => Taken::Yes,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                    Taken::NotYet(response.status().to_string())
                }
                status if status.is_client_error() => Taken::Never(status),
                status => Taken::NotYet(status.to_string()),
            },
        }
    }
}

/// What the header `tickcast-signature` says of a body: `sha256=` and the HMAC-SHA256 in hexadecimal.
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
    mac.update(body);
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}
