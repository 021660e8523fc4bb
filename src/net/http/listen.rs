//! Accepts connections. Hyper serves each of them, with a bound on the time that a header may take.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Shutdown, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};
use tower::ServiceExt;

use crate::{
    net::{
        http::{forwarded::Client, malformed, origin::Origins},
        limits::{
            NetLimits,
            address::{Addresses, OwnHandshakes, TooMany},
            proxies::TrustedProxies,
        },
        namespaces::conduct::Conduct,
        transport::{
            keep_alive::{Held, KeepAlive, Watched},
            polling::{ENDED, session},
            stream::{Stream, StreamHandle, Streams},
        },
    },
    observe::{self, DropReason},
};

/// The most bytes of a request's header.
const HEADER_BYTES: usize = 16 * 1024;

/// How long the loop pauses after it could not accept, as when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// The least time between two warnings that connections cannot be accepted.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// A bound TCP port, and the limits for its connections.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    limits: Arc<NetLimits>,
    proxies: TrustedProxies,
}

/// The state that all connections of a listener share.
#[derive(Clone)]
struct Server {
    router: Router,
    limits: Arc<NetLimits>,
    addresses: Addresses,
    origins: Origins,
}

/// One connection, as its requests see it.
struct Connection {
    server: Server,
    peer: IpAddr,
    stream: StreamHandle,
    handshakes: OwnHandshakes,
    keep_alive: Arc<KeepAlive>,
}

impl Listener {
    /// Binds a port.
    ///
    /// # Errors
    /// The system's error, for instance that the port is in use.
    pub(crate) async fn bind(address: &str, limits: NetLimits, proxies: TrustedProxies) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await?, limits: Arc::new(limits), proxies })
    }

    /// Returns the bound address; with port 0 the system chose its port.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts and serves until `stop` turns true. Connections that are open then finish their request.
    ///
    /// The router checks origins. A refusal that is given before the router sees the request can be read by pages of `origins` too.
    pub(crate) async fn serve(self, router: Router, origins: Origins, mut stop: watch::Receiver<bool>) {
        let (streams, addresses) = (Streams::default(), Addresses::new(&self.limits, self.proxies));
        let server = Server { router, limits: self.limits, addresses, origins };
        let mut warned: Option<Instant> = None;
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                () = stopped(&mut stop) => return,
            };
            let (tcp, peer) = match accepted {
                Ok((tcp, peer)) => (tcp, peer.ip()),
                Err(error) if ended_early(&error) => {
                    tracing::debug!(%error, "a connection ended before it was accepted");
                    continue;
                }
                Err(error) => {
                    let now = Instant::now();
                    if warned.is_none_or(|warned| now.duration_since(warned) >= WARNING_INTERVAL) {
                        warned = Some(now);
                        tracing::warn!(%error, "cannot accept connections; new ones wait");
                    }
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    continue;
                }
            };
            let share = match server.addresses.accept(peer) {
                Ok(share) => share,
                Err(too_many) => {
                    refuse(&tcp, too_many);
                    continue;
                }
            };
            match Stream::new(tcp, &server.limits, streams.clone(), share) {
                Ok(stream) => drop(tokio::spawn(serve_connection(stream, peer, server.clone(), stop.clone()))),
                Err(error) => tracing::debug!(%error, "the connection ended before it began"),
            }
        }
    }
}

/// Whether an error of `accept` is the client's, so that the next connection may be accepted at once.
fn ended_early(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers before a request came, and without waiting, so that a refusal costs next to nothing.
fn refuse(tcp: &TcpStream, too_many: TooMany) {
    let (reason, status, text) = match too_many {
        TooMany::OfAddress => (DropReason::Address, "429 Too Many Requests", "too many connections from your address\n"),
        TooMany::OfAll => {
            (DropReason::Connections, "503 Service Unavailable", "too many connections, try again in a few seconds\n")
        }
    };
    observe::dropped(reason);
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\nretry-after: 10\r\n\
         connection: close\r\n\r\n{text}"
    );
    let socket = SockRef::from(tcp);
    // A peer that does not get the answer has lost the connection anyway.
    let _ = socket.send(answer.as_bytes());
    let _ = socket.shutdown(Shutdown::Write);
}

