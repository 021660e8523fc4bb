//! Bytes on a connection: reading, writing, and the WebSocket frames in both directions.
//!
//! [`Connection`](connection::Connection) owns a socket with its reader and its writer. This wing knows bytes, WebSocket frames and
//! Socket.IO's packets for inputs and state. It refuses to know who a client is and what it asks for.

pub(crate) mod websocket;
pub(crate) mod rules;
pub(crate) mod packet;
pub(crate) mod cursor;
pub(crate) mod habit;
pub(crate) mod turn;
pub(crate) mod tap;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod plain_tap;
pub(crate) mod overdue;
pub(crate) mod socket;
pub(crate) mod reader;
pub(crate) mod byte_queue;
pub(crate) mod writer;
pub(crate) mod connection;
pub(crate) mod stream;
pub(crate) mod keep_alive;
pub(crate) mod polling;
