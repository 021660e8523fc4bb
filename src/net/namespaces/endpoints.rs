//! The two Socket.IO endpoints. Both have the same namespaces: one reads JSON, the other MessagePack.

use std::{sync::Arc, time::Duration};

use axum::{Router, middleware::from_fn_with_state};
use socketioxide::{ParserConfig, SocketIo, SocketIoBuilder};
use tokio::task::JoinSet;

use crate::{
    host::{Host, MatchQueue, MatchRules},
    net::{
        additions::{AdditionError, Additions},
        engine::endpoint::{Endpoint, Library},
        limits::{CONNECT_TIMEOUT, NetLimits, allowance::Allowances},
        namespaces::{
            gameplay::Gameplay,
            lobby::{rooms::send_changes, session::Lobby},
            matchmaking::Matchmaking,
            namespace::{Namespace, Wired},
            root::Root,
            unknown::UnknownNamespace,
        },
    },
};

/// How long the attachment of a binary event may take to arrive. This is for clients that poll, and generous for slow ones; a
/// WebSocket that sends nothing of it is cut earlier, see `overdue.rs`.
const ATTACHMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The buffer of each WebSocket for what it reads. The transport hands it no more at once, and it grows for longer messages.
const READ_BUFFER_BYTES: usize = 256;

/// The names that a host cannot give to its own namespaces.
const OWN_NAMESPACES: [&str; 4] = [Root::PATH, Lobby::PATH, Matchmaking::PATH, Gameplay::PATH];

/// Both endpoints of a server.
pub(crate) struct Endpoints {
    json: (Endpoint, SocketIo),
    msgpack: (Endpoint, SocketIo),
    /// Background tasks, which end with the endpoints.
    _tasks: JoinSet<()>,
}

impl Endpoints {
    /// Sets up the namespaces on both endpoints. Must be called within a Tokio runtime.
    pub(crate) fn new(host: &Host, limits: &NetLimits, rules: MatchRules, additions: &Additions) -> Result<Self, AdditionError> {
        let (json, msgpack) = (ParserConfig::common(), ParserConfig::msgpack());
        let json = json
            .max_incoming_binaries(limits.attachments)
            .max_incoming_binary_buf_size(limits.message_bytes)
            .packet_completion_timeout(ATTACHMENT_TIMEOUT);
        let json = endpoint("/socket.io", builder(limits).with_parser(json), true, limits);
        let msgpack = endpoint("/socket.io-msgpack", builder(limits).with_parser(msgpack), false, limits);
        let allowances = Arc::new(Allowances::new(limits));
        let queue = MatchQueue::new(host.clone(), rules);
        let matchmaking = Matchmaking { host: host.clone(), queue: queue.clone() };
        let mut tasks = JoinSet::new();
        for io in [&json.1, &msgpack.1] {
            // The host's come first, so that one with the name of a server's own is noticed.
            additions.add_namespaces(io, host, &OWN_NAMESPACES)?;
            io.ns(Root::PATH, Wired::new(Root(host.clone()), limits, &allowances));
            io.ns(Lobby::PATH, Wired::new(Lobby(host.clone()), limits, &allowances));
            io.ns(Matchmaking::PATH, Wired::new(matchmaking.clone(), limits, &allowances));
            io.ns(Gameplay::PATH, Wired::new(Gameplay(host.clone()), limits, &allowances));
            UnknownNamespace::take_rest(io);
            tasks.spawn(send_changes(io.clone(), host.changes()));
        }
        tasks.spawn(queue.run());
        Ok(Self { json, msgpack, _tasks: tasks })
    }

    /// Puts both endpoints before a router, which gets no requests under their paths.
    pub(crate) fn before(&self, router: Router) -> Router {
        let layer = |(endpoint, _): &(Endpoint, SocketIo)| from_fn_with_state(endpoint.clone(), Endpoint::serve);
        router.layer(layer(&self.json)).layer(layer(&self.msgpack))
    }

    /// Ends every connection. May never return, because it waits for clients that stopped reading.
    pub(crate) async fn close(&self) {
        tokio::join!(self.json.1.close(), self.msgpack.1.close());
    }
}

fn endpoint(path: &'static str, builder: SocketIoBuilder, has_text_names: bool, limits: &NetLimits) -> (Endpoint, SocketIo) {
    // The endpoint passes no request on that is not under the path.
    let (service, io) = builder.req_path(path).build_with_inner_svc(Router::new());
    let library = Library { service, io: io.clone(), own_namespaces: &OWN_NAMESPACES };
    (Endpoint::new(path, library, has_text_names, limits), io)
}

fn builder(limits: &NetLimits) -> SocketIoBuilder {
    SocketIo::builder()
        .max_payload(limits.message_bytes as u64)
        .ws_max_message_size(limits.message_bytes)
        .ws_max_frame_size(limits.message_bytes)
        .ws_read_buffer_size(READ_BUFFER_BYTES)
        .max_buffer_size(limits.queued_messages)
        .connect_timeout(CONNECT_TIMEOUT)
        // The library's timer takes no interval of zero.
        .ping_interval(limits.ping_interval.max(Duration::from_millis(1)))
        .ping_timeout(limits.ping_timeout)
}
