//! One connection to the lobby.

use std::sync::{Arc, OnceLock};

use crate::{
    host::{EventSink, Host},
    lobby::{ConnectionId, Identity, SocialEvent},
    net::namespaces::{session::UserSession, socket::SocketArc},
    observe::{self, DropReason},
};

/// The namespace `/lobby`.
#[derive(Clone)]
pub(crate) struct Lobby(pub(crate) Host);

/// One connection to the lobby.
pub(crate) struct LobbySession {
    pub(crate) user: UserSession,
    /// The hub's number for the connection, once the hub knows it.
    pub(crate) connection: OnceLock<ConnectionId>,
}

impl LobbySession {
    pub(crate) fn identity(&self) -> &Identity {
        &self.user.identity
    }
}

/// A connection of the lobby. What it misses because its queue is full, it finds out by the numbers of what follows.
pub(crate) struct LobbySocket(pub(crate) SocketArc);

impl EventSink<SocialEvent> for LobbySocket {
    fn send(&self, event: &SocialEvent) {
        if self.0.emit(event.name(), event).is_err() && self.0.connected() {
            observe::dropped(DropReason::Event);
        }
    }
}

impl Lobby {
    /// A request may overtake [`connected`](Namespace::connected) on a connection that polls.
    pub(crate) fn connection(&self, session: &LobbySession, socket: &SocketArc) -> ConnectionId {
        let connect = || self.0.social().connect(session.identity(), Arc::new(LobbySocket(socket.clone())));
        *session.connection.get_or_init(connect)
    }
}
