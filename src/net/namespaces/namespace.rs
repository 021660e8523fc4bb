//! The common part of all namespaces: it admits connections, passes events to their handlers, and cleans up at the end.
//!
//! Every handler runs synchronously in the connection's reader, so that events are handled in the order in which they arrive.
//! socketioxide's own asynchronous handlers are spawned, and may overtake each other.

use std::{fmt::Display, future::Future, net::IpAddr, pin::Pin, sync::Arc};

use socketioxide::{
    adapter::LocalAdapter,
    extract::Event as EventName,
    handler::{ConnectHandler, DisconnectHandler, FromMessageParts, MessageHandler, Value},
    socket::DisconnectReason,
};
use tokio::time::Instant;

use crate::{
    host::Refusal,
    lobby::Identity,
    net::{
        limits::{NetLimits, allowance::Allowances},
        namespaces::{
            conduct::Conduct,
            entry::Entry,
            request::{Answer, Argument, acknowledge},
            socket::SocketArc,
        },
    },
    observe,
    protocol::ErrorCode,
};

/// A namespace, the same on both endpoints.
pub(crate) trait Namespace: Clone + Send + Sync + 'static {
    /// The name that clients connect to.
    const PATH: &'static str;

    /// The events that clients may send.
    const EVENTS: &'static [(&'static str, Event<Self>)];

    /// The state of one connection.
    type Session: Send + Sync + 'static;

    /// Admits a connection, or refuses it.
    fn admit(&self, auth: Argument, caller: Caller<'_>) -> impl Future<Output = Result<Self::Session, Refusal>> + Send;

    /// The person on a connection, in whose share its requests count.
    fn identity(_session: &Self::Session) -> Option<&Identity> {
        None
    }

    /// Called before every request. Refuses a user who was blocked after they connected.
    fn check(&self, _session: &Self::Session) -> Result<(), Refusal> {
        Ok(())
    }

    /// Called right before the client is told that it has entered the namespace.
    fn admitted(&self, _session: &Self::Session, _socket: &SocketArc) {}

    /// Called when the connection is open: events reach the client from now on.
    fn connected(&self, _session: &Self::Session, _socket: &SocketArc) {}

    /// Called for every event from the client, also an unknown one.
    fn heard(&self, _session: &Self::Session) {}

    /// Called when the connection has ended, and again after whatever else was going on then. It must not matter how often.
    fn disconnected(&self, _session: &Self::Session) {}
}

/// A client that asks to enter a namespace.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// The client's address, if it is counted.
    pub(crate) address: Option<IpAddr>,
    allowances: &'a Allowances,
}

impl Caller<'_> {
    /// Counts a new guest.
    ///
    /// # Errors
    /// `rate_limited` if too many new guests come from the address.
    pub(crate) fn take_guest(&self) -> Result<(), Refusal> {
        self.allowances.take_guest(self.address, Instant::now())
    }
}