async fn serve_connection(stream: Stream, peer: IpAddr, server: Server, mut stop: watch::Receiver<bool>) {
    let keep_alive = KeepAlive::new(&server.limits);
    let handshakes = server.addresses.own_handshakes();
    let watched = Watched::new(stream, keep_alive.clone());
    let connection = Arc::new(Connection { server, peer, stream: watched.handle(), handshakes, keep_alive: keep_alive.clone() });
    let service = service_fn(move |request| {
        let connection = connection.clone();
        async move { Ok::<_, Infallible>(connection.answer(request).await) }
    });
    let served =
        http1::Builder::new().max_buf_size(HEADER_BYTES).serve_connection(TokioIo::new(watched), service).with_upgrades();
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = keep_alive.run(served.as_mut()) => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            keep_alive.run(served.as_mut()).await
        }
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            // Hyper has answered what is no HTTP, or too long.
            if error.is_parse() {
                observe::dropped(DropReason::Malformed);
            }
            tracing::debug!(%error, "a connection ended early");
        }
        None => {
            if !keep_alive.is_idle() {
                observe::dropped(DropReason::SlowRequest);
            }
            tracing::debug!("a connection ended: its next request did not come in time");
        }
    }
}

impl Connection {
    async fn answer(&self, mut request: Request<Incoming>) -> Response {
        let answering = self.keep_alive.answering();
        let client = Client::of(self.peer, request.headers(), self.server.addresses.proxies());
        // A client behind a proxy has a connection as long as its request is answered.
        let share = self.server.addresses.request(self.peer, client.address);
        let refusal = match &share {
            Some(_) => self.refuse(&mut request, &client),
            None => Some(refused(DropReason::Address, "too many connections from your address\n")),
        };
        let answer = match refusal {
            Some(refusal) => self.server.origins.open(request.headers(), &client, refusal),
            None => self.route(request, client).await,
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            // The stream is read and written as a WebSocket only after this.
            self.stream.switch_protocols();
            answering.switch_protocols();
            return answer;
        }
        answer.map(|body| Body::new(Held::new(body, (answering, share))))
    }

    /// Returns the answer to a request that does not reach the router. Counts a session that begins.
    fn refuse(&self, request: &mut Request<Incoming>, client: &Client) -> Option<Response> {
        if let Some(refusal) = malformed::refusal(request) {
            observe::dropped(DropReason::Malformed);
            return Some(refusal);
        }
        if session(request.uri().query()).is_some_and(|session| self.stream.is_cut(session)) {
            return Some(ENDED.into_response());
        }
        let begins = begins_session(request);
        let is_websocket = begins && malformed::asks_for_websocket(request);
        if begins {
            detach_head(request);
            let share = match self.server.addresses.begin(client.address, !is_websocket, &self.handshakes) {
                Ok(share) => share,
                Err(TooMany::OfAddress) => return Some(refused(DropReason::Address, "too many handshakes from your address\n")),
                Err(TooMany::OfAll) => {
                    return Some(refused(DropReason::Sessions, "too many clients, try again in a few seconds\n"));
                }
            };
            let address = self.server.addresses.counted(client.address);
            request.extensions_mut().insert(Arc::new(Conduct::new(&self.server.limits, address, share, Instant::now())));
        }
        request.extensions_mut().insert(self.stream.of_handshake(is_websocket));
        None
    }

    async fn route(&self, mut request: Request<Incoming>, client: Client) -> Response {
        request.extensions_mut().insert(client);
        self.stream.next_turn().await;
        let Ok(answer) = self.server.router.clone().oneshot(request).await;
        answer
    }
}

/// Refuses what is beyond a limit: of an address, or of the server.
fn refused(reason: DropReason, text: &'static str) -> Response {
    observe::dropped(reason);
    let status = if reason == DropReason::Address { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::RETRY_AFTER, "10")], text).into_response()
}

/// Copies a request's head. A session keeps its first one, and with it the whole buffer into which hyper has read it.
fn detach_head<B>(request: &mut Request<B>) {
    for value in request.headers_mut().values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
    if let Ok(copy) = request.uri().to_string().parse() {
        *request.uri_mut() = copy;
    }
}

/// Returns whether a request begins an Engine.IO session.
fn begins_session<B>(request: &Request<B>) -> bool {
    let is_session = |query: &str| query.split('&').any(|pair| pair.starts_with("sid="));
    request.uri().path().starts_with("/socket.io") && request.uri().query().is_some_and(|query| !is_session(query))
}

/// Waits until `stop` turns true, or its sender is dropped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
