//! The accept loop. Hyper serves each connection with a bound on how long a header may take.

use std::{
    io,
    net::{Shutdown, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};
use tower::ServiceExt;

use crate::net::limits::NetLimits;
use crate::net::limits::address::Addresses;
use crate::net::namespaces::conduct::Conduct;
use crate::net::transport::stream::Stream;
use crate::net::transport::stream::Streams;
use crate::observe::{self, DropReason};

/// The most bytes of a request's header.
const HEADER_BYTES: usize = 16 * 1024;

/// How long the loop rests when the system has no more file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// What a connection is told that is one too many for its address.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 39\r\n\
    connection: close\r\n\r\ntoo many connections from your address\n";

/// A bound TCP port and what it is served with.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    limits: NetLimits,
}

impl Listener {
    /// Binds a port.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that the port is in use.
    pub async fn bind(address: &str, limits: NetLimits) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await?, limits })
    }

    /// The address that is listened on; useful after binding port 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Accepts and serves until `stop` turns true; connections that are open then finish their request.
    pub(crate) async fn serve(self, router: Router, mut stop: watch::Receiver<bool>) {
        let (streams, addresses) = (Streams::default(), Addresses::new(&self.limits));
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                () = stopped(&mut stop) => return,
            };
            let stream = match accepted {
                Ok((tcp, peer)) => match addresses.take(peer.ip()) {
                    Some(share) => Stream::new(tcp, self.limits.unacknowledged_timeout, streams.clone(), share),
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

/// Answers before anything was asked, without waiting: it must cost next to nothing.
fn refuse(tcp: &TcpStream) {
    observe::dropped(DropReason::Address);
    let socket = SockRef::from(tcp);
    // Whoever does not get the answer has lost the connection.
    let _ = socket.send(TOO_MANY);
    let _ = socket.shutdown(Shutdown::Write);
}

async fn serve_connection(stream: Stream, router: Router, limits: NetLimits, mut stop: watch::Receiver<bool>) {
    let header_timeout = limits.header_timeout;
    let (handle, handshakes) = (stream.handle(), stream.handshakes());
    let service = service_fn(move |mut request: Request<Incoming>| {
        let expelled = session(&request).is_some_and(|session| handle.is_expelled(session));
        if let Some(session) = upgraded_session(&request) {
            handle.upgrade(session);
        }
        request.extensions_mut().insert(handle.clone());
        let begins = begins_session(&request);
        if begins {
            request.extensions_mut().insert(Arc::new(Conduct::new(&limits, Instant::now())));
        }
        let taken = !begins || handshakes.take();
        let (router, handle) = (router.clone(), handle.clone());
        async move {
            if expelled {
                return Ok((StatusCode::BAD_REQUEST, "the session was ended\n").into_response());
            }
            if !taken {
                observe::dropped(DropReason::Address);
                return Ok((StatusCode::TOO_MANY_REQUESTS, "too many handshakes from your address\n").into_response());
            }
            let answer = router.oneshot(request).await;
            if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
                handle.switch_protocols();
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

/// Whether a request begins an Engine.IO session.
fn begins_session<B>(request: &Request<B>) -> bool {
    let is_session = |query: &str| query.split('&').any(|pair| pair.starts_with("sid="));
    request.uri().path().starts_with("/socket.io") && request.uri().query().is_some_and(|query| !is_session(query))
}

/// The Engine.IO session that asks to move from polling to this connection.
fn upgraded_session<B>(request: &Request<B>) -> Option<&str> {
    request.headers().get(header::UPGRADE)?;
    session(request)
}

/// The Engine.IO session that a request goes on with.
fn session<B>(request: &Request<B>) -> Option<&str> {
    request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix("sid="))
}

/// Waits until `stop` turns true, or nobody is left to turn it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
