//! One Socket.IO endpoint: takes its requests, and hands the library polling requests and WebSockets.

use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    body::Frame,
    upgrade::{OnUpgrade, Parts},
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use sha1::{Digest, Sha1};
use socketioxide::{SocketIo, service::SocketIoService};
use tokio::time::{Sleep, sleep, timeout};
use tower::{Service, ServiceExt};

use crate::{
    net::{
        engine::{
            frames::Frames,
            handed::Handed,
            inside::{Inside, PAUSE, Way},
            names,
            probe::{self, ping_of_probe, pong_of_probe},
            session::{Probe, Session, Sessions},
        },
        limits::NetLimits,
        transport::{keep_alive::Watched, stream::StreamHandle, websocket::announced},
    },
    observe::{self, DropReason},
};

/// The text that RFC 6455 appends to a client's key.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// More bytes than any answer of the library has that is looked into.
const ANSWER_BYTES: usize = 4 * 1024;

/// An Engine.IO packet that says nothing. It ends a poll.
const NOOP: &str = "6";

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// The headers of a WebSocket's handshake that mean nothing once it is open.
const OF_HANDSHAKE: [HeaderName; 8] = [
    header::ACCEPT_ENCODING,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::PRAGMA,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::UPGRADE,
];

/// An endpoint.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Inner>);

struct Inner {
    path: &'static str,
    library: SocketIoService<Router>,
    io: SocketIo,
    own_namespaces: &'static [&'static str],
    sessions: Sessions,
    /// Whether names of events are text that may have escapes.
    has_text_names: bool,
    limits: NetLimits,
}

/// The library, and the names of the server's own namespaces, in which it asks clients for no acknowledgement.
pub(crate) struct Library {
    pub(crate) service: SocketIoService<Router>,
    pub(crate) io: SocketIo,
    pub(crate) own_namespaces: &'static [&'static str],
}

/// Why a request is refused, with the reference server's numbers.
#[derive(Clone, Copy)]
enum Refused {
    UnknownTransport = 0,
    UnknownSession = 1,
    BadRequest = 3,
    UnknownVersion = 5,
}

/// The parameters of a request's query.
struct Query {
    is_websocket: bool,
    is_polling: bool,
    is_version_4: bool,
    session: Option<String>,
    /// Why the library must not see the request: it reads a value only up to a second `=`.
    refusal: Option<Refused>,
}

impl Endpoint {
    /// An endpoint in front of the library.
    pub(crate) fn new(path: &'static str, library: Library, has_text_names: bool, limits: &NetLimits) -> Self {
        let Library { service, io, own_namespaces } = library;
        let (sessions, limits) = (Sessions::default(), limits.clone());
        Self(Arc::new(Inner { path, library: service, io, own_namespaces, sessions, has_text_names, limits }))
    }

    /// The namespaces of a session that begins.
    fn nowhere(&self) -> Arc<Inside> {
        Inside::new(self.0.io.clone(), self.0.own_namespaces)
    }

