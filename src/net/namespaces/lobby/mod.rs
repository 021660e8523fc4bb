//! The namespace `/lobby`: rooms and people.

pub(crate) mod session;
pub(crate) mod rooms;
pub(crate) mod people;

use std::sync::OnceLock;

use self::session::{Lobby, LobbySession};
use crate::{
    host::Refusal,
    lobby::Identity,
    net::namespaces::{
        namespace::{Caller, Event, Namespace},
        request::Argument,
        session::UserSession,
        socket::SocketArc,
    },
};

impl Namespace for Lobby {
    const PATH: &'static str = "/lobby";
    const EVENTS: &'static [(&'static str, Event<Self>)] = &[
        ("games", Event::Request(rooms::games)),
        ("rooms", Event::Request(rooms::rooms)),
        ("create", Event::Request(rooms::create)),
        ("join", Event::Request(rooms::join)),
        ("quick", Event::Request(rooms::quick)),
        ("spectate", Event::Request(rooms::spectate)),
        ("kick", Event::Request(rooms::kick)),
        ("listen", Event::Request(people::listen)),
        ("chat", Event::Request(people::chat)),
        ("typing", Event::Request(people::typing)),
        ("presence", Event::Request(people::presence)),
        ("block", Event::Request(|call, argument| people::block(call, argument, true))),
        ("unblock", Event::Request(|call, argument| people::block(call, argument, false))),
        ("party", Event::Request(people::party)),
        ("party_create", Event::Request(people::party_create)),
        ("party_invite", Event::Request(people::party_invite)),
        ("party_join", Event::Request(people::party_join)),
        ("party_leave", Event::Request(people::party_leave)),
        ("party_promote", Event::Request(people::party_promote)),
        ("party_kick", Event::Request(people::party_kick)),
        ("party_ready", Event::Request(people::party_ready)),
    ];
    type Session = LobbySession;

    async fn admit(&self, auth: Argument, caller: Caller<'_>) -> Result<LobbySession, Refusal> {
        Ok(LobbySession { user: UserSession::begin(&self.0, auth, caller).await?, connection: OnceLock::new() })
    }

    fn identity(session: &LobbySession) -> Option<&Identity> {
        Some(session.identity())
    }

    fn check(&self, session: &LobbySession) -> Result<(), Refusal> {
        self.0.check_blocked(&session.identity().user)
    }

    fn connected(&self, session: &LobbySession, socket: &SocketArc) {
        session.user.connected(&self.0, socket);
        self.connection(session, socket);
    }

    fn disconnected(&self, session: &LobbySession) {
        session.user.disconnected(&self.0);
        if let Some(connection) = session.connection.get() {
            self.0.social().disconnect(*connection);
        }
    }
}
