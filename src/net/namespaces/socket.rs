//! The Socket.IO socket of one client in one namespace.

use std::sync::Arc;

use socketioxide::{adapter::LocalAdapter, socket::Socket};

/// A client's socket in a namespace.
pub(crate) type SocketArc = Arc<Socket<LocalAdapter>>;
