//! The Socket.IO namespaces: what a client may ask for in each.

pub(crate) mod lenient;
pub(crate) mod socket;
pub(crate) mod request;
pub(crate) mod conduct;
pub(crate) mod entry;
pub(crate) mod namespace;
pub(crate) mod session;
pub(crate) mod root;
pub(crate) mod unknown;
pub(crate) mod lobby;
pub(crate) mod matchmaking;
pub(crate) mod gameplay;
pub(crate) mod endpoints;
