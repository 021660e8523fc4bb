//! Accepts connections. Hyper serves each of them, with a bound on the time that a header may take.

use std::{
    io,
    net::{Shutdown, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, http::StatusCode, response::IntoResponse};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};
use tower::ServiceExt;

use crate::{
    net::{
        limits::{NetLimits, address::Addresses},
        namespaces::conduct::Conduct,
        transport::{
            polling::{ENDED, session},
            stream::{Stream, Streams},
        },
    },
    observe::{self, DropReason},
};

/// The most bytes of a request's header.
const HEADER_BYTES: usize = 16 * 1024;

/// How long the loop pauses after it could not accept, as when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// The answer to a connection beyond the limit of its address.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 39\r\n\
    connection: close\r\n\r\ntoo many connections from your address\n";

/// A bound TCP port, and the limits for its connections.
#[derive(Debug)]
pub(crate) struct Listener {
    tcp: TcpListener,
    limits: Arc<NetLimits>,
}

impl Listener {
    /// Binds a port.
    ///
    /// # Errors
    /// The system's error, for instance that the port is in use.
    pub(crate) async fn bind(address: &str, limits: NetLimits) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await?, limits: Arc::new(limits) })
    }

    /// Returns the bound address; with port 0 the system chose its port.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts and serves until `stop` turns true. Connections that are open then finish their request.
    pub(crate) async fn serve(self, router: Router, mut stop: watch::Receiver<bool>) {
        let (streams, addresses) = (Streams::default(), Addresses::new(&self.limits));
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                () = stopped(&mut stop) => return,
            };
            let stream = match accepted {
                Ok((tcp, peer)) => match addresses.take(peer.ip()) {
                    Some(share) => Stream::new(tcp, &self.limits, streams.clone(), share),
                    None => {
                        refuse(&tcp);
                        continue;
                    }
                },
                Err(error) => {
                    tracing::debug!(%error, "cannot accept a connection");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    continue;
                }
            };
            match stream {
                Ok(stream) => drop(tokio::spawn(serve_connection(stream, router.clone(), self.limits.clone(), stop.clone()))),
                Err(error) => tracing::debug!(%error, "the connection ended before it began"),
            }
        }
    }
}

/// Answers before a request came, and without waiting, so that a refusal costs next to nothing.
fn refuse(tcp: &TcpStream) {
    observe::dropped(DropReason::Address);
    let socket = SockRef::from(tcp);
    // A peer that does not get the answer has lost the connection anyway.
    let _ = socket.send(TOO_MANY);
    let _ = socket.shutdown(Shutdown::Write);
}

async fn serve_connection(stream: Stream, router: Router, limits: Arc<NetLimits>, mut stop: watch::Receiver<bool>) {
    let header_timeout = limits.header_timeout;
    let (handle, handshakes) = (stream.handle(), stream.handshakes());
    let service = service_fn(move |mut request: Request<Incoming>| {
        let moves = session(request.uri().query()).map(str::to_owned);
        let is_cut = moves.as_ref().is_some_and(|session| handle.is_cut(session));
        let begins = begins_session(&request);
        let is_websocket = begins && asks_for_websocket(&request);
        request.extensions_mut().insert(handle.of_handshake(is_websocket));
        if begins {
            request.extensions_mut().insert(Arc::new(Conduct::new(&limits, Instant::now())));
        }
        let taken = !begins || handshakes.take();
        let (router, handle) = (router.clone(), handle.clone());
        async move {
            if is_cut {
                return Ok(ENDED.into_response());
            }
            if !taken {
                observe::dropped(DropReason::Address);
                return Ok((StatusCode::TOO_MANY_REQUESTS, "too many handshakes from your address\n").into_response());
            }
            handle.next_turn().await;
            let answer = router.oneshot(request).await;
            if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
                // The library begins to read and write only after this.
                handle.switch_protocols();
                moves.iter().for_each(|session| handle.upgrade(session));
            }
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Returns whether a request begins an Engine.IO session.
fn begins_session<B>(request: &Request<B>) -> bool {
    let is_session = |query: &str| query.split('&').any(|pair| pair.starts_with("sid="));
    request.uri().path().starts_with("/socket.io") && request.uri().query().is_some_and(|query| !is_session(query))
}

/// Returns whether a request of Engine.IO is for its transport on WebSockets. The library looks at the same parameter.
fn asks_for_websocket<B>(request: &Request<B>) -> bool {
    let transport = request.uri().query().and_then(|query| query.split('&').find(|pair| pair.starts_with("transport=")));
    transport == Some("transport=websocket")
}

/// Waits until `stop` turns true, or its sender is dropped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
