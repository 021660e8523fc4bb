//! HTTP: accepting connections, checking origins, and everything that is not Socket.IO.

pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod forwarded;
pub(crate) mod malformed;
pub(crate) mod origin;
pub(crate) mod listen;
pub(crate) mod site;
