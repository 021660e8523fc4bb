//! The user of a connection to `/lobby` or `/matchmaking`.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::json;

use crate::{
    host::{Host, Refusal, Visitor, VisitorId},
    identity::{Admitted, Credentials},
    lobby::{Identity, UserId},
    net::namespaces::{namespace::Caller, request::Argument, socket::SocketArc},
};

pub(crate) struct UserSession {
    pub(crate) identity: Identity,
    /// The token with which a guest can come back as the same user, until the client is told.
    token: Mutex<Option<Box<str>>>,
    /// The host's number for the connection, once the host knows it.
    visitor: OnceLock<VisitorId>,
}

/// The first event of a connection.
#[derive(Serialize)]
struct SessionEvent<'a> {
    user: &'a UserId,
    name: &'a str,
    guest: bool,
    token: Option<&'a str>,
}

impl UserSession {
    /// Identifies the user who connects with `auth`.
    pub(crate) async fn begin(host: &Host, auth: Argument, caller: Caller<'_>) -> Result<Self, Refusal> {
        let credentials: Credentials = auth.read()?;
        if credentials.token.is_none() {
            caller.take_guest()?;
        }
        let Admitted { identity, token } = host.identify(credentials).await?;
        let token = Mutex::new(token.map(String::into_boxed_str));
        Ok(Self { identity: identity.from_address(caller.address), token, visitor: OnceLock::new() })
    }

    /// Tells the client who its user is, and lets the host end the connection.
    pub(crate) fn connected(&self, host: &Host, socket: &SocketArc) {
        let Identity { user, name, guest, .. } = &self.identity;
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The queue of a new connection has room for this.
        let _ = socket.emit("session", &SessionEvent { user, name: name.as_str(), guest: *guest, token: token.as_deref() });
        self.visitor.get_or_init(|| host.add_visitor(user, Arc::new(SocketVisitor(socket.clone()))));
    }

    /// Makes the host forget the connection, which has ended.
    pub(crate) fn disconnected(&self, host: &Host) {
        if let Some(visitor) = self.visitor.get() {
            host.remove_visitor(&self.identity.user, *visitor);
        }
    }
}

struct SocketVisitor(SocketArc);

impl Visitor for SocketVisitor {
    fn disconnect(&self, why: &Refusal) {
        // The transport's time limits cut a client that does not read this.
        let _ = self.0.emit("ended", &json!({ "code": why.code.as_str(), "message": why.message }));
        let _ = self.0.clone().disconnect();
    }
}