    /// Answers the requests at or below an endpoint's path. All others go on.
    pub(crate) async fn serve(State(endpoint): State<Self>, request: Request, next: Next) -> Response {
        let rest = request.uri().path().strip_prefix(endpoint.0.path);
        if rest.is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/')) {
            return next.run(request).await;
        }
        let answer = endpoint.answer(request).await;
        if answer.status() == StatusCode::BAD_REQUEST {
            observe::dropped(DropReason::Malformed);
        }
        answer
    }

    async fn answer(&self, request: Request) -> Response {
        let query = Query::of(&request);
        if let Some(refusal) = query.refusal {
            return refusal.into_response();
        }
        let is_get = request.method() == Method::GET;
        if query.is_websocket && query.is_version_4 && is_get {
            return self.websocket(request, query.session).unwrap_or_else(IntoResponse::into_response);
        }
        match query.session {
            _ if !query.is_polling => self.ask_library(request).await,
            None => self.open(request).await,
            Some(id) => match self.0.sessions.find(&id) {
                Some(session) if is_get => self.poll(request, &session).await,
                Some(session) => self.post(request, &session).await,
                None => self.ask_library(request).await,
            },
        }
    }

    /// Begins a session of polling.
    async fn open(&self, mut request: Request) -> Response {
        #[derive(Deserialize)]
        struct Open {
            sid: String,
        }
        let session = Session::new(self.nowhere());
        request.extensions_mut().insert(session.clone());
        let answer = self.ask_library(request).await;
        if answer.status() != StatusCode::OK {
            return answer;
        }
        let (head, body) = answer.into_parts();
        let Ok(packet) = to_bytes(body, ANSWER_BYTES).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        if let Some(Ok(Open { sid })) = packet.strip_prefix(b"0").map(serde_json::from_slice) {
            self.0.sessions.add(sid, &session);
        }
        Response::from_parts(head, packet.into())
    }

    /// Waits for packets, or until the client is free to upgrade.
    async fn poll(&self, request: Request, session: &Session) -> Response {
        tokio::select! {
            // The library first: what it has taken out of its queue must go out. While it waits it has taken nothing.
            biased;
            answer = self.ask_library(request) => answer,
            // The client leaves its HTTP connections.
            () = session.release() => ([(header::CONTENT_TYPE, TEXT), (header::CONNECTION, CLOSE)], NOOP).into_response(),
        }
    }

    /// Takes packets.
    async fn post(&self, request: Request, session: &Session) -> Response {
        let request = request.map(|body| {
            Body::new(Payload { body, endpoint: self.clone(), inside: session.inside(), waiting: None, pause: None })
        });
        let mut answer = self.ask_library(request).await;
        if session.is_probed() {
            answer.headers_mut().insert(header::CONNECTION, CLOSE);
        }
        answer
    }

    /// Makes a request a WebSocket: a new session, or a probe of one that polls.
    fn websocket(&self, mut request: Request, session: Option<String>) -> Result<Response, Refused> {
        let key = request.headers().get(header::SEC_WEBSOCKET_KEY).ok_or(Refused::BadRequest)?;
        let accept = STANDARD.encode(Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize());
        let accept = HeaderValue::try_from(accept).map_err(|_| Refused::BadRequest)?;
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or(Refused::BadRequest)?;
        let probe = match session {
            None => None,
            Some(id) => {
                let session = self.0.sessions.find(&id).ok_or(Refused::UnknownSession)?;
                Some(session.begin_probe().ok_or(Refused::BadRequest)?)
            }
        };
        let inside = probe.as_ref().map_or_else(|| self.nowhere(), Probe::inside);
        forget_handshake(request.headers_mut());
        fit(request.extensions_mut());
        let frames = Frames::new(self.0.has_text_names, inside, &self.0.limits);
        drop(tokio::spawn(self.clone().hand_over(upgrade, request.map(|_| ()), probe, frames)));
        let head = [
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::CONNECTION, HeaderValue::from_static("Upgrade")),
            (header::SEC_WEBSOCKET_ACCEPT, accept),
        ];
        Ok((StatusCode::SWITCHING_PROTOCOLS, head).into_response())
    }

    /// Hands the library the stream of a WebSocket, once the client has upgraded if it probes.
    async fn hand_over(self, upgrade: OnUpgrade, request: Request<()>, probe: Option<Probe>, frames: Frames) {
        let Ok(upgraded) = upgrade.await else { return };
        // Without hyper's box, and without what watches over requests.
        let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<Watched>>() else { return };
        let mut stream = io.into_inner().into_stream();
        let handed = match probe {
            None => Handed::new(stream, &read_buf, 0, frames),
            Some(probe) => {
                let answered = probe::answer(&mut stream, read_buf.into(), || probe.note_probed());
                let Ok(Some(rest)) = timeout(self.0.limits.probe_timeout, pin!(answered)).await else {
                    observe::dropped(DropReason::Probe);
                    return;
                };
                let session = probe.upgrade();
                if request.extensions().get::<StreamHandle>().is_some_and(|handle| !handle.upgrade(&session)) {
                    return;
                }
                // The library answers a probe itself. It gets this one again, and its answer is out already.
                Handed::new(stream, &[ping_of_probe(), rest].concat(), pong_of_probe().len(), frames)
            }
        };
        let mut library = self.0.library.clone();
        if let Err(error) = Service::<(Box<Handed>, Request<()>)>::call(&mut library, (Box::new(handed), request)).await {
            tracing::debug!(%error, "the library did not take a WebSocket");
        }
    }

    /// Lets the library answer.
    async fn ask_library(&self, request: Request) -> Response {
        let answer = self.0.library.clone().oneshot(request).await;
        let answer = answer.unwrap_or_else(|never| match never {}).map(Body::new);
        if answer.status() == StatusCode::BAD_REQUEST { numbered(answer).await } else { answer }
    }
}

impl Inner {
    /// Takes packets of the default parser, and returns them as the library can read them.
    fn read_text(&self, payload: Bytes) -> Bytes {
        let mut packets = payload.split(|byte| *byte == names::SEPARATOR as u8);
        // The library ends the session of such an event.
        if packets.any(|packet| usize::from(announced(packet)) > self.limits.attachments) {
            observe::dropped(DropReason::Protocol);
        }
        names::without_escapes_in(payload)
    }
}

