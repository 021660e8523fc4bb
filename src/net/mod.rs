//! The network: Socket.IO namespaces, plain HTTP, and the connections under both.
//!
//! This room knows requests, origins, limits and sockets. It refuses to know games: it carries their bytes.

mod limits;
mod transport;
mod engine;
mod additions;
mod in_order;
mod namespaces;
mod http;

pub use additions::{AdditionError, Page};
pub use in_order::{EventHandler, InOrder, in_order};
pub use limits::NetLimits;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use transport::plain_tap::compare as compare_taps;

pub(crate) use additions::Additions;
pub(crate) use http::{listen::Listener, origin::Origins, site::Site};
pub(crate) use limits::proxies::TrustedProxies;
pub(crate) use namespaces::endpoints::Endpoints;
