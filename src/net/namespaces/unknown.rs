//! Namespaces that do not exist: requests for them are refused, and counted for the connection.

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

/// The message of socketioxide and of the official server.
const INVALID: &str = "Invalid namespace";

/// The empty name, which no pattern matches.
const NAMELESS: &str = "";

#[derive(Clone)]
pub(crate) struct UnknownNamespace;

impl UnknownNamespace {
    /// Handles every namespace that nothing else handles. The host's own patterns begin with a slash and come before this one. If a
    /// host has the same pattern, its handler handles them all.
    pub(crate) fn take_rest(io: &SocketIo) {
        io.ns(NAMELESS, Self);
        if io.dyn_ns("{*rest}", Self).is_err() {
            tracing::debug!("the host handles every namespace itself");
        }
    }
}

impl ConnectHandler<socketioxide::adapter::LocalAdapter, Synchronous> for UnknownNamespace {
    fn call_middleware<'a>(&'a self, socket: SocketArc, auth: &'a Option<Value>) -> Admitting<'a> {
        // The library made this namespace for the request, and would keep it.
        if socket.ns() != NAMELESS {
            let Ok(io) = SocketIo::from_connect_parts(&socket, auth);
            io.delete_ns(socket.ns());
        }
        Conduct::note_unknown_namespace(&socket);
        Box::pin(std::future::ready(Err(Box::new(INVALID) as Box<dyn Display + Send>)))
    }

    fn call(&self, _: SocketArc, _: Option<Value>) {}
}
