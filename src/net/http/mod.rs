//! HTTP: accepting connections, checking origins, and everything that is not Socket.IO.

pub(crate) mod listen;
pub(crate) mod origin;
pub(crate) mod site;
