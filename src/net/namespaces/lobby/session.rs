//! One connection to the lobby.

use std::sync::{Arc, OnceLock};

use crate::{
    host::{EventSink, Host},
    lobby::{ConnectionId, Identity, SocialEvent},
    net::namespaces::{
        session::UserSession,
        socket::{SocketArc, emit},
    },
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

/// Sends the hub's events to one connection. One whose buffer is full misses some, and notices the gap in their numbers.
pub(crate) struct LobbySocket(pub(crate) SocketArc);

impl EventSink<SocialEvent> for LobbySocket {
    fn send(&self, event: &SocialEvent) {
        if emit(&self.0, event.name(), event).is_err() && self.0.connected() {
            observe::dropped(DropReason::Event);
        }
    }
}

impl Lobby {
    /// Makes the connection known to the hub, once. On a connection that polls, a request may overtake `connected`.
    pub(crate) fn connection(&self, session: &LobbySession, socket: &SocketArc) -> ConnectionId {
        let connect = || self.0.social().connect(session.identity(), Arc::new(LobbySocket(socket.clone())));
        *session.connection.get_or_init(connect)
    }
}
