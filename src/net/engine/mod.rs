//! Engine.IO in front of socketioxide (*the library*): what stock clients and proxies need, and the library does not do.
//!
//! The library gets plain polling requests, and streams that are WebSockets for good. This wing knows HTTP requests, sessions and
//! the text of packets. It refuses to know what is in a namespace.

pub(crate) mod inside;
pub(crate) mod session;
pub(crate) mod names;
pub(crate) mod frames;
pub(crate) mod handed;
pub(crate) mod probe;
pub(crate) mod endpoint;