/// How an event is handled.
pub(crate) enum Event<N: Namespace> {
    /// A request. It counts against the connection's rate, and its argument is an object of bounded size.
    Request(fn(&Call<'_, N>, Argument) -> Answer),
    /// Anything else. The handler does all checks itself.
    Raw(fn(&Call<'_, N>, Value, Option<i64>)),
}

/// One event of one connection.
pub(crate) struct Call<'a, N: Namespace> {
    pub(crate) namespace: &'a N,
    pub(crate) session: &'a N::Session,
    pub(crate) socket: &'a SocketArc,
}

/// A namespace, wired to socketioxide.
#[derive(Clone)]
pub(crate) struct Wired<N> {
    namespace: N,
    limits: Arc<NetLimits>,
    allowances: Arc<Allowances>,
}

impl<N: Namespace> Wired<N> {
    pub(crate) fn new(namespace: N, limits: &NetLimits, allowances: &Arc<Allowances>) -> Self {
        // Its gauge is there before the first connection.
        observe::connected(N::PATH).increment(0);
        Self { namespace, limits: Arc::new(limits.clone()), allowances: allowances.clone() }
    }
}

/// The state of one connection, which its handlers share.
struct Joined<N: Namespace> {
    namespace: N,
    session: N::Session,
    entry: Entry,
    limits: Arc<NetLimits>,
    allowances: Arc<Allowances>,
}

/// Distinguishes the implementations here from socketioxide's own for closures.
pub(crate) enum Synchronous {}

pub(crate) type Admitting<'a> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Display + Send>>> + Send + 'a>>;

impl<N: Namespace> ConnectHandler<LocalAdapter, Synchronous> for Wired<N> {
    /// Runs before the client is told that it is connected, so that the handlers set up here miss no event.
    fn call_middleware<'a>(&'a self, socket: SocketArc, auth: &'a Option<Value>) -> Admitting<'a> {
        Box::pin(async move {
            match self.admit(&socket, auth.as_ref()).await {
                Ok(session) => {
                    self.wire(&socket, session);
                    Ok(())
                }
                Err(refusal) => {
                    observe::refused(refusal.code, 1);
                    tracing::debug!(namespace = N::PATH, %refusal, "connection refused");
                    Err(Box::new(refusal) as Box<dyn Display + Send>)
                }
            }
        })
    }

    fn call(&self, socket: SocketArc, _: Option<Value>) {
        if let Some(joined) = Conduct::take_admitted::<Joined<N>>(&socket)
            && joined.entry.enter()
        {
            observe::connected(N::PATH).increment(1);
            self.namespace.connected(&joined.session, &socket);
            joined.clean_up();
        }
    }
}

impl<N: Namespace> Wired<N> {
    /// Counts the attempt before anything else, because the check of a token is expensive.
    async fn admit(&self, socket: &SocketArc, auth: Option<&Value>) -> Result<N::Session, Refusal> {
        let (now, address) = (Instant::now(), Conduct::address(socket));
        let taken = Conduct::take_connect(socket, now).and_then(|()| self.allowances.take_connect(address, now));
        taken.inspect_err(|_| Conduct::note_rate_limited(socket, now))?;
        let auth = Argument::of_auth(auth, self.limits.request_bytes)?;
        self.namespace.admit(auth, Caller { address, allowances: &self.allowances }).await
    }

    fn wire(&self, socket: &SocketArc, session: N::Session) {
        self.namespace.admitted(&session, socket);
        let joined = Arc::new(Joined {
            namespace: self.namespace.clone(),
            session,
            entry: Entry::default(),
            limits: self.limits.clone(),
            allowances: self.allowances.clone(),
        });
        // One handler for all events: a handler for each would take a kilobyte of each connection.
        socket.on_fallback(OnEvent(joined.clone()));
        socket.on_disconnect(OnEnd(joined.clone()));
        Conduct::keep_admitted(socket, joined);
    }
}

impl<N: Namespace> Joined<N> {
    /// Undoes what was done for a client that went meanwhile, on another thread.
    fn clean_up(&self) {
        if self.entry.has_ended() {
            self.namespace.disconnected(&self.session);
        }
    }

    fn take_token(&self, socket: &SocketArc) -> Result<(), Refusal> {
        let now = Instant::now();
        let taken = Conduct::take_request(socket, N::PATH, &self.limits, now);
        let person = N::identity(&self.session);
        let taken = taken.and_then(|()| person.map_or(Ok(()), |who| self.allowances.take_request(who, now)));
        taken.inspect_err(|_| Conduct::note_rate_limited(socket, now))
    }
}

struct OnEvent<N: Namespace>(Arc<Joined<N>>);

impl<N: Namespace> MessageHandler<LocalAdapter, Synchronous> for OnEvent<N> {
    fn call(&self, socket: SocketArc, mut value: Value, ack: Option<i64>) {
        let joined = &*self.0;
        joined.namespace.heard(&joined.session);
        let call = Call { namespace: &joined.namespace, session: &joined.session, socket: &socket };
        // The library has read the name before, so it can be read.
        let name = EventName::from_message_parts(&socket, &mut value, &ack).map(|EventName(name)| name).unwrap_or_default();
        match N::EVENTS.iter().find(|(known, _)| *known == name).map(|(_, event)| event) {
            Some(Event::Raw(take)) => take(&call, value, ack),
            Some(Event::Request(take)) => {
                let checked = joined.take_token(&socket).and_then(|()| joined.namespace.check(&joined.session));
                let argument = checked.and_then(|()| Argument::of_event(&value, joined.limits.request_bytes));
                let answer = argument.and_then(|argument| take(&call, argument));
                acknowledge(&socket, ack, answer);
            }
            None => {
                let unknown = || Refusal::new(ErrorCode::UnknownEvent, format!("{} has no such request", N::PATH));
                acknowledge(&socket, ack, Err(joined.take_token(&socket).err().unwrap_or_else(unknown)));
            }
        }
        joined.clean_up();
    }
}

struct OnEnd<N: Namespace>(Arc<Joined<N>>);

impl<N: Namespace> DisconnectHandler<LocalAdapter, Synchronous> for OnEnd<N> {
    fn call_with_defer(&self, socket: SocketArc, reason: DisconnectReason, defer: fn(SocketArc)) {
        tracing::debug!(namespace = N::PATH, %reason, "connection ended");
        if self.0.entry.end() {
            observe::connected(N::PATH).decrement(1);
        }
        self.0.namespace.disconnected(&self.0.session);
        // A client that has ended before it was told that it has entered does not enter any more.
        drop(Conduct::take_admitted::<Joined<N>>(&socket));
        defer(socket);
    }
}