/// Removes the headers of a handshake. A session keeps its request, and a browser sends more of them than of all others.
fn forget_handshake(headers: &mut HeaderMap) {
    let kept = || headers.iter().filter(|(name, _)| !OF_HANDSHAKE.contains(name));
    // A new map, because one that shrinks keeps its memory.
    let mut fewer = HeaderMap::with_capacity(kept().count());
    for (name, value) in kept() {
        fewer.append(name.clone(), value.clone());
    }
    *headers = fewer;
}

/// Moves the extensions of a request into a map that is as small as they allow: one that has had more in it keeps its memory.
fn fit(extensions: &mut Extensions) {
    let Some(stream) = extensions.remove::<StreamHandle>() else { return };
    let others = std::mem::take(extensions);
    extensions.insert(stream);
    extensions.extend(others);
}

/// Returns a refusal of the library with its code as a number, as the reference server and the protocol have it.
async fn numbered(answer: Response) -> Response {
    #[derive(Deserialize)]
    struct Refusal {
        code: String,
        message: String,
    }
    let (mut head, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_BYTES).await else { return StatusCode::BAD_REQUEST.into_response() };
    let refusal = serde_json::from_slice::<Refusal>(&body).ok();
    let Some((code, message)) = refusal.and_then(|Refusal { code, message }| Some((code.parse::<u8>().ok()?, message))) else {
        return Response::from_parts(head, body.into());
    };
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, json!({ "code": code, "message": message }).to_string().into())
}

/// The body of a request that brings packets. Names of events have no escapes, and clients leave the namespaces that they enter again.
/// Each frame has one whole packet (`transport/polling.rs`).
struct Payload {
    body: Body,
    endpoint: Endpoint,
    inside: Arc<Inside>,
    /// A packet that waits until the library has done something.
    waiting: Option<Bytes>,
    /// The time until it is looked at again.
    pause: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Payload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let packet = match self.waiting.take() {
                Some(packet) => packet,
                None => match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(packet) if self.endpoint.0.has_text_names => self.endpoint.0.read_text(packet),
                        Ok(packet) => packet,
                        Err(frame) => return Poll::Ready(Some(Ok(frame))),
                    },
                    end => return Poll::Ready(end),
                },
            };
            match self.inside.way_of_payload(&packet) {
                Way::Free => return Poll::Ready(Some(Ok(Frame::data(packet)))),
                Way::After(first) => {
                    self.waiting = Some(packet);
                    return Poll::Ready(Some(Ok(Frame::data(first))));
                }
                Way::Wait => {
                    self.waiting = Some(packet);
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
                Way::Never => return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut))))),
            }
        }
    }
}

impl Query {
    fn of(request: &Request) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        let (transport, version) = (value("transport="), value("EIO="));
        let is_odd = |value: Option<&str>| value.is_some_and(|value| value.contains('='));
        let refusal = [(transport, Refused::UnknownTransport), (version, Refused::UnknownVersion)];
        Self {
            is_websocket: transport == Some("websocket"),
            is_polling: transport == Some("polling"),
            is_version_4: version == Some("4"),
            session: value("sid=").map(str::to_owned),
            refusal: refusal.into_iter().find(|(value, _)| is_odd(*value)).map(|(_, refusal)| refusal),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let message = match self {
            Self::UnknownTransport => "Transport unknown",
            Self::UnknownSession => "Session ID unknown",
            Self::BadRequest => "Bad request",
            Self::UnknownVersion => "Unsupported protocol version",
        };
        let body = json!({ "code": self as u8, "message": message }).to_string();
        (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, JSON)], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_keeps_the_headers_that_say_something_later() {
        let mut headers = HeaderMap::new();
        OF_HANDSHAKE.iter().for_each(|name| drop(headers.insert(name, TEXT)));
        let kept = [(header::COOKIE, "a=1"), (header::COOKIE, "b=2"), (header::ORIGIN, "null"), (header::USER_AGENT, "x")];
        for (name, value) in kept.clone() {
            headers.append(name, HeaderValue::from_static(value));
        }
        forget_handshake(&mut headers);
        let mut left: Vec<_> = headers.iter().map(|(name, value)| (name.clone(), value.to_str().unwrap())).collect();
        left.sort_by_key(|(name, _)| name.to_string());
        assert_eq!(left, kept);
    }
}
