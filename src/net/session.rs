//! The session of `/lobby` and `/matchmaking`: who is on a connection.

use serde::Serialize;

use super::{namespace::SocketArc, request::Argument};
use crate::{
    host::{Host, Refusal},
    lobby::{Identity, UserId},
};

pub(super) struct Session {
    pub(super) identity: Identity,
    /// A guest's token, to come back with.
    token: Option<String>,
}

/// The first event of a connection.
#[derive(Serialize)]
struct Told<'a> {
    user: &'a UserId,
    name: &'a str,
    guest: bool,
    token: Option<&'a str>,
}

impl Session {
    /// Says who somebody is who connects with `auth`.
    pub(super) async fn begin(host: &Host, auth: Argument) -> Result<Self, Refusal> {
        let admitted = host.identify(auth.read()?).await?;
        Ok(Self { identity: admitted.identity, token: admitted.token })
    }

    /// Tells the client who it is.
    pub(super) fn tell(&self, socket: &SocketArc) {
        let Identity { user, name, guest } = &self.identity;
        // The queue of a connection that has just begun has room for it.
        let _ = socket.emit("session", &Told { user, name: name.as_str(), guest: *guest, token: self.token.as_deref() });
    }
}
