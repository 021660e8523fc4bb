//! The Socket.IO socket of one client in one namespace.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use socketioxide::{TransportType, adapter::LocalAdapter, socket::Socket};

use crate::{host::Full, net::transport::stream::StreamHandle};

/// A client's socket in a namespace.
pub(crate) type SocketArc = Arc<Socket<LocalAdapter>>;

/// Sends an event to a client.
///
/// # Errors
/// Too much waits for the client. If it polls, it is cut for too many bytes; a WebSocket sees to that by itself.
pub(crate) fn emit(socket: &Socket<LocalAdapter>, event: &str, argument: &(impl Serialize + ?Sized)) -> Result<(), Full> {
    count_waiting(socket, argument)?;
    socket.emit(event, argument).map_err(|_| Full)
}

/// Sends an event with one binary argument.
///
/// # Errors
/// Those of [`emit`].
pub(crate) fn emit_binary(socket: &Socket<LocalAdapter>, event: &str, argument: &Bytes) -> Result<(), Full> {
    count_waiting_bytes(socket, argument.len())?;
    socket.emit(event, argument).map_err(|_| Full)
}

/// Counts an argument that is about to wait for a client, if it polls.
///
/// # Errors
/// Too much waits for the client. It is cut.
pub(crate) fn count_waiting(socket: &Socket<LocalAdapter>, argument: &(impl Serialize + ?Sized)) -> Result<(), Full> {
    if socket.transport_type() == TransportType::Websocket {
        return Ok(());
    }
    // Text is counted for both parsers, because base64 makes packed arguments about as long again.
    count_waiting_bytes(socket, serde_json::to_vec(argument).map_or(0, |text| text.len()))
}

fn count_waiting_bytes(socket: &Socket<LocalAdapter>, bytes: usize) -> Result<(), Full> {
    if socket.transport_type() == TransportType::Websocket {
        return Ok(());
    }
    let stream = socket.req_parts().extensions.get::<StreamHandle>();
    if stream.is_none_or(|stream| stream.queue(socket.id.as_str(), bytes)) { Ok(()) } else { Err(Full) }
}
