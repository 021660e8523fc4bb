//! Who says what: the Socket.IO namespaces.

pub(crate) mod conduct;
pub(crate) mod endpoints;
pub(crate) mod gameplay;
pub(crate) mod lenient;
pub(crate) mod lobby;
pub(crate) mod matchmaking;
pub(crate) mod namespace;
pub(crate) mod request;
pub(crate) mod root;
pub(crate) mod session;
pub(crate) mod unknown;
