//! Every namespace that is not there: refused, and counted for the connection.

use std::fmt::Display;

use socketioxide::{
    SocketIo,
    handler::{ConnectHandler, FromConnectParts, Value},
};

use crate::net::namespaces::{
    conduct::Conduct,
    namespace::{Admitting, Synchronous},
    socket::SocketArc,
};

/// What the library, and the server of the official implementation, say by themselves.
const INVALID: &str = "Invalid namespace";

/// The one name that no pattern matches.
const NAMELESS: &str = "";

#[derive(Clone)]
pub(crate) struct UnknownNamespace;

impl UnknownNamespace {
    /// Takes what nobody else does. Patterns of a host's own begin with a slash and come before this one; should one be the same
    /// as this, the host sees to everything itself.
    pub(crate) fn take_rest(io: &SocketIo) {
        io.ns(NAMELESS, Self);
        if io.dyn_ns("{*rest}", Self).is_err() {
            tracing::debug!("the host takes every namespace");
        }
    }
}

impl ConnectHandler<socketioxide::adapter::LocalAdapter, Synchronous> for UnknownNamespace {
    fn call_middleware<'a>(&'a self, socket: SocketArc, auth: &'a Option<Value>) -> Admitting<'a> {
        // The library has made the namespace for this request, and would keep it.
        if socket.ns() != NAMELESS {
            let Ok(io) = SocketIo::from_connect_parts(&socket, auth);
            io.delete_ns(socket.ns());
        }
        Conduct::note_unknown_namespace(&socket);
        Box::pin(std::future::ready(Err(Box::new(INVALID) as Box<dyn Display + Send>)))
    }

    fn call(&self, _: SocketArc, _: Option<Value>) {}
}
